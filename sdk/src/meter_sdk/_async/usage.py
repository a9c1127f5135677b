"""The two namespaces in which OpenMeter's and Polar's operations meet: events and meters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from re import compile as pattern
from typing import TYPE_CHECKING, Any, Union

from .._event import completed
from ..errors import ArgumentError
from .buffer import BufferedEvents
from .namespaces import events as generated_events
from .namespaces import meters as generated_meters
from .namespaces.polar import PolarEvents, PolarMeters

if TYPE_CHECKING:
    from ..types import openmeter, polar

    AnyMeter = Union[openmeter.Meter, polar.Meter]

UUID = pattern(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
POLAR_METER_FIELDS = ("filter", "unit", "custom_label", "custom_multiplier", "is_archived")


class Events(generated_events.Events):
    """Usage events: sending them singly, in batches and buffered, and reading them back."""

    async def ingest_event(
        self, event: openmeter.Event | Mapping[str, Any], *, request_timeout: float | None = None
    ) -> None:
        """Send one event. A repeat of the same source and id counts once, so the call is repeated if need be.

        `POST /api/v1/events`

        Args:
            event: A CloudEvent: `source`, `type`, `subject`, and usually `id`, `time` and `data`. An `id` and the
                `specversion` are added if missing.
            request_timeout: Seconds for this call.

        Raises:
            ArgumentError: The event lacks something.
            InvalidRequestError: The server refuses the event.

        Reference: OpenMeter, sections 1.1 and 1.2.
        """
        await super().ingest_event(completed(event), request_timeout=request_timeout)

    async def ingest_events(
        self,
        events: Sequence[openmeter.Event | Mapping[str, Any]],
        *,
        request_timeout: float | None = None,
    ) -> None:
        """Send several events in one request: all or none.

        `POST /api/v1/events`

        Args:
            events: CloudEvents, as for `ingest_event`.
            request_timeout: Seconds for this call.

        Raises:
            ArgumentError: There is no event, or one lacks something.
            InvalidRequestError: The server refuses an event, and with it all of them.

        Reference: OpenMeter, sections 1.1 and 1.2.
        """
        if isinstance(events, (str, bytes, Mapping)) or not events:
            raise ArgumentError("events must be a list of at least one event.")
        await super().ingest_events([completed(event) for event in events], request_timeout=request_timeout)

    async def ingest(self, events: Any, *, request_timeout: float | None = None) -> polar.EventsIngestResponse:
        """Send events in Polar's form: all or none.

        `POST /v1/events/ingest`

        Args:
            events: The events, or `{"events": [...]}`. Each has a `name` and `customer_id` or
                `external_customer_id`. With an `external_id` a repeat counts once; the call is repeated by itself
                only if all events have one.
            request_timeout: Seconds for this call.

        Returns:
            How many events were `inserted` and how many were `duplicates`.

        Raises:
            ArgumentError: The argument has another form.
            InvalidRequestError: An event is refused, and with it all of them.

        Reference: Polar, section 8.
        """
        listed = events.get("events") if isinstance(events, Mapping) else events
        if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Iterable):
            raise ArgumentError('events must be a list of events, or {"events": [...]}.')
        body = {"events": list(listed)}
        return await PolarEvents(self._transport).ingest(body, request_timeout=request_timeout)

    def buffered(
        self,
        *,
        max_items: int = 1000,
        max_seconds: float = 1.0,
        max_pending: int = 100_000,
        when_full: str = "block",
        source: str | None = None,
        senders: int = 2,
        on_reject: Callable[[Any], Any] | None = None,
        exit_timeout: float = 30.0,
    ) -> BufferedEvents:
        """Collect events from many tasks and send them in batches; see `BufferedEvents`.

        Args:
            max_items: Events in a batch.
            max_seconds: How long an event waits for its batch to fill.
            max_pending: Events held at most, those on their way included.
            when_full: `block` until there is room, or `raise` a `BufferFullError`.
            source: The source of events that have none.
            senders: Batches on their way at the same time.
            on_reject: Told of each event that the server refuses for good.
            exit_timeout: Seconds to deliver the rest when the program ends.

        Returns:
            A buffer with `add`, `add_many`, `flush` and `close`; a context manager that closes.

        Raises:
            ArgumentError: An argument is out of its range.

        Reference: OpenMeter, sections 1.1, 1.2 and 9.3.
        """
        return BufferedEvents(
            self._transport,
            max_items=max_items,
            max_seconds=max_seconds,
            max_pending=max_pending,
            when_full=when_full,
            source=source,
            senders=senders,
            on_reject=on_reject,
            exit_timeout=exit_timeout,
        )


class Meters(generated_meters.Meters):
    """Meters in both forms. The server keeps one set; a definition in either form is a meter of the other too."""

    async def create(  # type: ignore[override]  # either form in, the same form out
        self,
        meter: openmeter.MeterCreate | polar.MeterCreate | Mapping[str, Any],
        *,
        request_timeout: float | None = None,
    ) -> AnyMeter:
        """Create a meter from either form of definition.

        `POST /api/v1/meters`, or `POST /v1/meters/` for a definition with a filter tree.

        Args:
            meter: `slug`, `eventType`, `aggregation` and so on (OpenMeter), or `name`, `filter` and an `aggregation`
                with a `func` (Polar).
            request_timeout: Seconds for this call.

        Returns:
            The meter in the form that was given.

        Raises:
            InvalidRequestError: The definition is malformed.
            ConflictError: There is a meter with this slug.

        Reference: OpenMeter, section 2.1; Polar, section 4.2.
        """
        if _is_polar(meter):
            made: AnyMeter = await PolarMeters(self._transport).create(meter, request_timeout=request_timeout)
            return made
        return await super().create(meter, request_timeout=request_timeout)

    async def get(  # type: ignore[override]  # the form goes by the spelling of the id
        self, meter_id_or_slug: str, *, request_timeout: float | None = None
    ) -> AnyMeter:
        """Get a meter.

        `GET /api/v1/meters/{meterIdOrSlug}`, or `GET /v1/meters/{id}` for a UUID, as Polar spells ids.

        Args:
            meter_id_or_slug: A slug, a ULID or a UUID.
            request_timeout: Seconds for this call.

        Returns:
            The meter in OpenMeter's form, or for a UUID in Polar's.

        Raises:
            NotFoundError: There is no such meter.

        Reference: OpenMeter, section 2.1; Polar, section 4.1.
        """
        if UUID.fullmatch(str(meter_id_or_slug)):
            meter: AnyMeter = await PolarMeters(self._transport).get(
                str(meter_id_or_slug), request_timeout=request_timeout
            )
            return meter
        return await super().get(meter_id_or_slug, request_timeout=request_timeout)

    async def update(
        self,
        meter_id_or_slug: str,
        meter: Mapping[str, Any],
        *,
        request_timeout: float | None = None,
    ) -> AnyMeter:
        """Change a meter in either form.

        `PUT /api/v1/meters/{meterIdOrSlug}`, or `PATCH /v1/meters/{id}` for fields that only Polar has.

        Args:
            meter_id_or_slug: The meter; by its id for Polar's fields.
            meter: The fields of OpenMeter's update, or those of Polar's (`filter`, `unit`, `is_archived`, …).
            request_timeout: Seconds for this call.

        Returns:
            The meter in the form that was given.

        Raises:
            NotFoundError: There is no such meter.
            InvalidRequestError: A field is malformed or can no longer be changed.

        Reference: OpenMeter, section 2.1; Polar, section 4.3.
        """
        if _is_polar(meter):
            changed: AnyMeter = await PolarMeters(self._transport).update(
                meter_id_or_slug, meter, request_timeout=request_timeout
            )
            return changed
        return await self.update_json(meter_id_or_slug, meter, request_timeout=request_timeout)

    async def quantities(
        self,
        id: str,
        params: Mapping[str, Any] | None = None,
        *,
        start_timestamp: datetime | str | None = None,
        end_timestamp: datetime | str | None = None,
        interval: str | None = None,
        timezone: str | None = None,
        customer_id: str | Sequence[str] | None = None,
        external_customer_id: str | Sequence[str] | None = None,
        customer_aggregation_function: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        request_timeout: float | None = None,
    ) -> polar.MeterQuantities:
        """Get a meter's quantities over time.

        `GET /v1/meters/{id}/quantities`

        Args:
            id: The meter's id.
            params: The query parameters as a mapping.
            start_timestamp: The first instant; required.
            end_timestamp: The last one; required.
            interval: `hour`, `day`, `week`, `month` or `year`; required.
            timezone: IANA name of the zone in which days begin.
            customer_id: Only events of these customers.
            external_customer_id: Only events of these customers, by external id.
            customer_aggregation_function: How the customers' quantities are combined.
            metadata: Only events with this metadata.
            request_timeout: Seconds for this call.

        Returns:
            The `quantities`, an entry per interval, and their `total`.

        Raises:
            InvalidRequestError: A parameter is malformed, or the span is too long for the interval.
            NotFoundError: There is no such meter.

        Reference: Polar, section 7.
        """
        options: dict[str, Any] = {
            "start_timestamp": start_timestamp,
            "end_timestamp": end_timestamp,
            "interval": interval,
            "timezone": timezone,
            "customer_id": customer_id,
            "external_customer_id": external_customer_id,
            "customer_aggregation_function": customer_aggregation_function,
            "metadata": metadata,
        }
        return await PolarMeters(self._transport).quantities(id, params, request_timeout=request_timeout, **options)

    async def events(
        self,
        id: str,
        params: Mapping[str, Any] | None = None,
        *,
        page: int | None = None,
        limit: int | None = None,
        request_timeout: float | None = None,
    ) -> polar.ListResource_Event:
        """List the events that a meter counts, newest first.

        `GET /v1/meters/{id}/events`

        Args:
            id: The meter's id.
            params: The query parameters as a mapping.
            page: Which page, from 1.
            limit: Events on a page, 10 if not given, at most 100.
            request_timeout: Seconds for this call.

        Returns:
            The page: `items` and `pagination`. `iter_events` walks through all.

        Raises:
            NotFoundError: There is no such meter.

        Reference: Polar, section 4.5.
        """
        return await PolarMeters(self._transport).events(
            id, params, page=page, limit=limit, request_timeout=request_timeout
        )

    def iter_events(self, id: str, *, page_size: int = 100) -> AsyncIterator[polar.Event]:
        """Walk through all events that a meter counts, `page_size` at a time.

        Reference: Polar, section 4.5.
        """
        return PolarMeters(self._transport).iter_events(id, page_size=page_size)


def _is_polar(meter: Any) -> bool:
    """Whether a definition is in Polar's form."""
    if not isinstance(meter, Mapping):
        raise ArgumentError(f"A meter must be a mapping, not {type(meter).__name__}.")
    if isinstance(meter.get("aggregation"), Mapping):
        return True
    return any(name in meter for name in POLAR_METER_FIELDS)
