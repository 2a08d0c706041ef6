"""Readers of the municipality's own sources, one interface."""
