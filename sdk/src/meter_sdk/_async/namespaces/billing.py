"""The operations under `billing`. Generated from the contract by `generate.py`."""

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


class Billing(Operations):
    """The operations under `billing`."""

    async def create_billing_profile(
        self,
        profile: t.Union[types.BillingProfileCreate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfile:
        """Create billing profile.

        `POST /api/v1/billing/profiles`

        Args:
            profile: The fields of `BillingProfileCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfile`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        answer: types.BillingProfile = await self._send(
            Call("POST", "/api/v1/billing/profiles", body=profile, timeout_s=request_timeout)
        )
        return answer

    async def get_billing_profile(
        self,
        id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        expand: t.Optional[Sequence[types.BillingProfileExpand]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfile:
        """Get billing profile.

        `GET /api/v1/billing/profiles/{id}`

        Args:
            id: `id` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            expand: `expand` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfile`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        wire = merged(params, {"expand": expand}, {})
        answer: types.BillingProfile = await self._send(
            Call(
                "GET",
                f"/api/v1/billing/profiles/{segment(id, 'id')}",
                query=encoded(wire, {"expand": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_billing_profiles(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_archived: t.Optional[bool] = None,
        expand: t.Optional[Sequence[types.BillingProfileExpand]] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.BillingProfileOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfilePaginatedResponse:
        """List billing profiles.

        `GET /api/v1/billing/profiles`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            include_archived: `includeArchived` of the query. false if not given.
            expand: `expand` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfilePaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        wire = merged(
            params,
            {
                "includeArchived": include_archived,
                "expand": expand,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {"include_archived": "includeArchived", "page_size": "pageSize", "order_by": "orderBy"},
        )
        answer: types.BillingProfilePaginatedResponse = await self._send(
            Call(
                "GET", "/api/v1/billing/profiles", query=encoded(wire, {"expand": REPEATED}), timeout_s=request_timeout
            )
        )
        return answer

    def iter_billing_profiles(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.BillingProfile]:
        """Walk through all pages of `list_billing_profiles`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 7.1.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_billing_profiles(params, **options)

        return by_number(fetch, size)

    async def update_billing_profile(
        self,
        id: str,
        profile: t.Union[types.BillingProfileReplaceUpdateWithWorkflow, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfile:
        """Update billing profile.

        `PUT /api/v1/billing/profiles/{id}`

        Args:
            id: `id` of the path.
            profile: The fields of `BillingProfileReplaceUpdateWithWorkflow`.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfile`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        answer: types.BillingProfile = await self._send(
            Call("PUT", f"/api/v1/billing/profiles/{segment(id, 'id')}", body=profile, timeout_s=request_timeout)
        )
        return answer

    async def delete_billing_profile(self, id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete billing profile.

        `DELETE /api/v1/billing/profiles/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        await self._send(Call("DELETE", f"/api/v1/billing/profiles/{segment(id, 'id')}", timeout_s=request_timeout))

    async def list_invoices(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        statuses: t.Optional[Sequence[types.InvoiceStatus]] = None,
        extended_statuses: t.Optional[Sequence[str]] = None,
        issued_after: t.Optional[t.Union[datetime, str]] = None,
        issued_before: t.Optional[t.Union[datetime, str]] = None,
        period_start_after: t.Optional[t.Union[datetime, str]] = None,
        period_start_before: t.Optional[t.Union[datetime, str]] = None,
        created_after: t.Optional[t.Union[datetime, str]] = None,
        created_before: t.Optional[t.Union[datetime, str]] = None,
        expand: t.Optional[Sequence[types.InvoiceExpand]] = None,
        customers: t.Optional[Sequence[str]] = None,
        include_deleted: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.InvoiceOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.InvoicePaginatedResponse:
        """List invoices.

        `GET /api/v1/billing/invoices`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            statuses: `statuses` of the query.
            extended_statuses: `extendedStatuses` of the query.
            issued_after: `issuedAfter` of the query.
            issued_before: `issuedBefore` of the query.
            period_start_after: `periodStartAfter` of the query.
            period_start_before: `periodStartBefore` of the query.
            created_after: `createdAfter` of the query.
            created_before: `createdBefore` of the query.
            expand: `expand` of the query.
            customers: `customers` of the query.
            include_deleted: `includeDeleted` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `InvoicePaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        wire = merged(
            params,
            {
                "statuses": statuses,
                "extendedStatuses": extended_statuses,
                "issuedAfter": issued_after,
                "issuedBefore": issued_before,
                "periodStartAfter": period_start_after,
                "periodStartBefore": period_start_before,
                "createdAfter": created_after,
                "createdBefore": created_before,
                "expand": expand,
                "customers": customers,
                "includeDeleted": include_deleted,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {
                "extended_statuses": "extendedStatuses",
                "issued_after": "issuedAfter",
                "issued_before": "issuedBefore",
                "period_start_after": "periodStartAfter",
                "period_start_before": "periodStartBefore",
                "created_after": "createdAfter",
                "created_before": "createdBefore",
                "include_deleted": "includeDeleted",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.InvoicePaginatedResponse = await self._send(
            Call(
                "GET",
                "/api/v1/billing/invoices",
                query=encoded(
                    wire,
                    {"statuses": REPEATED, "extendedStatuses": REPEATED, "expand": REPEATED, "customers": REPEATED},
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_invoices(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.Invoice]:
        """Walk through all pages of `list_invoices`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_invoices(params, **options)

        return by_number(fetch, size)

    async def get_invoice(
        self,
        id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        expand: t.Optional[Sequence[types.InvoiceExpand]] = None,
        include_deleted_lines: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.Invoice:
        """Get invoice.

        `GET /api/v1/billing/invoices/{invoiceId}`

        Args:
            id: `invoiceId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            expand: `expand` of the query. ["lines"] if not given.
            include_deleted_lines: `includeDeletedLines` of the query. false if not given.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        wire = merged(
            params,
            {"expand": expand, "includeDeletedLines": include_deleted_lines},
            {"include_deleted_lines": "includeDeletedLines"},
        )
        answer: types.Invoice = await self._send(
            Call(
                "GET",
                f"/api/v1/billing/invoices/{segment(id, 'id')}",
                query=encoded(wire, {"expand": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def update_invoice(
        self,
        id: str,
        invoice: t.Union[types.InvoiceReplaceUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Invoice:
        """Update invoice.

        `PUT /api/v1/billing/invoices/{invoiceId}`

        Args:
            id: `invoiceId` of the path.
            invoice: The fields of `InvoiceReplaceUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call("PUT", f"/api/v1/billing/invoices/{segment(id, 'id')}", body=invoice, timeout_s=request_timeout)
        )
        return answer

    async def delete_invoice(self, id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete invoice.

        `DELETE /api/v1/billing/invoices/{invoiceId}`

        Args:
            id: `invoiceId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        await self._send(Call("DELETE", f"/api/v1/billing/invoices/{segment(id, 'id')}", timeout_s=request_timeout))

    async def advance_invoice(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Invoice:
        """Advance invoice.

        `POST /api/v1/billing/invoices/{invoiceId}/advance`

        Args:
            id: `invoiceId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call("POST", f"/api/v1/billing/invoices/{segment(id, 'id')}/advance", timeout_s=request_timeout)
        )
        return answer

    async def approve_invoice(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Invoice:
        """Approve invoice.

        `POST /api/v1/billing/invoices/{invoiceId}/approve`

        Args:
            id: `invoiceId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.Invoice = await self._send(
            Call("POST", f"/api/v1/billing/invoices/{segment(id, 'id')}/approve", timeout_s=request_timeout)
        )
        return answer

    async def retry_invoice(
        self, id: str, body: t.Optional[Mapping[str, t.Any]] = None, *, request_timeout: t.Optional[float] = None
    ) -> types.Invoice:
        """Retry invoice.

        `POST /api/v1/billing/invoices/{invoiceId}/retry`

        Args:
            id: `invoiceId` of the path.
            body: Not used; the operation takes none.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call("POST", f"/api/v1/billing/invoices/{segment(id, 'id')}/retry", timeout_s=request_timeout)
        )
        return answer

    async def void_invoice(
        self,
        id: str,
        body: t.Optional[t.Union[types.VoidInvoiceActionInput, Mapping[str, t.Any]]] = None,
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Invoice:
        """Void invoice.

        `POST /api/v1/billing/invoices/{invoiceId}/void`

        Args:
            id: `invoiceId` of the path.
            body: The fields of `VoidInvoiceActionInput`.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call("POST", f"/api/v1/billing/invoices/{segment(id, 'id')}/void", body=body, timeout_s=request_timeout)
        )
        return answer

    async def recalculate_invoice_tax(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Invoice:
        """Recalculate invoice tax.

        `POST /api/v1/billing/invoices/{invoiceId}/taxes/recalculate`

        Args:
            id: `invoiceId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call("POST", f"/api/v1/billing/invoices/{segment(id, 'id')}/taxes/recalculate", timeout_s=request_timeout)
        )
        return answer

    async def simulate_invoice(
        self,
        customer_id: str,
        params: t.Union[types.InvoiceSimulationInput, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Invoice:
        """Simulate invoice.

        `POST /api/v1/billing/customers/{customerId}/invoices/simulate`

        Args:
            customer_id: `customerId` of the path.
            params: The fields of `InvoiceSimulationInput`.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call(
                "POST",
                f"/api/v1/billing/customers/{segment(customer_id, 'customer_id')}/invoices/simulate",
                body=params,
                safe=True,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def create_invoice_line_items(
        self,
        customer_id: str,
        body: t.Union[types.InvoicePendingLineCreateInput, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.InvoicePendingLineCreateResponse:
        """Create pending invoice line.

        `POST /api/v1/billing/customers/{customerId}/invoices/pending-lines`

        Args:
            customer_id: `customerId` of the path.
            body: The fields of `InvoicePendingLineCreateInput`.
            request_timeout: Seconds for this call.

        Returns:
            `InvoicePendingLineCreateResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.2 and 7.3.
        """
        answer: types.InvoicePendingLineCreateResponse = await self._send(
            Call(
                "POST",
                f"/api/v1/billing/customers/{segment(customer_id, 'customer_id')}/invoices/pending-lines",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def invoice_pending_lines(
        self,
        customer_id: str,
        body: t.Optional[Mapping[str, t.Any]] = None,
        *,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.Invoice]:
        """Invoice a customer's pending lines.

        `POST /api/v1/billing/invoices/invoice`

        Args:
            customer_id: Whose lines to invoice.
            body: Further fields of the request.
            request_timeout: Seconds for this call.

        Returns:
            `List[Invoice]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.2 and 7.3.
        """
        segment(customer_id, "customer_id")
        answer: t.List[types.Invoice] = await self._send(
            Call(
                "POST",
                "/api/v1/billing/invoices/invoice",
                body={**(body or {}), "customerId": customer_id},
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_customer_overrides(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        billing_profile: t.Optional[Sequence[str]] = None,
        customers_without_pinned_profile: t.Optional[bool] = None,
        include_all_customers: t.Optional[bool] = None,
        customer_id: t.Optional[Sequence[str]] = None,
        customer_name: t.Optional[str] = None,
        customer_key: t.Optional[str] = None,
        customer_primary_email: t.Optional[str] = None,
        expand: t.Optional[Sequence[types.BillingProfileCustomerOverrideExpand]] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.BillingProfileCustomerOverrideOrderBy] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfileCustomerOverrideWithDetailsPaginatedResponse:
        """List billing profile customer overrides.

        `GET /api/v1/billing/customers`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            billing_profile: `billingProfile` of the query.
            customers_without_pinned_profile: `customersWithoutPinnedProfile` of the query.
            include_all_customers: `includeAllCustomers` of the query. true if not given.
            customer_id: `customerId` of the query.
            customer_name: `customerName` of the query.
            customer_key: `customerKey` of the query.
            customer_primary_email: `customerPrimaryEmail` of the query.
            expand: `expand` of the query.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfileCustomerOverrideWithDetailsPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        wire = merged(
            params,
            {
                "billingProfile": billing_profile,
                "customersWithoutPinnedProfile": customers_without_pinned_profile,
                "includeAllCustomers": include_all_customers,
                "customerId": customer_id,
                "customerName": customer_name,
                "customerKey": customer_key,
                "customerPrimaryEmail": customer_primary_email,
                "expand": expand,
                "order": order,
                "orderBy": order_by,
                "page": page,
                "pageSize": page_size,
            },
            {
                "billing_profile": "billingProfile",
                "customers_without_pinned_profile": "customersWithoutPinnedProfile",
                "include_all_customers": "includeAllCustomers",
                "customer_id": "customerId",
                "customer_name": "customerName",
                "customer_key": "customerKey",
                "customer_primary_email": "customerPrimaryEmail",
                "order_by": "orderBy",
                "page_size": "pageSize",
            },
        )
        answer: types.BillingProfileCustomerOverrideWithDetailsPaginatedResponse = await self._send(
            Call(
                "GET",
                "/api/v1/billing/customers",
                query=encoded(wire, {"billingProfile": REPEATED, "customerId": REPEATED, "expand": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_customer_overrides(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.BillingProfileCustomerOverrideWithDetails]:
        """Walk through all pages of `list_customer_overrides`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 7.1.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_customer_overrides(params, **options)

        return by_number(fetch, size)

    async def upsert_customer_override(
        self,
        customer_id: str,
        override: t.Union[types.BillingProfileCustomerOverrideCreate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfileCustomerOverrideWithDetails:
        """Upsert billing profile customer override.

        `PUT /api/v1/billing/customers/{customerId}`

        Args:
            customer_id: `customerId` of the path.
            override: The fields of `BillingProfileCustomerOverrideCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfileCustomerOverrideWithDetails`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        answer: types.BillingProfileCustomerOverrideWithDetails = await self._send(
            Call(
                "PUT",
                f"/api/v1/billing/customers/{segment(customer_id, 'customer_id')}",
                body=override,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_customer_override(
        self,
        customer_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        expand: t.Optional[Sequence[types.BillingProfileCustomerOverrideExpand]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.BillingProfileCustomerOverrideWithDetails:
        """Get billing profile customer override.

        `GET /api/v1/billing/customers/{customerId}`

        Args:
            customer_id: `customerId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            expand: `expand` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `BillingProfileCustomerOverrideWithDetails`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        wire = merged(params, {"expand": expand}, {})
        answer: types.BillingProfileCustomerOverrideWithDetails = await self._send(
            Call(
                "GET",
                f"/api/v1/billing/customers/{segment(customer_id, 'customer_id')}",
                query=encoded(wire, {"expand": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def delete_customer_override(self, customer_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete billing profile customer override.

        `DELETE /api/v1/billing/customers/{customerId}`

        Args:
            customer_id: `customerId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.1.
        """
        await self._send(
            Call(
                "DELETE", f"/api/v1/billing/customers/{segment(customer_id, 'customer_id')}", timeout_s=request_timeout
            )
        )

    async def snapshot_invoice_quantities(
        self, invoice_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.Invoice:
        """Snapshot quantities invoice.

        `POST /api/v1/billing/invoices/{invoiceId}/snapshot-quantities`

        Args:
            invoice_id: `invoiceId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Invoice`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.4 and 7.5.
        """
        answer: types.Invoice = await self._send(
            Call(
                "POST",
                f"/api/v1/billing/invoices/{segment(invoice_id, 'invoice_id')}/snapshot-quantities",
                timeout_s=request_timeout,
            )
        )
        return answer
