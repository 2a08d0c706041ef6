"""What the log list keeps of its own, in the schema `loglist`."""

from compliance.loglist.models.login import LoginFailure
from compliance.loglist.models.second_factor import SecondFactor

__all__ = ["LoginFailure", "SecondFactor"]
