"""Handlers, one module per resource. Every module here is imported at start."""
