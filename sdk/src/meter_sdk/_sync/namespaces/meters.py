# Generated from _async by generate.py.
"""The operations under `meters`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ..._arguments import segment
from ..._call import Call
from ..._query import DEEP, JSON, REPEATED, encoded, merged
from ..operations import Operations
from ..pages import by_number, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class Meters(Operations):
    """The operations under `meters`."""

    def create(
        self, meter: t.Union[types.MeterCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Meter:
        """Create meter.

        `POST /api/v1/meters`

        Args:
            meter: The fields of `MeterCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.1.
        """
        answer: types.Meter = self._send(Call("POST", "/api/v1/meters", body=meter, timeout_s=request_timeout))
        return answer

    def get(self, meter_id_or_slug: str, *, request_timeout: t.Optional[float] = None) -> types.Meter:
        """Get meter.

        `GET /api/v1/meters/{meterIdOrSlug}`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.1.
        """
        answer: types.Meter = self._send(
            Call("GET", f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}", timeout_s=request_timeout)
        )
        return answer

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.MeterOrderBy] = None,
        include_deleted: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.Meter]:
        """List meters.

        `GET /api/v1/meters`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            include_deleted: `includeDeleted` of the query. false if not given.
            request_timeout: Seconds for this call.

        Returns:
            `List[Meter]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.1.
        """
        wire = merged(
            params,
            {
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
                "includeDeleted": include_deleted,
            },
            {"page_size": "pageSize", "order_by": "orderBy", "include_deleted": "includeDeleted"},
        )
        answer: t.List[types.Meter] = self._send(
            Call("GET", "/api/v1/meters", query=encoded(wire, {}), timeout_s=request_timeout)
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.Meter]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 2.1.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list(params, **options)

        return by_number(fetch, size)

    def query_json(
        self,
        meter_id_or_slug: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        client_id: t.Optional[str] = None,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        window_size: t.Optional[types.WindowSize] = None,
        window_time_zone: t.Optional[str] = None,
        subject: t.Optional[Sequence[str]] = None,
        filter_customer_id: t.Optional[Sequence[str]] = None,
        filter_group_by: t.Optional[Mapping[str, t.Any]] = None,
        advanced_meter_group_by_filters: t.Optional[Mapping[str, t.Any]] = None,
        group_by: t.Optional[Sequence[str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.MeterQueryResult:
        """Query a meter.

        `GET /api/v1/meters/{meterIdOrSlug}/query`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            client_id: `clientId` of the query.
            from_: `from` of the query.
            to: `to` of the query.
            window_size: `windowSize` of the query.
            window_time_zone: `windowTimeZone` of the query. "UTC" if not given.
            subject: `subject` of the query.
            filter_customer_id: `filterCustomerId` of the query.
            filter_group_by: `filterGroupBy` of the query.
            advanced_meter_group_by_filters: `advancedMeterGroupByFilters` of the query.
            group_by: `groupBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `MeterQueryResult`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.2.
        """
        wire = merged(
            params,
            {
                "clientId": client_id,
                "from": from_,
                "to": to,
                "windowSize": window_size,
                "windowTimeZone": window_time_zone,
                "subject": subject,
                "filterCustomerId": filter_customer_id,
                "filterGroupBy": filter_group_by,
                "advancedMeterGroupByFilters": advanced_meter_group_by_filters,
                "groupBy": group_by,
            },
            {
                "client_id": "clientId",
                "from_": "from",
                "window_size": "windowSize",
                "window_time_zone": "windowTimeZone",
                "filter_customer_id": "filterCustomerId",
                "filter_group_by": "filterGroupBy",
                "advanced_meter_group_by_filters": "advancedMeterGroupByFilters",
                "group_by": "groupBy",
            },
        )
        answer: types.MeterQueryResult = self._send(
            Call(
                "GET",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}/query",
                query=encoded(
                    wire,
                    {
                        "subject": REPEATED,
                        "filterCustomerId": REPEATED,
                        "filterGroupBy": DEEP,
                        "advancedMeterGroupByFilters": JSON,
                        "groupBy": REPEATED,
                    },
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def update_json(
        self,
        meter_id_or_slug: str,
        meter: t.Union[types.MeterUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Meter:
        """Update meter.

        `PUT /api/v1/meters/{meterIdOrSlug}`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            meter: The fields of `MeterUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.1.
        """
        answer: types.Meter = self._send(
            Call(
                "PUT",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}",
                body=meter,
                timeout_s=request_timeout,
            )
        )
        return answer

    def delete(self, meter_id_or_slug: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete meter.

        `DELETE /api/v1/meters/{meterIdOrSlug}`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.1.
        """
        self._send(
            Call("DELETE", f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}", timeout_s=request_timeout)
        )

    def query(
        self,
        meter_id_or_slug: str,
        request: t.Union[types.MeterQueryRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.MeterQueryResult:
        """Query a meter, with the parameters in the body.

        `POST /api/v1/meters/{meterIdOrSlug}/query`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            request: The fields of `MeterQueryRequest`.
            request_timeout: Seconds for this call.

        Returns:
            `MeterQueryResult`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.2.
        """
        answer: types.MeterQueryResult = self._send(
            Call(
                "POST",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}/query",
                body=request,
                safe=True,
                timeout_s=request_timeout,
            )
        )
        return answer

    def query_csv(
        self,
        meter_id_or_slug: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        client_id: t.Optional[str] = None,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        window_size: t.Optional[types.WindowSize] = None,
        window_time_zone: t.Optional[str] = None,
        subject: t.Optional[Sequence[str]] = None,
        filter_customer_id: t.Optional[Sequence[str]] = None,
        filter_group_by: t.Optional[Mapping[str, t.Any]] = None,
        advanced_meter_group_by_filters: t.Optional[Mapping[str, t.Any]] = None,
        group_by: t.Optional[Sequence[str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> str:
        """Query a meter.

        `GET /api/v1/meters/{meterIdOrSlug}/query`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            client_id: `clientId` of the query.
            from_: `from` of the query.
            to: `to` of the query.
            window_size: `windowSize` of the query.
            window_time_zone: `windowTimeZone` of the query. "UTC" if not given.
            subject: `subject` of the query.
            filter_customer_id: `filterCustomerId` of the query.
            filter_group_by: `filterGroupBy` of the query.
            advanced_meter_group_by_filters: `advancedMeterGroupByFilters` of the query.
            group_by: `groupBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            The text.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.2.
        """
        wire = merged(
            params,
            {
                "clientId": client_id,
                "from": from_,
                "to": to,
                "windowSize": window_size,
                "windowTimeZone": window_time_zone,
                "subject": subject,
                "filterCustomerId": filter_customer_id,
                "filterGroupBy": filter_group_by,
                "advancedMeterGroupByFilters": advanced_meter_group_by_filters,
                "groupBy": group_by,
            },
            {
                "client_id": "clientId",
                "from_": "from",
                "window_size": "windowSize",
                "window_time_zone": "windowTimeZone",
                "filter_customer_id": "filterCustomerId",
                "filter_group_by": "filterGroupBy",
                "advanced_meter_group_by_filters": "advancedMeterGroupByFilters",
                "group_by": "groupBy",
            },
        )
        answer: str = self._send(
            Call(
                "GET",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}/query",
                query=encoded(
                    wire,
                    {
                        "subject": REPEATED,
                        "filterCustomerId": REPEATED,
                        "filterGroupBy": DEEP,
                        "advancedMeterGroupByFilters": JSON,
                        "groupBy": REPEATED,
                    },
                ),
                accept="text/csv",
                timeout_s=request_timeout,
            )
        )
        return answer

    def query_csv_post(
        self,
        meter_id_or_slug: str,
        request: t.Union[types.MeterQueryRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> str:
        """Query a meter, with the parameters in the body.

        `POST /api/v1/meters/{meterIdOrSlug}/query`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            request: The fields of `MeterQueryRequest`.
            request_timeout: Seconds for this call.

        Returns:
            The text.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.2.
        """
        answer: str = self._send(
            Call(
                "POST",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}/query",
                body=request,
                accept="text/csv",
                safe=True,
                timeout_s=request_timeout,
            )
        )
        return answer

    def list_subjects(
        self,
        meter_id_or_slug: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[t.Any]:
        """List meter subjects.

        `GET /api/v1/meters/{meterIdOrSlug}/subjects`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            from_: `from` of the query.
            to: `to` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `List[Any]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.2.
        """
        wire = merged(params, {"from": from_, "to": to}, {"from_": "from"})
        answer: t.List[t.Any] = self._send(
            Call(
                "GET",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}/subjects",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def list_group_by_values(
        self,
        meter_id_or_slug: str,
        group_by_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[t.Any]:
        """List meter group by values.

        `GET /api/v1/meters/{meterIdOrSlug}/group-by/{groupByKey}/values`

        Args:
            meter_id_or_slug: `meterIdOrSlug` of the path.
            group_by_key: `groupByKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            from_: `from` of the query.
            to: `to` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `List[Any]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 2.2.
        """
        wire = merged(params, {"from": from_, "to": to}, {"from_": "from"})
        answer: t.List[t.Any] = self._send(
            Call(
                "GET",
                f"/api/v1/meters/{segment(meter_id_or_slug, 'meter_id_or_slug')}/group-by/{segment(group_by_key, 'group_by_key')}/values",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer
