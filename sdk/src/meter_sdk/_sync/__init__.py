"""The synchronous client, generated from `_async` (except `concurrency.py`, its counterpart by hand)."""
