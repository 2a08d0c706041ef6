"""Rows of the log as they are stored, each once, however many or late they come."""

from collections.abc import Callable, Iterator
from itertools import islice

from compliance.messagelog.answers import Row
from compliance.messagelog.capture import PROBE_LABEL
from compliance.messagelog.reading import Filter, Reader, SessionEndedError

_BATCH = 500


class Follower:
    """Gives what is stored from its making on, by each outbox's own order.

    An outbox's sequence tells what is new, not the time of acceptance: an entry that waited for the
    database is as new as any. The trail has what was wanted, and a reading of all that came.
    """

    def __init__(self, begin: Callable[[], Reader], wanted: Filter) -> None:
        """begin: lets the reader, who may read everything, in; anew when the session has ended."""
        self._begin = begin
        self._wanted = wanted
        self._reader = begin()
        self._read = self._reader.heads()
        self._reading = self._reader.ask("list", wanted)

    def news(self) -> Iterator[Row]:
        """Give the wanted rows that came since the last call, each with what became of it."""
        try:
            for outbox, head in self._reader.heads().items():
                if head > self._read.get(outbox, 0):
                    yield from self._of_outbox(outbox)
        except SessionEndedError:  # what is left comes by the next call
            self._reader = self._begin()
            self._reading = self._reader.ask("list", self._wanted)

    def _of_outbox(self, outbox: str) -> Iterator[Row]:
        rows = self._reader.news(outbox, self._read.get(outbox, 0))
        while batch := list(islice(rows, _BATCH)):
            wanted = [row for row in batch if _is_wanted(row, self._wanted)]
            told = self._reader.with_outcomes(self._reading, wanted)
            self._read[outbox] = batch[-1]["sequence"]
            yield from told


def _is_wanted(row: Row, wanted: Filter) -> bool:
    """Say whether a row is of the unit, direction and address that are wanted, and no probe."""
    address = wanted.as_dict().get("address")
    return (
        row["label"] != PROBE_LABEL
        and wanted.unit in (None, row["sender_unit"], row["recipient_unit"])
        and wanted.direction in (None, row["direction"])
        and (address is None or address.lower() in _addresses(row))
    )


def _addresses(row: Row) -> list[str]:
    """Return the addresses that a row is found by, as `log.addresses_of` has them."""
    authors = (row["from_address"] or "").lower().split(", ")
    return [row["recipient"].lower(), row["envelope_sender"].lower(), *authors]
