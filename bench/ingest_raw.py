"""The raw engine's insert rate, in a process of its own: `python -m bench.ingest_raw FOLDER BLOCKS`."""

from __future__ import annotations

import json
import sys

from bench.ingest import insert_raw

if __name__ == "__main__":
    print(json.dumps(insert_raw(sys.argv[1], int(sys.argv[2]))))
