"""What the log list keeps of its own, in the schema `loglist`."""

from compliance.loglist.models.login import LoginFailure

__all__ = ["LoginFailure"]
