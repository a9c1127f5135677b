"""Put events straight into the engine of a stopped server: `python -m bench.usage_load FOLDER FROM TO`."""

from __future__ import annotations

import sys

from bench.usage import CHUNK, HUGE, MONTH_S, MONTH_START_S, TYPE

from meterhouse.platform.events_engine import EngineHandle, parse_target

INSERT = f"""
INSERT INTO events
(organisation_id, type, subject, time, source, id, uid, origin, ingested_at, stored_at, data, key, seq)
SELECT {{organisation:UUID}}, '{TYPE}',
  multiIf(number % 10 = 9, '{HUGE}', number % 2 = 0, concat('large-', toString(intDiv(number, 2) % 50)),
          concat('small-', toString(cityHash64(number) % 5000))),
  toDateTime64({MONTH_START_S} + intDiv((number - {{low:UInt64}}) * {MONTH_S}, {{span:UInt64}}), 6, 'UTC'),
  'bench/gateway', concat('event-', toString(number)), generateUUIDv7(number), 'user', now64(6), now64(6),
  concat('{{"tokens": ', toString(number % 1000), ', "model": "model-', toString(cityHash64(number, 1) % 10),
         '", "duration_ms": ', toString(number % 7919), ', "path": "/v1/chat/completions", "ok": true}}'),
  reinterpretAsUInt128(sipHash128(number)), number + 2
FROM numbers({{first:UInt64}}, {{count:UInt64}})
SETTINGS max_threads = 1, min_insert_block_size_rows = {CHUNK}
"""


def main() -> None:
    folder, first, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    handle = EngineHandle.open(parse_target(f"chdb://{folder}/data/events"))
    organisation = handle.query("SELECT toString(any(organisation_id)) FROM events", None, 60)[1][0][0]
    for start in range(first, end, CHUNK):
        bound = {
            "organisation": organisation,
            "low": first,
            "span": end - first,
            "first": start,
            "count": min(CHUNK, end - start),
        }
        handle.command(INSERT, bound, 600)
    handle.close()


if __name__ == "__main__":
    main()
