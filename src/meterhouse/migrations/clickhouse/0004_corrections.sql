-- Events deleted or replaced, one row each, in order of `version`: the audit trail and the correction itself,
-- so that there is nothing that could fall out of step. Raw events stay as they are; readers leave out those
-- whose `removed_uid` is named here and read the row of a replacement instead. The columns from
-- `organisation_id` to `key` are those of `events` and hold what stands now (for a deletion, what was).
CREATE TABLE IF NOT EXISTS corrections
(
    version UInt64,
    correction_id UUID,
    is_deletion Bool,
    corrected_at DateTime64(6, 'UTC'),
    corrected_by String,
    reason String,
    removed_uid UUID,
    removed_type String,
    removed_subject String,
    removed_customer_id String,
    removed_time DateTime64(6, 'UTC'),
    removed_data String CODEC(ZSTD(1)),
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
    key UInt128
)
ENGINE = MergeTree
ORDER BY (organisation_id, version)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, max_suspicious_broken_parts = 0,
    min_rows_to_fsync_after_merge = 1
