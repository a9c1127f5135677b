# Generated from _async by generate.py.
"""The operations under `polar`. Generated from the contract by `generate.py`."""

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
    from ...types import polar as types


class PolarCustomerMeters(Operations):
    """The operations under `polar.customer_meters`."""

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        organization_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        external_customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        meter_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        page: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        external_meter_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        sorting: t.Optional[Sequence[types.CustomerMeterSortProperty]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListResource_CustomerMeter:
        """List customer meters.

        `GET /v1/customer-meters/`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            organization_id: `organization_id` of the query.
            customer_id: `customer_id` of the query.
            external_customer_id: `external_customer_id` of the query.
            meter_id: `meter_id` of the query.
            page: `page` of the query. 1 if not given.
            limit: `limit` of the query. 10 if not given.
            external_meter_id: `external_meter_id` of the query.
            sorting: `sorting` of the query. ["-modified_at"] if not given.
            request_timeout: Seconds for this call.

        Returns:
            `ListResource_CustomerMeter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 10.
        """
        wire = merged(
            params,
            {
                "organization_id": organization_id,
                "customer_id": customer_id,
                "external_customer_id": external_customer_id,
                "meter_id": meter_id,
                "page": page,
                "limit": limit,
                "external_meter_id": external_meter_id,
                "sorting": sorting,
            },
            {},
        )
        answer: types.ListResource_CustomerMeter = self._send(
            Call(
                "GET",
                "/v1/customer-meters/",
                query=encoded(
                    wire,
                    {
                        "organization_id": REPEATED,
                        "customer_id": REPEATED,
                        "external_customer_id": REPEATED,
                        "meter_id": REPEATED,
                        "external_meter_id": REPEATED,
                        "sorting": REPEATED,
                    },
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.CustomerMeter]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: Polar, section 10.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "limit": size}
            return self.list(params, **options)

        return by_number(fetch, size)

    def credits(
        self, body: Mapping[str, t.Any], *, request_timeout: t.Optional[float] = None
    ) -> types.MeterCreditEvent:
        """Credit units to a customer's meter.

        `POST /v1/customer-meters/credits`

        Args:
            body: The request.
            request_timeout: Seconds for this call.

        Returns:
            `MeterCreditEvent`.

        Raises:
            PermissionDeniedError: The key may not do this.
            ConflictError: Another object is in the way.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 10.
        """
        answer: types.MeterCreditEvent = self._send(
            Call("POST", "/v1/customer-meters/credits", body=body, timeout_s=request_timeout)
        )
        return answer

    def reverse_credit(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.MeterCreditEvent:
        """Take a credit back.

        `POST /v1/customer-meters/credits/{id}/reverse`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `MeterCreditEvent`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: Another object is in the way.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 10.
        """
        answer: types.MeterCreditEvent = self._send(
            Call("POST", f"/v1/customer-meters/credits/{segment(id, 'id')}/reverse", timeout_s=request_timeout)
        )
        return answer

    def get(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.CustomerMeter:
        """Get a customer meter.

        `GET /v1/customer-meters/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `CustomerMeter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 10.
        """
        answer: types.CustomerMeter = self._send(
            Call("GET", f"/v1/customer-meters/{segment(id, 'id')}", timeout_s=request_timeout)
        )
        return answer


class PolarCustomers(Operations):
    """The operations under `polar.customers`."""

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        organization_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        email: t.Optional[str] = None,
        query: t.Optional[str] = None,
        active: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        sorting: t.Optional[Sequence[types.CustomerSortProperty]] = None,
        metadata: t.Optional[Mapping[str, t.Any]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListResource_Customer:
        """List customers.

        `GET /v1/customers/`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            organization_id: `organization_id` of the query.
            email: `email` of the query.
            query: `query` of the query.
            active: `active` of the query.
            page: `page` of the query. 1 if not given.
            limit: `limit` of the query. 10 if not given.
            sorting: `sorting` of the query. ["-created_at"] if not given.
            metadata: `metadata` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `ListResource_Customer`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        wire = merged(
            params,
            {
                "organization_id": organization_id,
                "email": email,
                "query": query,
                "active": active,
                "page": page,
                "limit": limit,
                "sorting": sorting,
                "metadata": metadata,
            },
            {},
        )
        answer: types.ListResource_Customer = self._send(
            Call(
                "GET",
                "/v1/customers/",
                query=encoded(wire, {"organization_id": REPEATED, "sorting": REPEATED, "metadata": DEEP}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.Customer]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: Polar, section 11.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "limit": size}
            return self.list(params, **options)

        return by_number(fetch, size)

    def create(
        self, body: t.Union[types.CustomerCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Customer:
        """Create a customer.

        `POST /v1/customers/`

        Args:
            body: The fields of `CustomerCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.Customer = self._send(Call("POST", "/v1/customers/", body=body, timeout_s=request_timeout))
        return answer

    def get_external(self, external_id: str, *, request_timeout: t.Optional[float] = None) -> types.Customer:
        """Get a customer by external id.

        `GET /v1/customers/external/{external_id}`

        Args:
            external_id: `external_id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.Customer = self._send(
            Call("GET", f"/v1/customers/external/{segment(external_id, 'external_id')}", timeout_s=request_timeout)
        )
        return answer

    def update_external(
        self,
        external_id: str,
        body: t.Union[types.CustomerUpdateExternalID, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Customer:
        """Update a customer by external id.

        `PATCH /v1/customers/external/{external_id}`

        Args:
            external_id: `external_id` of the path.
            body: The fields of `CustomerUpdateExternalID`.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.Customer = self._send(
            Call(
                "PATCH",
                f"/v1/customers/external/{segment(external_id, 'external_id')}",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    def delete_external(
        self,
        external_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        anonymize: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Delete a customer by external id.

        `DELETE /v1/customers/external/{external_id}`

        Args:
            external_id: `external_id` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            anonymize: `anonymize` of the query. false if not given.
            request_timeout: Seconds for this call.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        wire = merged(params, {"anonymize": anonymize}, {})
        self._send(
            Call(
                "DELETE",
                f"/v1/customers/external/{segment(external_id, 'external_id')}",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )

    def get_state_external(self, external_id: str, *, request_timeout: t.Optional[float] = None) -> types.CustomerState:
        """Get a customer by external id, with meters and benefits.

        `GET /v1/customers/external/{external_id}/state`

        Args:
            external_id: `external_id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `CustomerState`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.CustomerState = self._send(
            Call(
                "GET", f"/v1/customers/external/{segment(external_id, 'external_id')}/state", timeout_s=request_timeout
            )
        )
        return answer

    def get(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Customer:
        """Get a customer.

        `GET /v1/customers/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.Customer = self._send(
            Call("GET", f"/v1/customers/{segment(id, 'id')}", timeout_s=request_timeout)
        )
        return answer

    def update(
        self,
        id: str,
        body: t.Union[types.CustomerUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Customer:
        """Update a customer.

        `PATCH /v1/customers/{id}`

        Args:
            id: `id` of the path.
            body: The fields of `CustomerUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.Customer = self._send(
            Call("PATCH", f"/v1/customers/{segment(id, 'id')}", body=body, timeout_s=request_timeout)
        )
        return answer

    def delete(
        self,
        id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        anonymize: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Delete a customer.

        `DELETE /v1/customers/{id}`

        Args:
            id: `id` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            anonymize: `anonymize` of the query. false if not given.
            request_timeout: Seconds for this call.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        wire = merged(params, {"anonymize": anonymize}, {})
        self._send(
            Call("DELETE", f"/v1/customers/{segment(id, 'id')}", query=encoded(wire, {}), timeout_s=request_timeout)
        )

    def get_state(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.CustomerState:
        """Get a customer with meters and benefits.

        `GET /v1/customers/{id}/state`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `CustomerState`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 11.
        """
        answer: types.CustomerState = self._send(
            Call("GET", f"/v1/customers/{segment(id, 'id')}/state", timeout_s=request_timeout)
        )
        return answer


class PolarEvents(Operations):
    """The operations under `polar.events`."""

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        filter: t.Optional[str] = None,
        start_timestamp: t.Optional[t.Union[datetime, str]] = None,
        end_timestamp: t.Optional[t.Union[datetime, str]] = None,
        organization_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        external_customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        meter_id: t.Optional[str] = None,
        name: t.Optional[t.Union[str, Sequence[str]]] = None,
        source: t.Optional[t.Union[types.EventSource, Sequence[types.EventSource]]] = None,
        query: t.Optional[str] = None,
        parent_id: t.Optional[str] = None,
        depth: t.Optional[int] = None,
        page: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        sorting: t.Optional[Sequence[types.EventSortProperty]] = None,
        metadata: t.Optional[Mapping[str, t.Any]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.Union[types.ListResource_Event, types.ListResourceWithCursorPagination_Event]:
        """List events.

        `GET /v1/events/`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            filter: `filter` of the query.
            start_timestamp: `start_timestamp` of the query.
            end_timestamp: `end_timestamp` of the query.
            organization_id: `organization_id` of the query.
            customer_id: `customer_id` of the query.
            external_customer_id: `external_customer_id` of the query.
            meter_id: `meter_id` of the query.
            name: `name` of the query.
            source: `source` of the query.
            query: `query` of the query.
            parent_id: `parent_id` of the query.
            depth: `depth` of the query.
            page: `page` of the query. 1 if not given.
            limit: `limit` of the query. 10 if not given.
            sorting: `sorting` of the query. ["-timestamp"] if not given.
            metadata: `metadata` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `Union[ListResource_Event, ListResourceWithCursorPagination_Event]`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 9.
        """
        wire = merged(
            params,
            {
                "filter": filter,
                "start_timestamp": start_timestamp,
                "end_timestamp": end_timestamp,
                "organization_id": organization_id,
                "customer_id": customer_id,
                "external_customer_id": external_customer_id,
                "meter_id": meter_id,
                "name": name,
                "source": source,
                "query": query,
                "parent_id": parent_id,
                "depth": depth,
                "page": page,
                "limit": limit,
                "sorting": sorting,
                "metadata": metadata,
            },
            {},
        )
        answer: t.Union[types.ListResource_Event, types.ListResourceWithCursorPagination_Event] = self._send(
            Call(
                "GET",
                "/v1/events/",
                query=encoded(
                    wire,
                    {
                        "filter": JSON,
                        "organization_id": REPEATED,
                        "customer_id": REPEATED,
                        "external_customer_id": REPEATED,
                        "name": REPEATED,
                        "source": REPEATED,
                        "sorting": REPEATED,
                        "metadata": DEEP,
                    },
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.Event]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: Polar, section 9.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "limit": size}
            return self.list(params, **options)

        return by_number(fetch, size)

    def ingest(
        self, body: t.Union[types.EventsIngest, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.EventsIngestResponse:
        """Send usage events. Repeats of the same external id count once.

        `POST /v1/events/ingest`

        Args:
            body: The fields of `EventsIngest`.
            request_timeout: Seconds for this call.

        Returns:
            `EventsIngestResponse`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 8.
        """
        answer: types.EventsIngestResponse = self._send(
            Call("POST", "/v1/events/ingest", body=body, timeout_s=request_timeout)
        )
        return answer

    def list_names(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        organization_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        external_customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        source: t.Optional[t.Union[types.EventSource, Sequence[types.EventSource]]] = None,
        query: t.Optional[str] = None,
        page: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        sorting: t.Optional[Sequence[types.EventNamesSortProperty]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListResource_EventName:
        """List event names with their counts.

        `GET /v1/events/names`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            organization_id: `organization_id` of the query.
            customer_id: `customer_id` of the query.
            external_customer_id: `external_customer_id` of the query.
            source: `source` of the query.
            query: `query` of the query.
            page: `page` of the query. 1 if not given.
            limit: `limit` of the query. 10 if not given.
            sorting: `sorting` of the query. ["-last_seen"] if not given.
            request_timeout: Seconds for this call.

        Returns:
            `ListResource_EventName`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 9.
        """
        wire = merged(
            params,
            {
                "organization_id": organization_id,
                "customer_id": customer_id,
                "external_customer_id": external_customer_id,
                "source": source,
                "query": query,
                "page": page,
                "limit": limit,
                "sorting": sorting,
            },
            {},
        )
        answer: types.ListResource_EventName = self._send(
            Call(
                "GET",
                "/v1/events/names",
                query=encoded(
                    wire,
                    {
                        "organization_id": REPEATED,
                        "customer_id": REPEATED,
                        "external_customer_id": REPEATED,
                        "source": REPEATED,
                        "sorting": REPEATED,
                    },
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_names(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.EventName]:
        """Walk through all pages of `list_names`, with its parameters, `page_size` at a time.

        Reference: Polar, section 9.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "limit": size}
            return self.list_names(params, **options)

        return by_number(fetch, size)

    def get(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Event:
        """Get an event.

        `GET /v1/events/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Event`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 9.
        """
        answer: types.Event = self._send(Call("GET", f"/v1/events/{segment(id, 'id')}", timeout_s=request_timeout))
        return answer


class PolarMeters(Operations):
    """The operations under `polar.meters`."""

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        organization_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        query: t.Optional[str] = None,
        is_archived: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        sorting: t.Optional[Sequence[types.MeterSortProperty]] = None,
        external_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        metadata: t.Optional[Mapping[str, t.Any]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListResource_Meter:
        """List meters.

        `GET /v1/meters/`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            organization_id: `organization_id` of the query.
            query: `query` of the query.
            is_archived: `is_archived` of the query.
            page: `page` of the query. 1 if not given.
            limit: `limit` of the query. 10 if not given.
            sorting: `sorting` of the query. ["name"] if not given.
            external_id: `external_id` of the query.
            metadata: `metadata` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `ListResource_Meter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 4.
        """
        wire = merged(
            params,
            {
                "organization_id": organization_id,
                "query": query,
                "is_archived": is_archived,
                "page": page,
                "limit": limit,
                "sorting": sorting,
                "external_id": external_id,
                "metadata": metadata,
            },
            {},
        )
        answer: types.ListResource_Meter = self._send(
            Call(
                "GET",
                "/v1/meters/",
                query=encoded(
                    wire, {"organization_id": REPEATED, "sorting": REPEATED, "external_id": REPEATED, "metadata": DEEP}
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.Meter]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: Polar, section 4.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "limit": size}
            return self.list(params, **options)

        return by_number(fetch, size)

    def create(
        self, body: t.Union[types.MeterCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Meter:
        """Create a meter.

        `POST /v1/meters/`

        Args:
            body: The fields of `MeterCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 4.
        """
        answer: types.Meter = self._send(Call("POST", "/v1/meters/", body=body, timeout_s=request_timeout))
        return answer

    def get_external(self, external_id: str, *, request_timeout: t.Optional[float] = None) -> types.Meter:
        """Get a meter by external id.

        `GET /v1/meters/external/{external_id}`

        Args:
            external_id: `external_id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: Another object is in the way.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 4.
        """
        answer: types.Meter = self._send(
            Call("GET", f"/v1/meters/external/{segment(external_id, 'external_id')}", timeout_s=request_timeout)
        )
        return answer

    def get(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Meter:
        """Get a meter.

        `GET /v1/meters/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 4.
        """
        answer: types.Meter = self._send(Call("GET", f"/v1/meters/{segment(id, 'id')}", timeout_s=request_timeout))
        return answer

    def update(
        self,
        id: str,
        body: t.Union[types.MeterUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Meter:
        """Update a meter.

        `PATCH /v1/meters/{id}`

        Args:
            id: `id` of the path.
            body: The fields of `MeterUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Meter`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 4.
        """
        answer: types.Meter = self._send(
            Call("PATCH", f"/v1/meters/{segment(id, 'id')}", body=body, timeout_s=request_timeout)
        )
        return answer

    def events(
        self,
        id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListResource_Event:
        """List the events that a meter counts.

        `GET /v1/meters/{id}/events`

        Args:
            id: `id` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            page: `page` of the query. 1 if not given.
            limit: `limit` of the query. 10 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `ListResource_Event`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 4.5.
        """
        wire = merged(params, {"page": page, "limit": limit}, {})
        answer: types.ListResource_Event = self._send(
            Call("GET", f"/v1/meters/{segment(id, 'id')}/events", query=encoded(wire, {}), timeout_s=request_timeout)
        )
        return answer

    def iter_events(
        self, id: str, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.Event]:
        """Walk through all pages of `events`, with its parameters, `page_size` at a time.

        Reference: Polar, section 4.5.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "limit": size}
            return self.events(id, params, **options)

        return by_number(fetch, size)

    def quantities(
        self,
        id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        start_timestamp: t.Optional[t.Union[datetime, str]] = None,
        end_timestamp: t.Optional[t.Union[datetime, str]] = None,
        interval: t.Optional[types.TimeInterval] = None,
        timezone: t.Optional[str] = None,
        customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        external_customer_id: t.Optional[t.Union[str, Sequence[str]]] = None,
        customer_aggregation_function: t.Optional[types.AggregationFunction] = None,
        metadata: t.Optional[Mapping[str, t.Any]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.MeterQuantities:
        """Get a meter's quantities over time.

        `GET /v1/meters/{id}/quantities`

        Args:
            id: `id` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            start_timestamp: `start_timestamp` of the query. Required.
            end_timestamp: `end_timestamp` of the query. Required.
            interval: `interval` of the query. Required.
            timezone: `timezone` of the query. "UTC" if not given.
            customer_id: `customer_id` of the query.
            external_customer_id: `external_customer_id` of the query.
            customer_aggregation_function: `customer_aggregation_function` of the query.
            metadata: `metadata` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `MeterQuantities`.

        Raises:
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            InvalidRequestError: A parameter or the body is malformed.
            NotSupportedError: The server does not have this operation yet.

        Reference: Polar, section 7.
        """
        wire = merged(
            params,
            {
                "start_timestamp": start_timestamp,
                "end_timestamp": end_timestamp,
                "interval": interval,
                "timezone": timezone,
                "customer_id": customer_id,
                "external_customer_id": external_customer_id,
                "customer_aggregation_function": customer_aggregation_function,
                "metadata": metadata,
            },
            {},
        )
        answer: types.MeterQuantities = self._send(
            Call(
                "GET",
                f"/v1/meters/{segment(id, 'id')}/quantities",
                query=encoded(wire, {"customer_id": REPEATED, "external_customer_id": REPEATED, "metadata": DEEP}),
                timeout_s=request_timeout,
            )
        )
        return answer


class Polar(Operations):
    """The operations under `polar`."""

    @property
    def customer_meters(self) -> PolarCustomerMeters:
        """The operations under `polar.customer_meters`."""
        return PolarCustomerMeters(self._transport)

    @property
    def customers(self) -> PolarCustomers:
        """The operations under `polar.customers`."""
        return PolarCustomers(self._transport)

    @property
    def events(self) -> PolarEvents:
        """The operations under `polar.events`."""
        return PolarEvents(self._transport)

    @property
    def meters(self) -> PolarMeters:
        """The operations under `polar.meters`."""
        return PolarMeters(self._transport)
