"""The operations under `subjects`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..._arguments import segment
from ..._call import Call
from ..._query import encoded, merged
from ..operations import Operations

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class Subjects(Operations):
    """The operations under `subjects`."""

    async def upsert(
        self,
        subjects: Sequence[t.Union[types.SubjectUpsert, Mapping[str, t.Any]]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.Subject]:
        """Create or update subjects.

        `POST /api/v1/subjects`

        Args:
            subjects: The request.
            request_timeout: Seconds for this call.

        Returns:
            `List[Subject]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.1.
        """
        answer: t.List[types.Subject] = await self._send(
            Call("POST", "/api/v1/subjects", body=subjects, timeout_s=request_timeout)
        )
        return answer

    async def get(self, subject_id_or_key: str, *, request_timeout: t.Optional[float] = None) -> types.Subject:
        """Get subject.

        `GET /api/v1/subjects/{subjectIdOrKey}`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Subject`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.1.
        """
        answer: types.Subject = await self._send(
            Call(
                "GET", f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}", timeout_s=request_timeout
            )
        )
        return answer

    async def list(self, *, request_timeout: t.Optional[float] = None) -> t.List[types.Subject]:
        """List subjects.

        `GET /api/v1/subjects`

        Args:
            request_timeout: Seconds for this call.

        Returns:
            `List[Subject]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 3.1.
        """
        answer: t.List[types.Subject] = await self._send(Call("GET", "/api/v1/subjects", timeout_s=request_timeout))
        return answer

    async def delete(self, subject_id_or_key: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete subject.

        `DELETE /api/v1/subjects/{subjectIdOrKey}`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 6.5.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}",
                timeout_s=request_timeout,
            )
        )

    async def create_entitlement(
        self,
        subject_id_or_key: str,
        entitlement: t.Union[types.EntitlementCreateInputs, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Entitlement:
        """Create an entitlement of a subject.

        `POST /api/v1/subjects/{subjectIdOrKey}/entitlements`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement: The fields of `EntitlementCreateInputs`.
            request_timeout: Seconds for this call.

        Returns:
            `Entitlement`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        answer: types.Entitlement = await self._send(
            Call(
                "POST",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements",
                body=entitlement,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_entitlements(
        self,
        subject_id_or_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.Entitlement]:
        """List subject entitlements.

        `GET /api/v1/subjects/{subjectIdOrKey}/entitlements`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            request_timeout: Seconds for this call.

        Returns:
            `List[Entitlement]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        wire = merged(params, {"includeDeleted": include_deleted}, {"include_deleted": "includeDeleted"})
        answer: t.List[types.Entitlement] = await self._send(
            Call(
                "GET",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_entitlement(
        self, subject_id_or_key: str, entitlement_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.Entitlement:
        """Get entitlement.

        `GET /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementId}`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
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
        answer: types.Entitlement = await self._send(
            Call(
                "GET",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id, 'entitlement_id')}",
                timeout_s=request_timeout,
            )
        )
        return answer

    async def delete_entitlement(
        self, subject_id_or_key: str, entitlement_id: str, *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Delete entitlement.

        `DELETE /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementId}`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id: `entitlementId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.2.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id, 'entitlement_id')}",
                timeout_s=request_timeout,
            )
        )

    async def create_entitlement_override(
        self,
        subject_id_or_key: str,
        entitlement_id_or_feature_key: str,
        override: t.Union[types.EntitlementCreateInputs, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.Entitlement:
        """Override entitlement.

        `PUT /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/override`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id_or_feature_key: `entitlementIdOrFeatureKey` of the path.
            override: The fields of `EntitlementCreateInputs`.
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
        answer: types.Entitlement = await self._send(
            Call(
                "PUT",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_key, 'entitlement_id_or_feature_key')}/override",
                body=override,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_entitlement_grants(
        self,
        subject_id_or_key: str,
        entitlement_id_or_feature_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        order_by: t.Optional[types.GrantOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.EntitlementGrant]:
        """List entitlement grants.

        `GET /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/grants`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id_or_feature_key: `entitlementIdOrFeatureKey` of the path.
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            order_by: `orderBy` of the query. "updatedAt" if not given.
            request_timeout: Seconds for this call.

        Returns:
            `List[EntitlementGrant]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        wire = merged(
            params,
            {"includeDeleted": include_deleted, "orderBy": order_by},
            {"include_deleted": "includeDeleted", "order_by": "orderBy"},
        )
        answer: t.List[types.EntitlementGrant] = await self._send(
            Call(
                "GET",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_key, 'entitlement_id_or_feature_key')}/grants",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def create_grant(
        self,
        subject_id_or_key: str,
        entitlement_id_or_feature_key: str,
        grant: t.Union[types.EntitlementGrantCreateInput, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementGrant:
        """Create grant.

        `POST /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/grants`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id_or_feature_key: `entitlementIdOrFeatureKey` of the path.
            grant: The fields of `EntitlementGrantCreateInput`.
            request_timeout: Seconds for this call.

        Returns:
            `EntitlementGrant`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 4.3.
        """
        answer: types.EntitlementGrant = await self._send(
            Call(
                "POST",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_key, 'entitlement_id_or_feature_key')}/grants",
                body=grant,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_entitlement_value(
        self,
        subject_id_or_key: str,
        entitlement_id_or_feature_key: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        time: t.Optional[t.Union[datetime, str]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.EntitlementValue:
        """Get entitlement value.

        `GET /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementIdOrFeatureKey}/value`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id_or_feature_key: `entitlementIdOrFeatureKey` of the path.
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
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id_or_feature_key, 'entitlement_id_or_feature_key')}/value",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def get_entitlement_history(
        self,
        subject_id_or_key: str,
        entitlement_id: str,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        window_size: t.Optional[types.WindowSize] = None,
        window_time_zone: t.Optional[str] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.WindowedBalanceHistory:
        """Get entitlement history.

        `GET /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementId}/history`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id: `entitlementId` of the path.
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
        answer: types.WindowedBalanceHistory = await self._send(
            Call(
                "GET",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id, 'entitlement_id')}/history",
                query=encoded(wire, {}),
                timeout_s=request_timeout,
            )
        )
        return answer

    async def reset_entitlement_usage(
        self,
        subject_id_or_key: str,
        entitlement_id: str,
        params: t.Union[types.ResetEntitlementUsageInput, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Reset entitlement usage.

        `POST /api/v1/subjects/{subjectIdOrKey}/entitlements/{entitlementId}/reset`

        Args:
            subject_id_or_key: `subjectIdOrKey` of the path.
            entitlement_id: `entitlementId` of the path.
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
        await self._send(
            Call(
                "POST",
                f"/api/v1/subjects/{segment(subject_id_or_key, 'subject_id_or_key')}/entitlements/{segment(entitlement_id, 'entitlement_id')}/reset",
                body=params,
                timeout_s=request_timeout,
            )
        )
