-- Raw usage events: the truth that every quantity is computed from; rows are never rewritten.
-- `key` is the 128-bit hash of the event's identity (organisation, source, id). The projection keeps
-- a copy of it in hash order inside the same part, so "is it stored already?" needs no second table
-- that could fall out of step. Its granules are small because it only serves look-ups of single keys,
-- and it is written when parts merge, not on insert: fresh parts are small enough to scan.
-- Small parts are packed into one file each: creating twenty files for every block of a few events
-- costs more than storing them.
-- A damaged part is refused at start (no suspicious part is tolerated): events never vanish silently.
CREATE TABLE IF NOT EXISTS events
(
    organisation_id UUID,
    type String,
    subject String,
    time DateTime64(6, 'UTC'),
    source String,
    id String,
    uid UUID,
    origin Enum8('user' = 1, 'system' = 2),
    customer_id String,
    member_id String,
    external_member_id String,
    parent_id String,
    ingested_at DateTime64(6, 'UTC'),
    stored_at DateTime64(6, 'UTC'),
    data String CODEC(ZSTD(1)),
    key UInt128,
    PROJECTION by_key (SELECT key ORDER BY key) WITH SETTINGS (index_granularity = 1024)
)
ENGINE = MergeTree
ORDER BY (organisation_id, type, subject, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, max_suspicious_broken_parts = 0,
    min_bytes_for_full_part_storage = 10000000,
    materialize_projections_on_insert = 0, materialize_projections_on_merge = 1
