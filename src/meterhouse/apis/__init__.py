"""Thin wire facades: each translates, authenticates and pages, and holds no rule. See README.md."""
