"""Pure functions from a strategy, its page and a few plain sentences to a changed strategy."""
