# Generated from _async by generate.py.
"""Schedules of workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _arguments as check
from .._call import Call
from .._unset import UNSET, clearable, given
from .operations import Operations
from .schedules import changed_webhook
from .workflows import path_of

if TYPE_CHECKING:
    from ..types import meter as types


class WorkflowSchedules(Operations):
    """The schedules of workflows. Reference: Meter, section 14.6."""

    def schedule_workflow(
        self,
        workflow_id: str,
        interval_seconds: int | None = None,
        cron_expression: str | None = None,
        webhook_url: str | None = None,
        webhook_metadata: Mapping[str, Any] | None = None,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        *,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.WorkflowSchedule:
        """Run a workflow again and again. The arguments are those of `create_schedule`.

        Returns:
            The schedule.

        Raises:
            ArgumentError: Both or neither of interval and cron, or a malformed argument.
            NotFoundError: There is no such workflow.

        Reference: Meter, section 14.6.
        """
        body = {
            **check.one_timing(interval_seconds, cron_expression),
            **check.webhook(url=webhook_url, metadata=webhook_metadata, secret=webhook_secret, kind=webhook_type),
            **given(timezone=timezone),
        }
        schedule: types.WorkflowSchedule = self._send(
            Call("POST", path_of(workflow_id, "/schedules"), body=body, timeout_s=request_timeout)
        )
        return schedule

    def list_workflow_schedules(
        self, workflow_id: str, *, request_timeout: float | None = None
    ) -> list[types.WorkflowScheduleListItem]:
        """List the schedules of a workflow.

        Args:
            workflow_id: The workflow.
            request_timeout: Seconds for this call.

        Returns:
            The schedules, without their secrets.

        Raises:
            NotFoundError: There is no such workflow.

        Reference: Meter, section 14.6.
        """
        schedules: list[types.WorkflowScheduleListItem] = self._send(
            Call("GET", path_of(workflow_id, "/schedules"), timeout_s=request_timeout)
        )
        return schedules

    @clearable
    def update_workflow_schedule(
        self,
        workflow_id: str,
        schedule_id: str,
        enabled: bool | None = None,
        interval_seconds: int | None = None,
        cron_expression: str | None = None,
        webhook_url: str | None = UNSET,
        webhook_metadata: Mapping[str, Any] | None = UNSET,
        webhook_secret: str | None = UNSET,
        webhook_type: str | None = UNSET,
        *,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.WorkflowSchedule:
        """Change a workflow's schedule. What is not given stays; `None` clears, as for `update_schedule`.

        Returns:
            The schedule after the change.

        Raises:
            ArgumentError: Both of interval and cron, or a malformed argument.
            NotFoundError: There is no such schedule.

        Reference: Meter, section 14.6.
        """
        if enabled is not None:
            check.flag(enabled, "enabled")
        body = {
            **given(enabled=enabled, timezone=timezone),
            **check.one_timing(interval_seconds, cron_expression, required=False),
            **changed_webhook(webhook_url, webhook_metadata, webhook_secret, webhook_type),
        }
        path = _schedule_path(workflow_id, schedule_id)
        schedule: types.WorkflowSchedule = self._send(Call("PATCH", path, body=body, timeout_s=request_timeout))
        return schedule

    def regenerate_workflow_schedule_secret(
        self, workflow_id: str, schedule_id: str, *, request_timeout: float | None = None
    ) -> types.WorkflowSchedule:
        """Replace the webhook secret of a workflow's schedule; the old one is void at once.

        Args:
            workflow_id: The workflow.
            schedule_id: The schedule.
            request_timeout: Seconds for this call.

        Returns:
            The schedule with the new `webhook_secret`, shown only here.

        Raises:
            NotFoundError: There is no such schedule.
            InvalidRequestError: It has no webhook.

        Reference: Meter, sections 14.6 and 19, item 11.
        """
        schedule: types.WorkflowSchedule = self._send(
            Call(
                "PATCH",
                _schedule_path(workflow_id, schedule_id),
                body={"webhook_secret": ""},
                timeout_s=request_timeout,
            )
        )
        return schedule

    def delete_workflow_schedule(
        self, workflow_id: str, schedule_id: str, *, request_timeout: float | None = None
    ) -> types.Message:
        """Delete a workflow's schedule. Its runs stay.

        Args:
            workflow_id: The workflow.
            schedule_id: The schedule.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such schedule.

        Reference: Meter, section 14.6.
        """
        message: types.Message = self._send(
            Call("DELETE", _schedule_path(workflow_id, schedule_id), timeout_s=request_timeout)
        )
        return message


def _schedule_path(workflow_id: str, schedule_id: str) -> str:
    return path_of(workflow_id, f"/schedules/{check.segment(schedule_id, 'schedule_id')}")
