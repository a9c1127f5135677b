"""`python -m bench [--quick]`: print the benchmark tables."""

import sys

from bench.extraction import main as extraction
from bench.ingest import main as ingest
from bench.jobs import main as jobs
from bench.schedules import main as schedules
from bench.webhooks import main as webhooks

if __name__ == "__main__":
    quick = [one for one in sys.argv[1:] if one == "--quick"]
    ingest()
    print()
    extraction(quick)
    for bench in (jobs, schedules, webhooks):
        print()
        bench(quick)
