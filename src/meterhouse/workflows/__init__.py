"""Workflows: strategies that feed each other, run as a graph on stored state."""
