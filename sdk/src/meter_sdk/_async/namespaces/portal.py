"""The operations under `portal`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..._arguments import segment
from ..._call import Call
from ..._query import DEEP, JSON, REPEATED, encoded, merged
from ..operations import Operations

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class Portal(Operations):
    """The operations under `portal`."""

    async def create_token(
        self, body: t.Union[types.PortalToken, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.PortalToken:
        """Create portal token.

        `POST /api/v1/portal/tokens`

        Args:
            body: The fields of `PortalToken`.
            request_timeout: Seconds for this call.

        Returns:
            `PortalToken`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 9.1.
        """
        answer: types.PortalToken = await self._send(
            Call("POST", "/api/v1/portal/tokens", body=body, timeout_s=request_timeout)
        )
        return answer

    async def list_tokens(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        limit: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.PortalToken]:
        """List portal tokens.

        `GET /api/v1/portal/tokens`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            limit: `limit` of the query. 25 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `List[PortalToken]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 9.1.
        """
        wire = merged(params, {"limit": limit}, {})
        answer: t.List[types.PortalToken] = await self._send(
            Call("GET", "/api/v1/portal/tokens", query=encoded(wire, {}), timeout_s=request_timeout)
        )
        return answer

    async def invalidate_tokens(
        self, params: Mapping[str, t.Any], *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Invalidate portal tokens.

        `POST /api/v1/portal/tokens/invalidate`

        Args:
            params: The request.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 9.1.
        """
        await self._send(Call("POST", "/api/v1/portal/tokens/invalidate", body=params, timeout_s=request_timeout))

    async def query_json(
        self,
        meter_slug: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        client_id: t.Optional[str] = None,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        window_size: t.Optional[types.WindowSize] = None,
        window_time_zone: t.Optional[str] = None,
        filter_customer_id: t.Optional[Sequence[str]] = None,
        filter_group_by: t.Optional[Mapping[str, t.Any]] = None,
        advanced_meter_group_by_filters: t.Optional[Mapping[str, t.Any]] = None,
        group_by: t.Optional[Sequence[str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.MeterQueryResult:
        """Query a meter as the subject of a portal token.

        `GET /api/v1/portal/meters/{meterSlug}/query`

        Args:
            meter_slug: `meterSlug` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            client_id: `clientId` of the query.
            from_: `from` of the query.
            to: `to` of the query.
            window_size: `windowSize` of the query.
            window_time_zone: `windowTimeZone` of the query. "UTC" if not given.
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

        Reference: OpenMeter, section 9.1.
        """
        wire = merged(
            params,
            {
                "clientId": client_id,
                "from": from_,
                "to": to,
                "windowSize": window_size,
                "windowTimeZone": window_time_zone,
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
        answer: types.MeterQueryResult = await self._send(
            Call(
                "GET",
                f"/api/v1/portal/meters/{segment(meter_slug, 'meter_slug')}/query",
                query=encoded(
                    wire,
                    {
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

    async def query_csv(
        self,
        meter_slug: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        client_id: t.Optional[str] = None,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        window_size: t.Optional[types.WindowSize] = None,
        window_time_zone: t.Optional[str] = None,
        filter_customer_id: t.Optional[Sequence[str]] = None,
        filter_group_by: t.Optional[Mapping[str, t.Any]] = None,
        advanced_meter_group_by_filters: t.Optional[Mapping[str, t.Any]] = None,
        group_by: t.Optional[Sequence[str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> str:
        """Query a meter as the subject of a portal token.

        `GET /api/v1/portal/meters/{meterSlug}/query`

        Args:
            meter_slug: `meterSlug` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            client_id: `clientId` of the query.
            from_: `from` of the query.
            to: `to` of the query.
            window_size: `windowSize` of the query.
            window_time_zone: `windowTimeZone` of the query. "UTC" if not given.
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

        Reference: OpenMeter, section 9.1.
        """
        wire = merged(
            params,
            {
                "clientId": client_id,
                "from": from_,
                "to": to,
                "windowSize": window_size,
                "windowTimeZone": window_time_zone,
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
        answer: str = await self._send(
            Call(
                "GET",
                f"/api/v1/portal/meters/{segment(meter_slug, 'meter_slug')}/query",
                query=encoded(
                    wire,
                    {
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
