"""The operations under `notification`. Generated from the contract by `generate.py`."""

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


class Notification(Operations):
    """The operations under `notification`."""

    async def create_channel(
        self,
        channel: t.Union[types.NotificationChannelCreateRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationChannel:
        """Create notification channel.

        `POST /api/v1/notification/channels`

        Args:
            channel: The fields of `NotificationChannelCreateRequest`.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationChannel`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationChannel = await self._send(
            Call("POST", "/api/v1/notification/channels", body=channel, timeout_s=request_timeout)
        )
        return answer

    async def get_channel(
        self, channel_id: str, *, request_timeout: t.Optional[float] = None
    ) -> types.NotificationChannel:
        """Get notification channel.

        `GET /api/v1/notification/channels/{channelId}`

        Args:
            channel_id: `channelId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationChannel`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationChannel = await self._send(
            Call("GET", f"/api/v1/notification/channels/{segment(channel_id, 'channel_id')}", timeout_s=request_timeout)
        )
        return answer

    async def update_channel(
        self,
        channel_id: str,
        channel: t.Union[types.NotificationChannelCreateRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationChannel:
        """Update notification channel.

        `PUT /api/v1/notification/channels/{channelId}`

        Args:
            channel_id: `channelId` of the path.
            channel: The fields of `NotificationChannelCreateRequest`.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationChannel`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationChannel = await self._send(
            Call(
                "PUT",
                f"/api/v1/notification/channels/{segment(channel_id, 'channel_id')}",
                body=channel,
                timeout_s=request_timeout,
            )
        )
        return answer

    async def list_channels(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        include_disabled: t.Optional[bool] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.NotificationChannelOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationChannelPaginatedResponse:
        """List notification channels.

        `GET /api/v1/notification/channels`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            include_disabled: `includeDisabled` of the query. false if not given.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationChannelPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "includeDisabled": include_disabled,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {
                "include_deleted": "includeDeleted",
                "include_disabled": "includeDisabled",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.NotificationChannelPaginatedResponse = await self._send(
            Call("GET", "/api/v1/notification/channels", query=encoded(wire, {}), timeout_s=request_timeout)
        )
        return answer

    def iter_channels(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.NotificationChannel]:
        """Walk through all pages of `list_channels`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 8.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_channels(params, **options)

        return by_number(fetch, size)

    async def delete_channel(self, channel_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete notification channel.

        `DELETE /api/v1/notification/channels/{channelId}`

        Args:
            channel_id: `channelId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        await self._send(
            Call(
                "DELETE",
                f"/api/v1/notification/channels/{segment(channel_id, 'channel_id')}",
                timeout_s=request_timeout,
            )
        )

    async def create_rule(
        self,
        rule: t.Union[types.NotificationRuleCreateRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationRule:
        """Create notification rule.

        `POST /api/v1/notification/rules`

        Args:
            rule: The fields of `NotificationRuleCreateRequest`.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationRule`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationRule = await self._send(
            Call("POST", "/api/v1/notification/rules", body=rule, timeout_s=request_timeout)
        )
        return answer

    async def get_rule(self, rule_id: str, *, request_timeout: t.Optional[float] = None) -> types.NotificationRule:
        """Get notification rule.

        `GET /api/v1/notification/rules/{ruleId}`

        Args:
            rule_id: `ruleId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationRule`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationRule = await self._send(
            Call("GET", f"/api/v1/notification/rules/{segment(rule_id, 'rule_id')}", timeout_s=request_timeout)
        )
        return answer

    async def update_rule(
        self,
        rule_id: str,
        rule: t.Union[types.NotificationRuleCreateRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationRule:
        """Update notification rule.

        `PUT /api/v1/notification/rules/{ruleId}`

        Args:
            rule_id: `ruleId` of the path.
            rule: The fields of `NotificationRuleCreateRequest`.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationRule`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationRule = await self._send(
            Call(
                "PUT", f"/api/v1/notification/rules/{segment(rule_id, 'rule_id')}", body=rule, timeout_s=request_timeout
            )
        )
        return answer

    async def list_rules(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        include_deleted: t.Optional[bool] = None,
        include_disabled: t.Optional[bool] = None,
        feature: t.Optional[Sequence[str]] = None,
        channel: t.Optional[Sequence[str]] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.NotificationRuleOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationRulePaginatedResponse:
        """List notification rules.

        `GET /api/v1/notification/rules`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            include_deleted: `includeDeleted` of the query. false if not given.
            include_disabled: `includeDisabled` of the query. false if not given.
            feature: `feature` of the query.
            channel: `channel` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationRulePaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        wire = merged(
            params,
            {
                "includeDeleted": include_deleted,
                "includeDisabled": include_disabled,
                "feature": feature,
                "channel": channel,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {
                "include_deleted": "includeDeleted",
                "include_disabled": "includeDisabled",
                "page_size": "pageSize",
                "order_by": "orderBy",
            },
        )
        answer: types.NotificationRulePaginatedResponse = await self._send(
            Call(
                "GET",
                "/api/v1/notification/rules",
                query=encoded(wire, {"feature": REPEATED, "channel": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_rules(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.NotificationRule]:
        """Walk through all pages of `list_rules`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 8.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_rules(params, **options)

        return by_number(fetch, size)

    async def delete_rule(self, rule_id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Delete notification rule.

        `DELETE /api/v1/notification/rules/{ruleId}`

        Args:
            rule_id: `ruleId` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        await self._send(
            Call("DELETE", f"/api/v1/notification/rules/{segment(rule_id, 'rule_id')}", timeout_s=request_timeout)
        )

    async def get_event(self, event_id: str, *, request_timeout: t.Optional[float] = None) -> types.NotificationEvent:
        """Get notification event.

        `GET /api/v1/notification/events/{eventId}`

        Args:
            event_id: `eventId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationEvent`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationEvent = await self._send(
            Call("GET", f"/api/v1/notification/events/{segment(event_id, 'event_id')}", timeout_s=request_timeout)
        )
        return answer

    async def list_events(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        feature: t.Optional[Sequence[str]] = None,
        subject: t.Optional[Sequence[str]] = None,
        rule: t.Optional[Sequence[str]] = None,
        channel: t.Optional[Sequence[str]] = None,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        order: t.Optional[types.SortOrder] = None,
        order_by: t.Optional[types.NotificationEventOrderBy] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.NotificationEventPaginatedResponse:
        """List notification events.

        `GET /api/v1/notification/events`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            from_: `from` of the query.
            to: `to` of the query.
            feature: `feature` of the query.
            subject: `subject` of the query.
            rule: `rule` of the query.
            channel: `channel` of the query.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            order: `order` of the query. "ASC" if not given.
            order_by: `orderBy` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationEventPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        wire = merged(
            params,
            {
                "from": from_,
                "to": to,
                "feature": feature,
                "subject": subject,
                "rule": rule,
                "channel": channel,
                "page": page,
                "pageSize": page_size,
                "order": order,
                "orderBy": order_by,
            },
            {"from_": "from", "page_size": "pageSize", "order_by": "orderBy"},
        )
        answer: types.NotificationEventPaginatedResponse = await self._send(
            Call(
                "GET",
                "/api/v1/notification/events",
                query=encoded(wire, {"feature": REPEATED, "subject": REPEATED, "rule": REPEATED, "channel": REPEATED}),
                timeout_s=request_timeout,
            )
        )
        return answer

    def iter_events(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.NotificationEvent]:
        """Walk through all pages of `list_events`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 8.
        """
        size = size_of(page_size)

        async def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return await self.list_events(params, **options)

        return by_number(fetch, size)

    async def test_rule(self, rule_id: str, *, request_timeout: t.Optional[float] = None) -> types.NotificationEvent:
        """Test notification rule.

        `POST /api/v1/notification/rules/{ruleId}/test`

        Args:
            rule_id: `ruleId` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `NotificationEvent`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        answer: types.NotificationEvent = await self._send(
            Call("POST", f"/api/v1/notification/rules/{segment(rule_id, 'rule_id')}/test", timeout_s=request_timeout)
        )
        return answer

    async def resend_event(
        self,
        event_id: str,
        body: t.Union[types.NotificationEventResendRequest, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> None:
        """Resend notification event.

        `POST /api/v1/notification/events/{eventId}/resend`

        Args:
            event_id: `eventId` of the path.
            body: The fields of `NotificationEventResendRequest`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 8.
        """
        await self._send(
            Call(
                "POST",
                f"/api/v1/notification/events/{segment(event_id, 'event_id')}/resend",
                body=body,
                timeout_s=request_timeout,
            )
        )
