"""The operations under `app_stripe`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._arguments import segment
from ..._call import Call
from ..operations import Operations

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class AppStripe(Operations):
    """The operations under `app_stripe`."""

    async def webhook(
        self,
        id: str,
        body: t.Union[types.StripeWebhookEvent, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.StripeWebhookResponse:
        """Take a webhook of Stripe.

        `POST /api/v1/apps/{id}/stripe/webhook`

        Args:
            id: `id` of the path.
            body: The fields of `StripeWebhookEvent`.
            request_timeout: Seconds for this call.

        Returns:
            `StripeWebhookResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.StripeWebhookResponse = await self._send(
            Call("POST", f"/api/v1/apps/{segment(id, 'id')}/stripe/webhook", body=body, timeout_s=request_timeout)
        )
        return answer

    async def update_stripe_api_key(
        self,
        id: str,
        body: t.Union[types.StripeAPIKeyInput, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Update stripe api key.

        `PUT /api/v1/apps/{id}/stripe/api-key`

        Args:
            id: `id` of the path.
            body: The fields of `StripeAPIKeyInput`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        await self._send(
            Call("PUT", f"/api/v1/apps/{segment(id, 'id')}/stripe/api-key", body=body, timeout_s=request_timeout)
        )

    async def create_checkout_session(
        self,
        body: t.Union[types.CreateStripeCheckoutSessionRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.CreateStripeCheckoutSessionResult:
        """Create stripe checkout session.

        `POST /api/v1/stripe/checkout/sessions`

        Args:
            body: The fields of `CreateStripeCheckoutSessionRequest`.
            request_timeout: Seconds for this call.

        Returns:
            `CreateStripeCheckoutSessionResult`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.CreateStripeCheckoutSessionResult = await self._send(
            Call("POST", "/api/v1/stripe/checkout/sessions", body=body, timeout_s=request_timeout)
        )
        return answer
