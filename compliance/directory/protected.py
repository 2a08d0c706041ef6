"""Which addresses lead to somebody with a protected identity (P1)."""

import re
from collections.abc import Collection, Iterator

from ldap3.utils.conv import escape_filter_chars

from compliance.directory.ldap import Connection, search

_AT_ONCE = 50  # holders in one question


def addresses(connection: Connection, base: str) -> frozenset[str]:
    """Return every address that people with protected identity have or ever had, in lower case.

    Those that they had before they were protected show who they are, and stand in the ledger.
    """
    asked = ("kommunpostHolder", "kommunpostAddress", "mail")
    found: set[str] = set()
    holders: list[str] = []
    for _, raw in search(connection, f"ou=people,{base}", "(kommunpostReference=*)", asked):
        holders += _texts(raw.get("kommunpostHolder", []))
        found |= {*_texts(raw.get("kommunpostAddress", [])), *_texts(raw.get("mail", []))}
    for at in range(0, len(holders), _AT_ONCE):
        of = "".join(
            f"(kommunpostHolder={escape_filter_chars(holder)})"
            for holder in holders[at : at + _AT_ONCE]
        )
        for _, raw in search(
            connection, f"ou=addresses,{base}", f"(|{of})", ("kommunpostAddress",), "LEVEL"
        ):
            found |= set(_texts(raw["kommunpostAddress"]))
    return frozenset(address.lower() for address in found)


class Finder:
    """Finds addresses in texts."""

    def __init__(self, wanted: Collection[str]) -> None:
        """wanted: addresses in lower case."""
        parts = (address.partition("@") for address in sorted(wanted))
        # What stands behind a plus leads to the same mailbox.
        each = [
            rf"{re.escape(local)}(?:\+[^\s@]{{0,64}})?@{re.escape(at)}" for local, _, at in parts
        ]
        self._pattern = re.compile(rf"(?<![\w.+-])(?:{'|'.join(each)})(?![\w-])") if each else None

    def is_in(self, text: str) -> bool:
        """Say whether one of them stands in a text, in any case."""
        return self._pattern is not None and self._pattern.search(text.lower()) is not None


def _texts(values: list[bytes]) -> Iterator[str]:
    return (value.decode() for value in values)
