"""The operations under `app_custom_invoicing`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._arguments import segment
from ..._call import Call
from ..operations import Operations

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class AppCustomInvoicing(Operations):
    """The operations under `app_custom_invoicing`."""

    async def draft_syncronized(
        self,
        invoice_id: str,
        body: t.Union[types.CustomInvoicingDraftSynchronizedRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Report that a draft invoice is in the external system.

        `POST /api/v1/apps/custom-invoicing/{invoiceId}/draft/synchronized`

        Args:
            invoice_id: `invoiceId` of the path.
            body: The fields of `CustomInvoicingDraftSynchronizedRequest`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        await self._send(
            Call(
                "POST",
                f"/api/v1/apps/custom-invoicing/{segment(invoice_id, 'invoice_id')}/draft/synchronized",
                body=body,
                timeout_s=request_timeout,
            )
        )

    async def finalized(
        self,
        invoice_id: str,
        body: t.Union[types.CustomInvoicingFinalizedRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Report that an invoice is issued in the external system.

        `POST /api/v1/apps/custom-invoicing/{invoiceId}/issuing/synchronized`

        Args:
            invoice_id: `invoiceId` of the path.
            body: The fields of `CustomInvoicingFinalizedRequest`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        await self._send(
            Call(
                "POST",
                f"/api/v1/apps/custom-invoicing/{segment(invoice_id, 'invoice_id')}/issuing/synchronized",
                body=body,
                timeout_s=request_timeout,
            )
        )

    async def payment_status(
        self,
        invoice_id: str,
        body: t.Union[types.CustomInvoicingUpdatePaymentStatusRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Report the payment status of an invoice.

        `POST /api/v1/apps/custom-invoicing/{invoiceId}/payment/status`

        Args:
            invoice_id: `invoiceId` of the path.
            body: The fields of `CustomInvoicingUpdatePaymentStatusRequest`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        await self._send(
            Call(
                "POST",
                f"/api/v1/apps/custom-invoicing/{segment(invoice_id, 'invoice_id')}/payment/status",
                body=body,
                timeout_s=request_timeout,
            )
        )
