"""The client as it is written: asynchronous. `generate.py` makes `_sync` from these modules."""
