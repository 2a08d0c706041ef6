"""How a service writes to the journal: to standard error, with the priority before each line."""

import logging


class _Priority(logging.Formatter):
    """Puts the priority before each line, as the journal reads it from standard error."""

    def format(self, record: logging.LogRecord) -> str:
        level = {logging.ERROR: 3, logging.CRITICAL: 2, logging.WARNING: 4}.get(record.levelno, 6)
        return "\n".join(f"<{level}>{line}" for line in super().format(record).splitlines())


def log_to_journal() -> None:
    """Let what modules log reach the journal."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Priority("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
