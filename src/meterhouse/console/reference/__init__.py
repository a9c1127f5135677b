"""The API reference: pages made from the contracts."""
