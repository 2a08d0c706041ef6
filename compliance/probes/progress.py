"""How a probe tells how far it has come, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Receives steps by key; the listener has the words."""

    def step(self, key: str, total: int = 0) -> None:
        """Begin a step of `total` parts; 0 means that it has none to count."""

    def advance(self, count: int = 1) -> None:
        """Tell that this many parts of the step are done."""
