"""Message-IDs out of a message's headers (RFC 5322 section 3.6.4), as strangers write them.

A reply names its parent in In-Reply-To, and in References all before it, the first one first. What
is kept can be found again: an id is the same text as a message's own and in a reply to it. Never
raises.
"""

import re
from collections.abc import Iterable, Sequence

from compliance.messagelog.text import INDEXED_CHARACTERS, bounded, clean, eight_bit

# Of a longer thread the first is kept, which all of it share, and the last ones.
MAX_REFERENCES = 20

_ID = re.compile(r"<([^<>]+)>")
_SPACE = re.compile(r"\s+")


def own(values: Sequence[bytes]) -> str:
    """Return a message's own id, as its first Message-ID header has it; empty without one."""
    return _kept(clean(eight_bit(values[0]))) if values else ""


def referred(references: Iterable[bytes], in_reply_to: Iterable[bytes]) -> list[str]:
    """Return the ids that a message refers to, each once; at most MAX_REFERENCES.

    What isn't in angle brackets is words that some programs write around the id.
    """
    found: dict[str, None] = {}
    for value in (*references, *in_reply_to):
        for inner in _ID.findall(clean(eight_bit(value))):
            # Some programs fold a long id in its middle.
            if bare := _SPACE.sub("", inner):
                found[_kept(f"<{bare}>")] = None
    ids = list(found)
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]


def _kept(message_id: str) -> str:
    return bounded(message_id, INDEXED_CHARACTERS)
