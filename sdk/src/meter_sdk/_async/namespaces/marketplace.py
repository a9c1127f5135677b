"""The operations under `marketplace`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterator, Mapping

from ..._arguments import segment
from ..._call import Call
from ..._query import encoded, merged
from ..operations import Operations
from ..pages import by_number, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class Marketplace(Operations):
    """The operations under `marketplace`."""

    async def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.MarketplaceListingPaginatedResponse:
        """List marketplace listings.

        `GET /api/v1/marketplace/listings`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `MarketplaceListingPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        wire = merged(params, {"page": page, "pageSize": page_size}, {"page_size": "pageSize"})
        answer: types.MarketplaceListingPaginatedResponse = await self._send(
            Call("GET", "/api/v1/marketplace/listings", query=encoded(wire, {}), timeout_s=request_timeout)
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.MarketplaceListing]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 7.9.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list(params, **options)

        return by_number(fetch, size)

    async def get(self, type: str, *, request_timeout: t.Optional[float] = None) -> types.MarketplaceListing:
        """Get marketplace listing.

        `GET /api/v1/marketplace/listings/{type}`

        Args:
            type: `type` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `MarketplaceListing`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.MarketplaceListing = await self._send(
            Call("GET", f"/api/v1/marketplace/listings/{segment(type, 'type')}", timeout_s=request_timeout)
        )
        return answer

    async def get_o_auth2_install_url(
        self, type: str, *, request_timeout: t.Optional[float] = None
    ) -> types.ClientAppStartResponse:
        """Get the address at which an app is authorised.

        `GET /api/v1/marketplace/listings/{type}/install/oauth2`

        Args:
            type: `type` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `ClientAppStartResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.ClientAppStartResponse = await self._send(
            Call(
                "GET", f"/api/v1/marketplace/listings/{segment(type, 'type')}/install/oauth2", timeout_s=request_timeout
            )
        )
        return answer

    async def authorize_o_auth2_install(
        self,
        type: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        state: t.Optional[str] = None,
        code: t.Optional[str] = None,
        error: t.Optional[types.OAuth2AuthorizationCodeGrantErrorType] = None,
        error_description: t.Optional[str] = None,
        error_uri: t.Optional[str] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.Dict[str, t.Any]:
        """Finish the authorisation of an app; the answer names where to go on.

        `GET /api/v1/marketplace/listings/{type}/install/oauth2/authorize`

        Args:
            type: `type` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            state: `state` of the query.
            code: `code` of the query.
            error: `error` of the query.
            error_description: `error_description` of the query.
            error_uri: `error_uri` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `Dict[str, Any]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        wire = merged(
            params,
            {
                "state": state,
                "code": code,
                "error": error,
                "error_description": error_description,
                "error_uri": error_uri,
            },
            {},
        )
        answer: t.Dict[str, t.Any] = await self._send(
            Call(
                "GET",
                f"/api/v1/marketplace/listings/{segment(type, 'type')}/install/oauth2/authorize",
                query=encoded(wire, {}),
                redirects=True,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def install_with_api_key(
        self, type: str, body: Mapping[str, t.Any], *, request_timeout: t.Optional[float] = None
    ) -> types.MarketplaceInstallResponse:
        """Install an app of the marketplace with its API key.

        `POST /api/v1/marketplace/listings/{type}/install/apikey`

        Args:
            type: `type` of the path.
            body: The request.
            request_timeout: Seconds for this call.

        Returns:
            `MarketplaceInstallResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.MarketplaceInstallResponse = await self._send(
            Call(
                "POST",
                f"/api/v1/marketplace/listings/{segment(type, 'type')}/install/apikey",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def install(
        self,
        type: str,
        body: t.Union[types.MarketplaceInstallRequestPayload, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.MarketplaceInstallResponse:
        """Install an app of the marketplace.

        `POST /api/v1/marketplace/listings/{type}/install`

        Args:
            type: `type` of the path.
            body: The fields of `MarketplaceInstallRequestPayload`.
            request_timeout: Seconds for this call.

        Returns:
            `MarketplaceInstallResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.MarketplaceInstallResponse = await self._send(
            Call(
                "POST",
                f"/api/v1/marketplace/listings/{segment(type, 'type')}/install",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer
