-- The same table with small granules: a question about one owner reads a granule of each part, and a cell takes
-- a hundred bytes or more. What was in the table is made again from the events. Processes of a release before
-- this file must have ended, because they may go by what is thrown away.
CREATE OR REPLACE TABLE rollups
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
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, max_suspicious_broken_parts = 0,
    min_rows_to_fsync_after_merge = 1
