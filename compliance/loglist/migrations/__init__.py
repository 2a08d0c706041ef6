"""The log list's own tables, step by step."""
