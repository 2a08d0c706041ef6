"""The token by which a probe shows that the audit sent it. The audit signs, the milter verifies.

A probe is ordinary mail with one header of this form (RFC 5322 unstructured, one space between):

    X-Kommunpost-Probe-Token: v1 RUN EXPIRES MAC

RUN is the run's id (1 to 64 of A-Z a-z 0-9 . _ -), EXPIRES the last second of its life in Unix
time, MAC an HMAC-SHA256 in lower-case hexadecimal. The MAC covers the run, the envelope's sender
and recipient (which therefore don't stand in the header) and the expiry, each preceded by its
length, so that no two different tuples give the same bytes.
"""

import hmac
import re
import struct

TOKEN_HEADER = "X-Kommunpost-Probe-Token"  # noqa: S105 - a header's name, no secret
VERDICT_HEADER = "X-Kommunpost-Probe"
VERDICT = "verified"
MIN_KEY_BYTES = 32
MAX_LIFE_SECONDS = 86_400

_RUN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_VALUE = re.compile(r"v1 ([A-Za-z0-9._-]{1,64}) ([0-9]{1,11}) ([0-9a-f]{64})")
_CONTEXT = b"kommunpost probe token v1"


def sign(key: bytes, *, run: str, sender: str, recipient: str, expires: int) -> str:
    """Return the header's value for one probe.

    key: at least 32 bytes. sender, recipient: envelope addresses without angle brackets, compared
    without regard to case; an empty sender is the null sender. expires: Unix seconds.
    Raises ValueError for a key that is too short, or a run or expiry that the form can't carry.
    """
    if not _RUN.fullmatch(run):
        raise ValueError(f"a run id is 1 to 64 letters, digits, dots, _ or -, not {run!r}")
    if not 0 <= expires < 10**11:
        raise ValueError(f"an expiry is Unix seconds, not {expires}")
    return f"v1 {run} {expires} {_mac(key, run, sender, recipient, expires)}"


def verify(key: bytes, value: str, *, sender: str, recipient: str, now: float) -> str | None:
    """Return the run's id if the token holds for this envelope at this time, else None.

    value: the header's value; white space around it doesn't count. now: Unix seconds. A token that
    claims to live for more than a day from now is refused, so that none is good for ever. Never
    raises on a hostile value.
    """
    parts = _VALUE.fullmatch(value.strip())
    if parts is None:
        return None
    run, expires, mac = parts[1], int(parts[2]), parts[3]
    genuine = hmac.compare_digest(_mac(key, run, sender, recipient, expires), mac)
    timely = now <= expires <= now + MAX_LIFE_SECONDS
    return run if genuine and timely else None


def _mac(key: bytes, run: str, sender: str, recipient: str, expires: int) -> str:
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the probe key is {len(key)} bytes; it must be at least {MIN_KEY_BYTES}")
    fields = (run, sender.lower(), recipient.lower(), str(expires))
    # Surrogates stand for bytes that were no UTF-8 in the envelope: they must not raise here.
    encoded = [field.encode("utf-8", "surrogatepass") for field in fields]
    message = _CONTEXT + b"".join(struct.pack(">I", len(item)) + item for item in encoded)
    return hmac.digest(key, message, "sha256").hex()
