"""Why a probe came back empty; it becomes a fact, not a crash."""


class ProbeError(Exception):
    """What was asked could not be answered; the text says why, for the report."""
