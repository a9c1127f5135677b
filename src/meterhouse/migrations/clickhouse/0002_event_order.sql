-- The order in which events were stored: whatever is derived from them says up to which `seq` it reaches,
-- so that late events count at once. Blocks are stored one after another with rising numbers; once a number
-- is visible, no event with a lower one can still appear. The index passes over what holds nothing newer.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS seq UInt64 CODEC(ZSTD(1)),
    ADD INDEX IF NOT EXISTS by_seq seq TYPE minmax GRANULARITY 1
