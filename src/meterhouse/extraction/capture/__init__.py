"""Pure functions from the recorded calls of a page to a strategy that makes the call itself, and its runs."""
