# Generated from _async by generate.py.
"""The operations under `entitlements`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ..._arguments import segment
from ..._call import Call
from ..._query import REPEATED, encoded, merged
from ..operations import Operations
from ..pages import by_number, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class EntitlementsV2CustomerEntitlements(Operations):
    """The operations under `entitlements.v2.customer_entitlements`."""

    def list(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.EntitlementOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementV2PaginatedResponse:
        """List customer entitlements.

        `GET /api/v2/customers/{customerIdOrKey}/entitlements`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementV2PaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {"include_deleted": "includeDeleted", "page_size": "pageSize", "order_by": "orderBy"},
        )
        answer: types.EntitlementV2PaginatedResponse = self._send(
            Call(
                "GET",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_all(
        self,
        customer_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page_size: int = 100,
        **filters: t.Any,
    ) -> Iterator[types.EntitlementV2]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.2.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list(customer_id_or_key, params, **options)

        return by_number(fetch, size)

    def create(
        self,
        customer_id_or_key: str,
        entitlement: t.Union[types.EntitlementV2CreateInputs, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementV2:
        """Create customer entitlement.

        `POST /api/v2/customers/{customerIdOrKey}/entitlements`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement: The fields of `EntitlementV2CreateInputs`.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementV2`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        answer: types.EntitlementV2 = self._send(
            Call(
                "POST",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements",
                body=entitlement,
                timeout_s=request_timeout,
            )
        )
        return answer

    def get(
        self, customer_id_or_key: str, entitlement_id_or_feature_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.EntitlementV2:
        """Get customer entitlement.

        `GET /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id_or_feature_id: `entitlementIdOrFeatureKey` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementV2`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        answer: types.EntitlementV2 = self._send(
            Call(
                "GET",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_id, 'entitlement_id_or_feature_id')}",
                timeout_s=request_timeout,
            )
        )
        return answer

    def delete(
        self, customer_id_or_key: str, entitlement_id: str, *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Delete customer entitlement.

        `DELETE /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id: `entitlementIdOrFeatureKey` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        self._send(
            Call(
                "DELETE",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id, 'entitlement_id')}",
                timeout_s=request_timeout,
            )
        )

    def create_entitlement_override(
        self,
        customer_id_or_key: str,
        entitlement_id_or_feature_id: str,
        override: t.Union[types.EntitlementV2CreateInputs, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementV2:
        """Override customer entitlement.

        `PUT /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/override`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id_or_feature_id: `entitlementIdOrFeatureKey` of the path.
            override: The fields of `EntitlementV2CreateInputs`.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementV2`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        answer: types.EntitlementV2 = self._send(
            Call(
                "PUT",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_id, 'entitlement_id_or_feature_id')}/override",
                body=override,
                timeout_s=request_timeout,
            )
        )
        return answer

    def get_entitlement_value(
        self,
        customer_id_or_key: str,
        entitlement_id_or_feature_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        time: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementValueV2:
        """Get customer entitlement value.

        `GET /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/value`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id_or_feature_id: `entitlementIdOrFeatureKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            time: `time` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementValueV2`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        wire = merged(params, {"time": time}, {})
        answer: types.EntitlementValueV2 = self._send(
            Call(
                "GET",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_id, 'entitlement_id_or_feature_id')}/value",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def get_entitlement_history(
        self,
        customer_id_or_key: str,
        entitlement_id_or_feature_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        window_size: t.Optional[types.WindowSize] = None,
        window_time_zone: t.Optional[str] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.WindowedBalanceHistory:
        """Get customer entitlement history.

        `GET /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/history`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id_or_feature_id: `entitlementIdOrFeatureKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            from_: `from` of the query.
            to: `to` of the query.
            window_size: `windowSize` of the query. Required.
            window_time_zone: `windowTimeZone` of the query. "UTC" if not given.
            request_timeout: Seconds for this call.

        Returns:
            `WindowedBalanceHistory`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.6.
        """
        wire = merged(
            params,
            {"from": from_, "to": to, "windowSize": window_size, "windowTimeZone": window_time_zone},
            {"from_": "from", "window_size": "windowSize", "window_time_zone": "windowTimeZone"},
        )
        answer: types.WindowedBalanceHistory = self._send(
            Call(
                "GET",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_id, 'entitlement_id_or_feature_id')}/history",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def reset_entitlement_usage(
        self,
        customer_id_or_key: str,
        entitlement_id: str,
        params: t.Union[types.ResetEntitlementUsageInput, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Reset customer entitlement usage.

        `POST /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/reset`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id: `entitlementIdOrFeatureKey` of the path.
            params: The fields of `ResetEntitlementUsageInput`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.5.
        """
        self._send(
            Call(
                "POST",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id, 'entitlement_id')}/reset",
                body=params,
                timeout_s=request_timeout,
            )
        )

    def list_entitlement_grants(
        self,
        customer_id_or_key: str,
        entitlement_id_or_feature_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        offset: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.GrantOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.GrantV2PaginatedResponse:
        """List customer entitlement grants.

        `GET /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/grants`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id_or_feature_id: `entitlementIdOrFeatureKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            offset: `offset` of the query. 0 if not given.
            limit: `limit` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `GrantV2PaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "page": page,
                "pageSize": page_size,
                "offset": offset,
                "limit": limit,
                "order": order,
                "orderBy": order_by,
            },
            {"include_deleted": "includeDeleted", "page_size": "pageSize", "order_by": "orderBy"},
        )
        answer: types.GrantV2PaginatedResponse = self._send(
            Call(
                "GET",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_id, 'entitlement_id_or_feature_id')}/grants",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_entitlement_grants(
        self,
        customer_id_or_key: str,
        entitlement_id_or_feature_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page_size: int = 100,
        **filters: t.Any,
    ) -> Iterator[types.EntitlementGrantV2]:
        """Walk through all pages of `list_entitlement_grants`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.3.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list_entitlement_grants(customer_id_or_key, entitlement_id_or_feature_id, params, **options)

        return by_number(fetch, size)

    def create_grant(
        self,
        customer_id_or_key: str,
        entitlement_id_or_feature_id: str,
        grant: t.Union[types.EntitlementGrantCreateInputV2, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementGrantV2:
        """Create customer entitlement grant.

        `POST /api/v2/customers/{customerIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/grants`

        Args:
            customer_id_or_key: `customerIdOrKey` of the path.
            entitlement_id_or_feature_id: `entitlementIdOrFeatureKey` of the path.
            grant: The fields of `EntitlementGrantCreateInputV2`.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementGrantV2`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        answer: types.EntitlementGrantV2 = self._send(
            Call(
                "POST",
                f"/api/v2/customers/{segment(customer_id_or_key, 'customer_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_id, 'entitlement_id_or_feature_id')}/grants",
                body=grant,
                timeout_s=request_timeout,
            )
        )
        return answer


class EntitlementsV2(Operations):
    """The operations under `entitlements.v2`."""

    @property
    def customer_entitlements(self) -> EntitlementsV2CustomerEntitlements:
        """The operations under `entitlements.v2.customer_entitlements`."""
        return EntitlementsV2CustomerEntitlements(self._transport)


class EntitlementsV1(Operations):
    """The operations under `entitlements.v1`."""

    def list_entitlements(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        feature: t.Optional[Sequence[str]] = None,
        subject: t.Optional[Sequence[str]] = None,
        entitlement_type: t.Optional[Sequence[types.EntitlementType]] = None,
        exclude_inactive: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        offset: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.EntitlementOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListEntitlementsResult:
        """List entitlements.

        `GET /api/v1/entitlements`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            feature: `feature` of the query.
            subject: `subject` of the query.
            entitlement_type: `entitlementType` of the query.
            exclude_inactive: `excludeInactive` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            offset: `offset` of the query. 0 if not given.
            limit: `limit` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `ListEntitlementsResult`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        wire = merged(
            params,
            {
                "feature": feature,
                "subject": subject,
                "entitlementType": entitlement_type,
                "excludeInactive": exclude_inactive,
                "page": page,
                "pageSize": page_size,
                "offset": offset,
                "limit": limit,
                "order": order,
                "orderBy": order_by,
            },
            {
                "entitlement_type": "entitlementType",
                "exclude_inactive": "excludeInactive",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.ListEntitlementsResult = self._send(
            Call(
                "GET",
                "/api/v1/entitlements",
                query=encoded(wire, {"feature": REPEATED, "subject": REPEATED, "entitlementType": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_entitlements(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.Entitlement]:
        """Walk through all pages of `list_entitlements`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.2.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list_entitlements(params, **options)

        return by_number(fetch, size)

    def get_entitlement(self, entitlement_id: str, *, request_timeout: t.Optional[float] = None) -> types.Entitlement:
        """Get entitlement.

        `GET /api/v1/entitlements/{entitlementId}`

        Args:
            entitlement_id: `entitlementId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Entitlement`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        answer: types.Entitlement = self._send(
            Call("GET", f"/api/v1/entitlements/{segment(entitlement_id, 'entitlement_id')}", timeout_s=request_timeout)
        )
        return answer

    def list_grants(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        feature: t.Optional[Sequence[str]] = None,
        subject: t.Optional[Sequence[str]] = None,
        include_deleted: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        offset: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.GrantOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.Union[t.List[types.EntitlementGrant], types.GrantPaginatedResponse]:
        """List grants.

        `GET /api/v1/grants`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            feature: `feature` of the query.
            subject: `subject` of the query.
            include_deleted: `includeDeleted` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            offset: `offset` of the query. 0 if not given.
            limit: `limit` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `Union[List[EntitlementGrant], GrantPaginatedResponse]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        wire = merged(
            params,
            {
                "feature": feature,
                "subject": subject,
                "includeDeleted": include_deleted,
                "page": page,
                "pageSize": page_size,
                "offset": offset,
                "limit": limit,
                "order": order,
                "orderBy": order_by,
            },
            {"include_deleted": "includeDeleted", "page_size": "pageSize", "order_by": "orderBy"},
        )
        answer: t.Union[t.List[types.EntitlementGrant], types.GrantPaginatedResponse] = self._send(
            Call(
                "GET",
                "/api/v1/grants",
                query=encoded(wire, {"feature": REPEATED, "subject": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_grants(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.EntitlementGrant]:
        """Walk through all pages of `list_grants`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.3.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list_grants(params, **options)

        return by_number(fetch, size)


class Entitlements(Operations):
    """The operations under `entitlements`."""

    @property
    def v2(self) -> EntitlementsV2:
        """The operations under `entitlements.v2`."""
        return EntitlementsV2(self._transport)

    @property
    def v1(self) -> EntitlementsV1:
        """The operations under `entitlements.v1`."""
        return EntitlementsV1(self._transport)

    def list_entitlements(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        feature: t.Optional[Sequence[str]] = None,
        customer_keys: t.Optional[Sequence[str]] = None,
        customer_ids: t.Optional[Sequence[str]] = None,
        entitlement_type: t.Optional[Sequence[types.EntitlementType]] = None,
        exclude_inactive: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        offset: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.EntitlementOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementV2PaginatedResponse:
        """List entitlements.

        `GET /api/v2/entitlements`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            feature: `feature` of the query.
            customer_keys: `customerKeys` of the query.
            customer_ids: `customerIds` of the query.
            entitlement_type: `entitlementType` of the query.
            exclude_inactive: `excludeInactive` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            offset: `offset` of the query. 0 if not given.
            limit: `limit` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementV2PaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        wire = merged(
            params,
            {
                "feature": feature,
                "customerKeys": customer_keys,
                "customerIds": customer_ids,
                "entitlementType": entitlement_type,
                "excludeInactive": exclude_inactive,
                "page": page,
                "pageSize": page_size,
                "offset": offset,
                "limit": limit,
                "order": order,
                "orderBy": order_by,
            },
            {
                "customer_keys": "customerKeys",
                "customer_ids": "customerIds",
                "entitlement_type": "entitlementType",
                "exclude_inactive": "excludeInactive",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.EntitlementV2PaginatedResponse = self._send(
            Call(
                "GET",
                "/api/v2/entitlements",
                query=encoded(
                    wire,
                    {
                        "feature": REPEATED,
                        "customerKeys": REPEATED,
                        "customerIds": REPEATED,
                        "entitlementType": REPEATED,
                    },
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_entitlements(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.EntitlementV2]:
        """Walk through all pages of `list_entitlements`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.2.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list_entitlements(params, **options)

        return by_number(fetch, size)

    def get_entitlement(self, entitlement_id: str, *, request_timeout: t.Optional[float] = None) -> types.EntitlementV2:
        """Get entitlement.

        `GET /api/v2/entitlements/{entitlementId}`

        Args:
            entitlement_id: `entitlementId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementV2`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        answer: types.EntitlementV2 = self._send(
            Call("GET", f"/api/v2/entitlements/{segment(entitlement_id, 'entitlement_id')}", timeout_s=request_timeout)
        )
        return answer

    def list_grants(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        feature: t.Optional[Sequence[str]] = None,
        customer: t.Optional[Sequence[str]] = None,
        include_deleted: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        offset: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.GrantOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.GrantV2PaginatedResponse:
        """List grants.

        `GET /api/v2/grants`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            feature: `feature` of the query.
            customer: `customer` of the query.
            include_deleted: `includeDeleted` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            offset: `offset` of the query. 0 if not given.
            limit: `limit` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `GrantV2PaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        wire = merged(
            params,
            {
                "feature": feature,
                "customer": customer,
                "includeDeleted": include_deleted,
                "page": page,
                "pageSize": page_size,
                "offset": offset,
                "limit": limit,
                "order": order,
                "orderBy": order_by,
            },
            {"include_deleted": "includeDeleted", "page_size": "pageSize", "order_by": "orderBy"},
        )
        answer: types.GrantV2PaginatedResponse = self._send(
            Call(
                "GET",
                "/api/v2/grants",
                query=encoded(wire, {"feature": REPEATED, "customer": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_grants(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.EntitlementGrantV2]:
        """Walk through all pages of `list_grants`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.3.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list_grants(params, **options)

        return by_number(fetch, size)

    def void_grant(
        self,
        grant_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        at: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Void grant.

        `DELETE /api/v1/grants/{grantId}`

        Args:
            grant_id: `grantId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            at: `at` of the query.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        wire = merged(params, {"at": at}, {})
        self._send(
            Call(
                "DELETE",
                f"/api/v1/grants/{segment(grant_id, 'grant_id')}",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
