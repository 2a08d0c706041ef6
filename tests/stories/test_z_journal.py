"""The last story: no warnings or errors in the journal of any host."""

import json
import re

import pytest

# What may stand there, and why. A line is matched as `unit: message`.
EXPECTED = {
    r"SSL routines::(unsupported protocol|wrong version)": "a test offers TLS 1.1",
    r"file system clock is 1 seconds ahead|resetting file time stamps": (
        "the lab's hosts share the machine's clock, which was set back meanwhile"
    ),
    r"SASL \w+ authentication failed": "a story logs in with a wrong password",
    r"imap\(\d+\): Warning: Killed with signal 15 \(by pid=\d+ uid=0 code=kill\)": (
        "somebody's rights change, and kommunpost-sharing closes their sessions"
    ),
}


@pytest.mark.parametrize("host", ["mail", "mx2", "copies", "outside"])
def test_no_warnings_or_errors_in_the_journal(on_host, host):
    lines = on_host(host, "journalctl --boot --priority warning --output json").splitlines()
    texts = [_text(json.loads(line)) for line in lines]
    assert [text for text in texts if not any(re.search(p, text) for p in EXPECTED)] == []


@pytest.mark.parametrize("host", ["mail", "mx2", "copies", "outside"])
def test_nothing_failed_to_start(on_host, host):
    assert on_host(host, "systemctl --failed --plain --no-legend").strip() == ""


def _text(entry: dict) -> str:
    unit = entry.get("_SYSTEMD_UNIT") or entry.get("SYSLOG_IDENTIFIER") or "?"
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # journald gives bytes that are no text as a list of numbers
        message = bytes(message).decode(errors="replace")
    return f"{unit}: {message}"
