"""The operations under `customer`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from ..._arguments import segment
from ..._call import Call
from ..._query import REPEATED, encoded, merged
from ..operations import Operations
from ..pages import by_number, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class CustomerApps(Operations):
    """The operations under `customer.customer_apps`."""

    async def upsert_app_data(
        self,
        customer_id_or_key: str,
        app_data: Sequence[t.Union[types.CustomerAppDataCreateOrUpdateItem, Mapping[str, t.Any]]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.CustomerAppData]:
        """Upsert customer app data.

        `PUT /api/v1/customers/{customerIdOrKey}/apps`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            app_data: The request.
            request_timeout: Seconds for this call.

        Returns:
            `List[CustomerAppData]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: t.List[types.CustomerAppData] = await self._send(
            Call(
                "PUT",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/apps",
                body=app_data,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_app_data(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        type: t.Optional[types.AppType] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.CustomerAppDataPaginatedResponse:
        """List customer app data.

        `GET /api/v1/customers/{customerIdOrKey}/apps`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            type: `type` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `CustomerAppDataPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        wire = merged(params, {"page": page, "pageSize": page_size, "type": type}, {"page_size": "pageSize"})
        answer: types.CustomerAppDataPaginatedResponse = await self._send(
            Call(
                "GET",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/apps",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_app_data(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page_size: int = 100,
        **filters: t.Any,
    ) -> AsyncIterator[types.CustomerAppData]:
        """Walk through all pages of `list_app_data`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 7.9.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_app_data(customer_id_or_key, params, **options)

        return by_number(fetch, size)

    async def delete_app_data(
        self, customer_id_or_key: str, app_id: str, *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Delete customer app data.

        `DELETE /api/v1/customers/{customerIdOrKey}/apps/{appId}`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            app_id: `appId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/apps/{segment(app_id, 'app_id')}",
                timeout_s=request_timeout,
            )
        )


class CustomerStripe(Operations):
    """The operations under `customer.customer_stripe`."""

    async def upsert_stripe_customer(
        self,
        customer_id_or_key: str,
        data: t.Union[types.StripeCustomerAppDataBase, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.StripeCustomerAppData:
        """Upsert customer stripe app data.

        `PUT /api/v1/customers/{customerIdOrKey}/stripe`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            data: The fields of `StripeCustomerAppDataBase`.
            request_timeout: Seconds for this call.

        Returns:
            `StripeCustomerAppData`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.StripeCustomerAppData = await self._send(
            Call(
                "PUT",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/stripe",
                body=data,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_stripe_customer(
        self, customer_id_or_key: str, *, request_timeout: t.Optional[float] = None
    ) -> types.StripeCustomerAppData:
        """Get customer stripe app data.

        `GET /api/v1/customers/{customerIdOrKey}/stripe`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `StripeCustomerAppData`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.StripeCustomerAppData = await self._send(
            Call(
                "GET",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/stripe",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def create_customer_portal_session(
        self,
        customer_id_or_key: str,
        params: t.Union[types.CreateStripeCustomerPortalSessionParams, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.StripeCustomerPortalSession:
        """Create customer stripe portal session.

        `POST /api/v1/customers/{customerIdOrKey}/stripe/portal`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            params: The fields of `CreateStripeCustomerPortalSessionParams`.
            request_timeout: Seconds for this call.

        Returns:
            `StripeCustomerPortalSession`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.StripeCustomerPortalSession = await self._send(
            Call(
                "POST",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/stripe/portal",
                body=params,
                timeout_s=request_timeout,
            )
        )
        return answer


class Customer(Operations):
    """The operations under `customer`."""

    @property
    def customer_apps(self) -> CustomerApps:
        """The operations under `customer.customer_apps`."""
        return CustomerApps(self._transport)

    @property
    def customer_stripe(self) -> CustomerStripe:
        """The operations under `customer.customer_stripe`."""
        return CustomerStripe(self._transport)

    async def create(
        self, customer: t.Union[types.CustomerCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Customer:
        """Create customer.

        `POST /api/v1/customers`

        Args:
            customer: The fields of `CustomerCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.2.
        """
        answer: types.Customer = await self._send(
            Call("POST", "/api/v1/customers", body=customer, timeout_s=request_timeout)
        )
        return answer

    async def get(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        expand: t.Optional[Sequence[types.CustomerExpand]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.Customer:
        """Get customer.

        `GET /api/v1/customers/{customerIdOrKey}`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            expand: `expand` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.2.
        """
        wire = merged(params, {"expand": expand}, {})
        answer: types.Customer = await self._send(
            Call(
                "GET",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}",
                query=encoded(wire, {"expand": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.CustomerOrderBy] = None,
        include_deleted: t.Optional[bool] = None,
        key: t.Optional[str] = None,
        name: t.Optional[str] = None,
        primary_email: t.Optional[str] = None,
        subject: t.Optional[str] = None,
        plan_key: t.Optional[str] = None,
        expand: t.Optional[Sequence[types.CustomerExpand]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.CustomerPaginatedResponse:
        """List customers.

        `GET /api/v1/customers`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            include_deleted: `includeDeleted` of the query. false if not given.
            key: `key` of the query.
            name: `name` of the query.
            primary_email: `primaryEmail` of the query.
            subject: `subject` of the query.
            plan_key: `planKey` of the query.
            expand: `expand` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `CustomerPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.2.
        """
        wire = merged(
            params,
            {
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
                "includeDeleted": include_deleted,
                "key": key,
                "name": name,
                "primaryEmail": primary_email,
                "subject": subject,
                "planKey": plan_key,
                "expand": expand,
            },
            {
                "page_size": "pageSize",
                "order_by": "orderBy",
                "include_deleted": "includeDeleted",
                "primary_email": "primaryEmail",
                "plan_key": "planKey",
            },
        )
        answer: types.CustomerPaginatedResponse = await self._send(
            Call("GET", "/api/v1/customers", query=encoded(wire, {"expand": REPEATED}), timeout_s=request_timeout)
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.Customer]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 3.2.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list(params, **options)

        return by_number(fetch, size)

    async def update(
        self,
        customer_id_or_key: str,
        customer: t.Union[types.CustomerReplaceUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Customer:
        """Update customer.

        `PUT /api/v1/customers/{customerIdOrKey}`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            customer: The fields of `CustomerReplaceUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Customer`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.2.
        """
        answer: types.Customer = await self._send(
            Call(
                "PUT",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}",
                body=customer,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def delete(self, customer_id_or_key: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete customer.

        `DELETE /api/v1/customers/{customerIdOrKey}`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.2.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}",
                timeout_s=request_timeout,
            )
        )

    async def list_customer_subscriptions(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        status: t.Optional[Sequence[types.SubscriptionStatus]] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.CustomerSubscriptionOrderBy] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.SubscriptionPaginatedResponse:
        """List customer subscriptions.

        `GET /api/v1/customers/{customerIdOrKey}/subscriptions`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            status: `status` of the query.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.
        """
        wire = merged(
            params,
            {"status": status, "order": order, "orderBy": order_by, "page": page, "pageSize": page_size},
            {"order_by": "orderBy", "page_size": "pageSize"},
        )
        answer: types.SubscriptionPaginatedResponse = await self._send(
            Call(
                "GET",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/subscriptions",
                query=encoded(wire, {"status": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_customer_subscriptions(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page_size: int = 100,
        **filters: t.Any,
    ) -> AsyncIterator[types.Subscription]:
        """Walk through all pages of `list_customer_subscriptions`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 6.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_customer_subscriptions(customer_id_or_key, params, **options)

        return by_number(fetch, size)

    async def get_customer_access(
        self, customer_id_or_key: str, *, request_timeout: t.Optional[float] = None
    ) -> types.CustomerAccess:
        """Get customer access.

        `GET /api/v1/customers/{customerIdOrKey}/access`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `CustomerAccess`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.3.
        """
        answer: types.CustomerAccess = await self._send(
            Call(
                "GET",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/access",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_customer_entitlement_value(
        self,
        customer_id_or_key: str,
        feature_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        time: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementValue:
        """Get customer entitlement value.

        `GET /api/v1/customers/{customerIdOrKey}/entitlements/{featureKey}/value`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            feature_key: `featureKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            time: `time` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementValue`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        wire = merged(params, {"time": time}, {})
        answer: types.EntitlementValue = await self._send(
            Call(
                "GET",
                f"/api/v1/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(feature_key, 'feature_key')}/value",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer
