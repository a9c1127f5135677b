"""Entitlements, grants and balances: who may use what."""
