"""The diary: its numbers, its exports, and which mail stands in it."""
