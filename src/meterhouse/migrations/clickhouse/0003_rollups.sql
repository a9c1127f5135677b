-- Aggregates of meters per hour or minute, derived from `events` and never the truth: dropping a partition
-- loses nothing but time. `definition` is a hash of everything that a meter's quantities depend on, so a
-- changed meter has other rows. Rows are never changed: a batch holds the events of `seq` from `since` to
-- `upto`, and a reader takes the batches up to the number that it goes by. A batch is one part and brings its
-- mark (level 0) in the same part, so there are no halves of batches. Small batches (tier 0) are folded into
-- larger ones (tier 1); those of one `epoch` are folded together, and are dropped together a while later.
-- Merged parts are synced, because a lost part would be a hole.
CREATE TABLE IF NOT EXISTS rollups
(
    definition UInt128,
    tier UInt8,
    epoch UInt64,
    level UInt8,
    subject String,
    customer_id String,
    start Int64,
    groups Array(String),
    since UInt64,
    upto UInt64,
    n UInt64,
    total Decimal(76, 38),
    wide Map(UInt16, Int128),
    number Float64,
    newest Tuple(DateTime64(6, 'UTC'), String),
    keys AggregateFunction(uniqExact, String),
    first_at Int64,
    last_at Int64
)
ENGINE = MergeTree
PARTITION BY (definition, tier, epoch)
ORDER BY (definition, level, subject, customer_id, start)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, max_suspicious_broken_parts = 0,
    min_rows_to_fsync_after_merge = 1
