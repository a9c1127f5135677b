"""`python -m bench [--quick] [NAME …]`: print the benchmark tables, all of them or those named."""

import sys

from bench.entitlements import main as entitlements
from bench.extraction import main as extraction
from bench.ingest import main as ingest
from bench.jobs import main as jobs
from bench.schedules import main as schedules
from bench.soak import main as soak
from bench.usage import main as usage
from bench.webhooks import main as webhooks

TABLES = {
    "ingest": ingest,
    "usage": usage,
    "soak": soak,
    "entitlements": entitlements,
    "extraction": extraction,
    "jobs": jobs,
    "schedules": schedules,
    "webhooks": webhooks,
}


def main(arguments: list[str]) -> None:
    quick = [one for one in arguments if one == "--quick"]
    names = [one for one in arguments if one != "--quick"] or list(TABLES)
    if unknown := [name for name in names if name not in TABLES]:
        sys.exit(f"There is no table {', '.join(unknown)}; there are {', '.join(TABLES)}.")
    for name in names:
        TABLES[name](quick)
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
