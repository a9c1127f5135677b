"""`python -m bench [--quick]`: print the benchmark tables."""

from bench.ingest import main

if __name__ == "__main__":
    main()
