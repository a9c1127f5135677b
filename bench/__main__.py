"""`python -m bench [--quick]`: print the benchmark tables."""

import sys

from bench.extraction import main as extraction
from bench.ingest import main as ingest
from bench.webhooks import main as webhooks

if __name__ == "__main__":
    quick = [one for one in sys.argv[1:] if one == "--quick"]
    ingest()
    print()
    extraction(quick)
    print()
    webhooks(quick)
