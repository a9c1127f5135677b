"""`python -m bench [--quick]`: print the benchmark tables."""

import sys

from bench.extraction import main as extraction
from bench.ingest import main as ingest

if __name__ == "__main__":
    ingest()
    print()
    extraction([one for one in sys.argv[1:] if one == "--quick"])
