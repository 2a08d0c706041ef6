"""Message-IDs out of a message's headers (RFC 5322 section 3.6.4), as strangers write them.

A reply names its parent in In-Reply-To, and in References all before it, the first one first. What
is kept can be found again: an id is the same text as a message's own and in a reply to it. Never
raises.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from compliance.messagelog.text import INDEXED_CHARACTERS, bounded, clean, eight_bit

# Of a longer thread the first is kept, which all of it share, and the last ones.
MAX_REFERENCES = 20

_ID = re.compile(r"<([^<>]+)>")
_SPACE = re.compile(r"\s+")


def own(values: Sequence[bytes]) -> str:
    """Return a message's own id, as its first Message-ID header has it; empty without one.

    One without angle brackets is kept as it stands, though no reply can be told to refer to it.
    """
    if not values:
        return ""
    return next(_ids(values[0]), None) or _kept(clean(eight_bit(values[0])))


def referred(references: Iterable[bytes], in_reply_to: Iterable[bytes]) -> list[str]:
    """Return the ids that a message refers to, each once; at most MAX_REFERENCES.

    What isn't in angle brackets is words that some programs write around the id.
    """
    values = (*references, *in_reply_to)
    ids = list(dict.fromkeys(one for value in values for one in _ids(value)))
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]


def _ids(value: bytes) -> Iterator[str]:
    """Yield what stands in angle brackets, in order."""
    for inner in _ID.findall(clean(eight_bit(value))):
        # Some programs fold a long id in its middle.
        if bare := _SPACE.sub("", inner):
            yield _kept(f"<{bare}>")


def _kept(message_id: str) -> str:
    return bounded(message_id, INDEXED_CHARACTERS)
