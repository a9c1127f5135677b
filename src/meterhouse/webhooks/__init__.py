"""Webhooks: tells programs and people elsewhere what happened here."""
