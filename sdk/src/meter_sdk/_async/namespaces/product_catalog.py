"""The operations under `product_catalog`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from ..._arguments import segment
from ..._call import Call
from ..._query import DEEP, REPEATED, encoded, merged
from ..operations import Operations
from ..pages import by_number, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class ProductCatalog(Operations):
    """The operations under `product_catalog`."""

    async def create(
        self,
        feature: t.Union[types.FeatureCreateInputs, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Feature:
        """Create feature.

        `POST /api/v1/features`

        Args:
            feature: The fields of `FeatureCreateInputs`.
            request_timeout: Seconds for this call.

        Returns:
            `Feature`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.1.
        """
        answer: types.Feature = await self._send(
            Call("POST", "/api/v1/features", body=feature, timeout_s=request_timeout)
        )
        return answer

    async def get(self, feature_id: str, *, request_timeout: t.Optional[float] = None) -> types.Feature:
        """Get feature.

        `GET /api/v1/features/{featureId}`

        Args:
            feature_id: `featureId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Feature`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.1.
        """
        answer: types.Feature = await self._send(
            Call("GET", f"/api/v1/features/{segment(feature_id, 'feature_id')}", timeout_s=request_timeout)
        )
        return answer

    async def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        meter_slug: t.Optional[Sequence[str]] = None,
        include_archived: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        offset: t.Optional[int] = None,
        limit: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.FeatureOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.ListFeaturesResult:
        """List features.

        `GET /api/v1/features`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            meter_slug: `meterSlug` of the query.
            include_archived: `includeArchived` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            offset: `offset` of the query. 0 if not given.
            limit: `limit` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `ListFeaturesResult`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.1.
        """
        wire = merged(
            params,
            {
                "meterSlug": meter_slug,
                "includeArchived": include_archived,
                "page": page,
                "pageSize": page_size,
                "offset": offset,
                "limit": limit,
                "order": order,
                "orderBy": order_by,
            },
            {
                "meter_slug": "meterSlug",
                "include_archived": "includeArchived",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.ListFeaturesResult = await self._send(
            Call("GET", "/api/v1/features", query=encoded(wire, {"meterSlug": REPEATED}), timeout_s=request_timeout)
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.Feature]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 4.1.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list(params, **options)

        return by_number(fetch, size)

    async def delete(self, feature_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete feature.

        `DELETE /api/v1/features/{featureId}`

        Args:
            feature_id: `featureId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.1.
        """
        await self._send(
            Call("DELETE", f"/api/v1/features/{segment(feature_id, 'feature_id')}", timeout_s=request_timeout)
        )

    async def create_plan(
        self, plan: t.Union[types.PlanCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Plan:
        """Create plan.

        `POST /api/v1/plans`

        Args:
            plan: The fields of `PlanCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Plan`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        answer: types.Plan = await self._send(Call("POST", "/api/v1/plans", body=plan, timeout_s=request_timeout))
        return answer

    async def get_plan(
        self,
        plan_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_latest: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.Plan:
        """Get plan.

        `GET /api/v1/plans/{planId}`

        Args:
            plan_id: `planId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_latest: `includeLatest` of the query. false if not given.
            request_timeout: Seconds for this call.

        Returns:
            `Plan`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        wire = merged(params, {"includeLatest": include_latest}, {"include_latest": "includeLatest"})
        answer: types.Plan = await self._send(
            Call(
                "GET",
                f"/api/v1/plans/{segment(plan_id, 'plan_id')}",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_plans(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        id: t.Optional[Sequence[str]] = None,
        key: t.Optional[Sequence[str]] = None,
        key_version: t.Optional[Mapping[str, t.Any]] = None,
        status: t.Optional[Sequence[types.PlanStatus]] = None,
        currency: t.Optional[Sequence[str]] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.PlanOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.PlanPaginatedResponse:
        """List plans.

        `GET /api/v1/plans`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            id: `id` of the query.
            key: `key` of the query.
            key_version: `keyVersion` of the query.
            status: `status` of the query.
            currency: `currency` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `PlanPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "id": id,
                "key": key,
                "keyVersion": key_version,
                "status": status,
                "currency": currency,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {
                "include_deleted": "includeDeleted",
                "key_version": "keyVersion",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.PlanPaginatedResponse = await self._send(
            Call(
                "GET",
                "/api/v1/plans",
                query=encoded(
                    wire,
                    {"id": REPEATED, "key": REPEATED, "keyVersion": DEEP, "status": REPEATED, "currency": REPEATED},
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_plans(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.Plan]:
        """Walk through all pages of `list_plans`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 5.1.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_plans(params, **options)

        return by_number(fetch, size)

    async def update_plan(
        self,
        plan_id: str,
        plan: t.Union[types.PlanReplaceUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Plan:
        """Update plan.

        `PUT /api/v1/plans/{planId}`

        Args:
            plan_id: `planId` of the path.
            plan: The fields of `PlanReplaceUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Plan`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        answer: types.Plan = await self._send(
            Call("PUT", f"/api/v1/plans/{segment(plan_id, 'plan_id')}", body=plan, timeout_s=request_timeout)
        )
        return answer

    async def delete_plan(self, plan_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete plan.

        `DELETE /api/v1/plans/{planId}`

        Args:
            plan_id: `planId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        await self._send(Call("DELETE", f"/api/v1/plans/{segment(plan_id, 'plan_id')}", timeout_s=request_timeout))

    async def archive_plan(self, plan_id: str, *, request_timeout: t.Optional[float] = None) -> types.Plan:
        """Archive plan.

        `POST /api/v1/plans/{planId}/archive`

        Args:
            plan_id: `planId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Plan`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        answer: types.Plan = await self._send(
            Call("POST", f"/api/v1/plans/{segment(plan_id, 'plan_id')}/archive", timeout_s=request_timeout)
        )
        return answer

    async def publish_plan(self, plan_id: str, *, request_timeout: t.Optional[float] = None) -> types.Plan:
        """Publish plan.

        `POST /api/v1/plans/{planId}/publish`

        Args:
            plan_id: `planId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Plan`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        answer: types.Plan = await self._send(
            Call("POST", f"/api/v1/plans/{segment(plan_id, 'plan_id')}/publish", timeout_s=request_timeout)
        )
        return answer

    async def create_addon(
        self, addon: t.Union[types.AddonCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Addon:
        """Create addon.

        `POST /api/v1/addons`

        Args:
            addon: The fields of `AddonCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Addon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        answer: types.Addon = await self._send(Call("POST", "/api/v1/addons", body=addon, timeout_s=request_timeout))
        return answer

    async def get_addon(
        self,
        addon_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_latest: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.Addon:
        """Get addon.

        `GET /api/v1/addons/{addonId}`

        Args:
            addon_id: `addonId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_latest: `includeLatest` of the query. false if not given.
            request_timeout: Seconds for this call.

        Returns:
            `Addon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        wire = merged(params, {"includeLatest": include_latest}, {"include_latest": "includeLatest"})
        answer: types.Addon = await self._send(
            Call(
                "GET",
                f"/api/v1/addons/{segment(addon_id, 'addon_id')}",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_addons(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        id: t.Optional[Sequence[str]] = None,
        key: t.Optional[Sequence[str]] = None,
        key_version: t.Optional[Mapping[str, t.Any]] = None,
        status: t.Optional[Sequence[types.AddonStatus]] = None,
        currency: t.Optional[Sequence[str]] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.AddonOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.AddonPaginatedResponse:
        """List addons.

        `GET /api/v1/addons`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            id: `id` of the query.
            key: `key` of the query.
            key_version: `keyVersion` of the query.
            status: `status` of the query.
            currency: `currency` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `AddonPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "id": id,
                "key": key,
                "keyVersion": key_version,
                "status": status,
                "currency": currency,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {
                "include_deleted": "includeDeleted",
                "key_version": "keyVersion",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.AddonPaginatedResponse = await self._send(
            Call(
                "GET",
                "/api/v1/addons",
                query=encoded(
                    wire,
                    {"id": REPEATED, "key": REPEATED, "keyVersion": DEEP, "status": REPEATED, "currency": REPEATED},
                ),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_addons(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.Addon]:
        """Walk through all pages of `list_addons`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 5.5.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_addons(params, **options)

        return by_number(fetch, size)

    async def update_addon(
        self,
        addon_id: str,
        addon: t.Union[types.AddonReplaceUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Addon:
        """Update addon.

        `PUT /api/v1/addons/{addonId}`

        Args:
            addon_id: `addonId` of the path.
            addon: The fields of `AddonReplaceUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `Addon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        answer: types.Addon = await self._send(
            Call("PUT", f"/api/v1/addons/{segment(addon_id, 'addon_id')}", body=addon, timeout_s=request_timeout)
        )
        return answer

    async def delete_addon(self, addon_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete addon.

        `DELETE /api/v1/addons/{addonId}`

        Args:
            addon_id: `addonId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        await self._send(Call("DELETE", f"/api/v1/addons/{segment(addon_id, 'addon_id')}", timeout_s=request_timeout))

    async def publish_addon(self, addon_id: str, *, request_timeout: t.Optional[float] = None) -> types.Addon:
        """Publish addon.

        `POST /api/v1/addons/{addonId}/publish`

        Args:
            addon_id: `addonId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Addon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        answer: types.Addon = await self._send(
            Call("POST", f"/api/v1/addons/{segment(addon_id, 'addon_id')}/publish", timeout_s=request_timeout)
        )
        return answer

    async def archive_addon(self, addon_id: str, *, request_timeout: t.Optional[float] = None) -> types.Addon:
        """Archive addon.

        `POST /api/v1/addons/{addonId}/archive`

        Args:
            addon_id: `addonId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Addon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.5.
        """
        answer: types.Addon = await self._send(
            Call("POST", f"/api/v1/addons/{segment(addon_id, 'addon_id')}/archive", timeout_s=request_timeout)
        )
        return answer

    async def create_subscription(
        self, body: t.Union[types.SubscriptionCreate, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> types.Subscription:
        """Create subscription.

        `POST /api/v1/subscriptions`

        Args:
            body: The fields of `SubscriptionCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `Subscription`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.
        """
        answer: types.Subscription = await self._send(
            Call("POST", "/api/v1/subscriptions", body=body, timeout_s=request_timeout)
        )
        return answer

    async def get_subscription(
        self,
        subscription_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        at: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.SubscriptionExpanded:
        """Get subscription.

        `GET /api/v1/subscriptions/{subscriptionId}`

        Args:
            subscription_id: `subscriptionId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            at: `at` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionExpanded`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.
        """
        wire = merged(params, {"at": at}, {})
        answer: types.SubscriptionExpanded = await self._send(
            Call(
                "GET",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def edit_subscription(
        self,
        subscription_id: str,
        body: t.Union[types.SubscriptionEdit, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Subscription:
        """Edit subscription.

        `PATCH /api/v1/subscriptions/{subscriptionId}`

        Args:
            subscription_id: `subscriptionId` of the path.
            body: The fields of `SubscriptionEdit`.
            request_timeout: Seconds for this call.

        Returns:
            `Subscription`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.4.
        """
        answer: types.Subscription = await self._send(
            Call(
                "PATCH",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def delete_subscription(self, subscription_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete subscription.

        `DELETE /api/v1/subscriptions/{subscriptionId}`

        Args:
            subscription_id: `subscriptionId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.5.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}",
                timeout_s=request_timeout,
            )
        )

    async def cancel_subscription(
        self, subscription_id: str, body: Mapping[str, t.Any], *, request_timeout: t.Optional[float] = None
    ) -> types.Subscription:
        """Cancel subscription.

        `POST /api/v1/subscriptions/{subscriptionId}/cancel`

        Args:
            subscription_id: `subscriptionId` of the path.
            body: The request.
            request_timeout: Seconds for this call.

        Returns:
            `Subscription`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.5.
        """
        answer: types.Subscription = await self._send(
            Call(
                "POST",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/cancel",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def change_subscription(
        self,
        subscription_id: str,
        body: t.Union[types.SubscriptionChange, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.SubscriptionChangeResponseBody:
        """Change subscription.

        `POST /api/v1/subscriptions/{subscriptionId}/change`

        Args:
            subscription_id: `subscriptionId` of the path.
            body: The fields of `SubscriptionChange`.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionChangeResponseBody`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.6.
        """
        answer: types.SubscriptionChangeResponseBody = await self._send(
            Call(
                "POST",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/change",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def migrate_subscription(
        self, subscription_id: str, body: Mapping[str, t.Any], *, request_timeout: t.Optional[float] = None
    ) -> types.SubscriptionChangeResponseBody:
        """Migrate subscription.

        `POST /api/v1/subscriptions/{subscriptionId}/migrate`

        Args:
            subscription_id: `subscriptionId` of the path.
            body: The request.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionChangeResponseBody`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.6.
        """
        answer: types.SubscriptionChangeResponseBody = await self._send(
            Call(
                "POST",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/migrate",
                body=body,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def unschedule_subscription_cancelation(
        self, subscription_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.Subscription:
        """Unschedule cancelation.

        `POST /api/v1/subscriptions/{subscriptionId}/unschedule-cancelation`

        Args:
            subscription_id: `subscriptionId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Subscription`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.5.
        """
        answer: types.Subscription = await self._send(
            Call(
                "POST",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/unschedule-cancelation",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def next_plan(self, plan_id_or_key: str, *, request_timeout: t.Optional[float] = None) -> types.Plan:
        """Next plan.

        `POST /api/v1/plans/{planIdOrKey}/next`

        Args:
            plan_id_or_key: `planIdOrKey` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Plan`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.1.
        """
        answer: types.Plan = await self._send(
            Call("POST", f"/api/v1/plans/{segment(plan_id_or_key, 'plan_id_or_key')}/next", timeout_s=request_timeout)
        )
        return answer

    async def list_plan_addons(
        self,
        plan_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        id: t.Optional[Sequence[str]] = None,
        key: t.Optional[Sequence[str]] = None,
        key_version: t.Optional[Mapping[str, t.Any]] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.PlanAddonOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.PlanAddonPaginatedResponse:
        """List plan addons.

        `GET /api/v1/plans/{planId}/addons`

        Args:
            plan_id: `planId` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            id: `id` of the query.
            key: `key` of the query.
            key_version: `keyVersion` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `PlanAddonPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.6.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "id": id,
                "key": key,
                "keyVersion": key_version,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {
                "include_deleted": "includeDeleted",
                "key_version": "keyVersion",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.PlanAddonPaginatedResponse = await self._send(
            Call(
                "GET",
                f"/api/v1/plans/{segment(plan_id, 'plan_id')}/addons",
                query=encoded(wire, {"id": REPEATED, "key": REPEATED, "keyVersion": DEEP}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_plan_addons(
        self, plan_id: str, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.PlanAddon]:
        """Walk through all pages of `list_plan_addons`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 5.6.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_plan_addons(plan_id, params, **options)

        return by_number(fetch, size)

    async def create_plan_addon(
        self,
        plan_id: str,
        addon: t.Union[types.PlanAddonCreate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.PlanAddon:
        """Create plan addon.

        `POST /api/v1/plans/{planId}/addons`

        Args:
            plan_id: `planId` of the path.
            addon: The fields of `PlanAddonCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `PlanAddon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.6.
        """
        answer: types.PlanAddon = await self._send(
            Call("POST", f"/api/v1/plans/{segment(plan_id, 'plan_id')}/addons", body=addon, timeout_s=request_timeout)
        )
        return answer

    async def get_plan_addon(
        self, plan_id: str, plan_addon_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.PlanAddon:
        """Get plan addon.

        `GET /api/v1/plans/{planId}/addons/{planAddonId}`

        Args:
            plan_id: `planId` of the path.
            plan_addon_id: `planAddonId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `PlanAddon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.6.
        """
        answer: types.PlanAddon = await self._send(
            Call(
                "GET",
                f"/api/v1/plans/{segment(plan_id, 'plan_id')}/addons/{segment(plan_addon_id, 'plan_addon_id')}",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def update_plan_addon(
        self,
        plan_id: str,
        plan_addon_id: str,
        addon: t.Union[types.PlanAddonReplaceUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.PlanAddon:
        """Update plan addon.

        `PUT /api/v1/plans/{planId}/addons/{planAddonId}`

        Args:
            plan_id: `planId` of the path.
            plan_addon_id: `planAddonId` of the path.
            addon: The fields of `PlanAddonReplaceUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `PlanAddon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.6.
        """
        answer: types.PlanAddon = await self._send(
            Call(
                "PUT",
                f"/api/v1/plans/{segment(plan_id, 'plan_id')}/addons/{segment(plan_addon_id, 'plan_addon_id')}",
                body=addon,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def delete_plan_addon(
        self, plan_id: str, plan_addon_id: str, *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Delete plan addon.

        `DELETE /api/v1/plans/{planId}/addons/{planAddonId}`

        Args:
            plan_id: `planId` of the path.
            plan_addon_id: `planAddonId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 5.6.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/plans/{segment(plan_id, 'plan_id')}/addons/{segment(plan_addon_id, 'plan_addon_id')}",
                timeout_s=request_timeout,
            )
        )

    async def restore_subscription(
        self, subscription_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.Subscription:
        """Restore subscription.

        `POST /api/v1/subscriptions/{subscriptionId}/restore`

        Args:
            subscription_id: `subscriptionId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Subscription`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.5.
        """
        answer: types.Subscription = await self._send(
            Call(
                "POST",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/restore",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def create_subscription_addon(
        self,
        subscription_id: str,
        addon: t.Union[types.SubscriptionAddonCreate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.SubscriptionAddon:
        """Create subscription addon.

        `POST /api/v1/subscriptions/{subscriptionId}/addons`

        Args:
            subscription_id: `subscriptionId` of the path.
            addon: The fields of `SubscriptionAddonCreate`.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionAddon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.7.
        """
        answer: types.SubscriptionAddon = await self._send(
            Call(
                "POST",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/addons",
                body=addon,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_subscription_addons(
        self, subscription_id: str, *, request_timeout: t.Optional[float] = None
    ) -> t.List[types.SubscriptionAddon]:
        """List subscription addons.

        `GET /api/v1/subscriptions/{subscriptionId}/addons`

        Args:
            subscription_id: `subscriptionId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `List[SubscriptionAddon]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.7.
        """
        answer: t.List[types.SubscriptionAddon] = await self._send(
            Call(
                "GET",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/addons",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_subscription_addon(
        self, subscription_id: str, subscription_addon_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.SubscriptionAddon:
        """Get subscription addon.

        `GET /api/v1/subscriptions/{subscriptionId}/addons/{subscriptionAddonId}`

        Args:
            subscription_id: `subscriptionId` of the path.
            subscription_addon_id: `subscriptionAddonId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionAddon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.7.
        """
        answer: types.SubscriptionAddon = await self._send(
            Call(
                "GET",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/addons/{segment(subscription_addon_id, 'subscription_addon_id')}",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def update_subscription_addon(
        self,
        subscription_id: str,
        subscription_addon_id: str,
        addon: t.Union[types.SubscriptionAddonUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.SubscriptionAddon:
        """Update subscription addon.

        `PATCH /api/v1/subscriptions/{subscriptionId}/addons/{subscriptionAddonId}`

        Args:
            subscription_id: `subscriptionId` of the path.
            subscription_addon_id: `subscriptionAddonId` of the path.
            addon: The fields of `SubscriptionAddonUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `SubscriptionAddon`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.7.
        """
        answer: types.SubscriptionAddon = await self._send(
            Call(
                "PATCH",
                f"/api/v1/subscriptions/{segment(subscription_id, 'subscription_id')}/addons/{segment(subscription_addon_id, 'subscription_addon_id')}",
                body=addon,
                timeout_s=request_timeout,
            )
        )
        return answer
