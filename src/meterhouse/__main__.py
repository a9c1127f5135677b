"""`python -m meterhouse` is the same as `meterhouse`."""

from meterhouse.cli.main import main

main()
