"""Time stamps of a third party on statements, by RFC 3161, with Debian's `openssl ts`.

The authority signs the SHA-256 of a statement's text and its own time. So even who holds the key
and the database can't make a statement that claims to be older than it is.
"""

import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from compliance.errors import UserError

_SECONDS = 30
_MOST_BYTES = 1_000_000
_TIME = re.compile(r"^Time stamp: (.+)$", re.MULTILINE)
_WRITTEN = "%b %d %H:%M:%S %Y GMT"


def obtain(url: str, ca_file: Path, digest: bytes) -> bytes:
    """Have a statement's digest stamped; return the answer (TimeStampResp, RFC 3161 section 2.4.2).

    url: the authority's, by HTTP (section 3.4). ca_file: the certificate that its own is held
    against, PEM. Raises UserError if there is no answer, or one that doesn't hold.
    """
    with tempfile.TemporaryDirectory() as folder:
        query, answer = Path(folder, "query.tsq"), Path(folder, "answer.tsr")
        _openssl("-query", "-digest", digest.hex(), "-sha256", "-cert", "-out", str(query))
        request = urllib.request.Request(  # noqa: S310 - settings demand http(s)
            url, query.read_bytes(), {"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310 - as above
                answer.write_bytes(reply.read(_MOST_BYTES))
        except (OSError, urllib.error.URLError) as error:
            raise _failed(url, f"no answer ({getattr(error, 'reason', error)})") from error
        try:
            _openssl(
                "-verify", "-queryfile", str(query), "-in", str(answer), "-CAfile", str(ca_file)
            )
            stamped_at(answer.read_bytes(), digest, ca_file)
        except ValueError as error:
            raise _failed(url, str(error)) from error
        return answer.read_bytes()


def stamped_at(token: bytes, digest: bytes, ca_file: Path) -> datetime:
    """Verify a time stamp on a statement's digest; return the authority's time in UTC.

    The authority's certificate must have been valid at that time; it may have run out since.
    Raises ValueError that says why a stamp doesn't hold.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, signed = Path(folder, "answer.tsr"), Path(folder, "token")
        answer.write_bytes(token)
        # The answer's status may say anything: it is outside what the authority signs.
        _openssl("-reply", "-in", str(answer), "-token_out", "-out", str(signed))
        moment = _time_of(_openssl("-reply", "-in", str(signed), "-token_in", "-text"))
        _openssl(
            "-verify", "-digest", digest.hex(), "-in", str(answer), "-CAfile", str(ca_file),
            "-attime", str(int(moment.timestamp())),
        )  # fmt: skip
        return moment


def _time_of(text: str) -> datetime:
    """Return the genTime of a token (RFC 3161 section 2.4.2) as openssl writes it."""
    found = _TIME.findall(text)
    # Behind it come the authority's name and extensions, which may be text with lines of their own.
    if len(found) != 1:
        raise ValueError(f"it tells {len(found)} times")
    return datetime.strptime(re.sub(r"\.\d+", "", found[0]), _WRITTEN).replace(tzinfo=UTC)


def _openssl(*words: str) -> str:
    """Run `openssl ts`. Raises ValueError with what it says."""
    command = ["openssl", "ts", *words]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours
            command, capture_output=True, text=True, errors="replace", check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"openssl ts gives no answer in {_SECONDS} seconds") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if ":" in line]
        raise ValueError(lines[-1].strip(": ") if lines else "openssl ts refused it")
    return done.stdout


def _failed(url: str, why: str) -> UserError:
    return UserError.of(
        f"the statement got no time stamp: {why}",
        url,
        "the day is sealed all the same; the next run asks again",
    )
