"""The event table as queries see it: the one place that knows its column names."""

from __future__ import annotations

TABLE = "events"
STORED = '"events"'
"""The same table in a spelling that stands for what was stored, whatever was corrected since."""

ORGANISATION = "organisation_id"
TYPE = "type"
SUBJECT = "subject"
TIME = "time"
SOURCE = "source"
ID = "id"
UID = "uid"
ORIGIN = "origin"
CUSTOMER = "customer_id"
MEMBER = "member_id"
EXTERNAL_MEMBER = "external_member_id"
PARENT = "parent_id"
INGESTED_AT = "ingested_at"
STORED_AT = "stored_at"
DATA = "data"
SEQ = "seq"

EVENT_COLUMNS = (
    ORGANISATION,
    TYPE,
    SOURCE,
    ID,
    SUBJECT,
    TIME,
    INGESTED_AT,
    UID,
    DATA,
    ORIGIN,
    CUSTOMER,
    MEMBER,
    EXTERNAL_MEMBER,
    PARENT,
    STORED_AT,
)
"""Columns of a read event, in the order in which a row turns into a `StoredEvent`."""
