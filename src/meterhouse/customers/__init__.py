"""Customers and subjects: who usage belongs to, shared by every facade."""
