"""How a host is copied is asked of the host itself."""

from datetime import UTC, datetime
from pathlib import Path

from compliance.probes.backup import read
from compliance.settings import MailHost


def _host(folder: Path, says: str) -> MailHost:
    """Stand for ssh: it gets the far side's command as one word, as a remote shell would."""
    (folder / "said").write_text(says, encoding="utf-8")
    script = folder / "ssh"
    script.write_text(
        '#!/bin/sh\ntest "$1" = "/opt/kommunpost/bin/kommunpost backup state" && '
        f"cat {folder}/said\n"
    )
    script.chmod(0o700)
    return MailHost(name="mail", command=[str(script)])


def test_what_a_host_says_of_its_copies_becomes_facts(tmp_path):
    facts = read(
        _host(
            tmp_path,
            '{"at": "2026-11-24T08:30:00Z", "set_up": true, "copied": "2026-11-24T03:20:00Z",'
            ' "tried": "2026-11-22T08:10:00Z", "trial_error": "broken"}',
        )
    )
    assert (facts.seen.error, facts.set_up, facts.trial_error) == (None, True, "broken")
    assert facts.copied == datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
    assert facts.seen.at == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_a_host_without_copies_is_not_one_that_does_not_answer(tmp_path):
    facts = read(_host(tmp_path, '{"at": "2026-11-24T08:30:00Z", "set_up": false}'))
    assert (facts.seen.error, facts.set_up, facts.copied) == (None, False, None)


def test_a_host_that_does_not_answer_or_talks_of_something_else_is_told(tmp_path):
    assert read(MailHost(name="mail", command=["false"])).seen.error == "mail: exit 1"
    told = read(_host(tmp_path, "hello")).seen.error
    assert told == "it is not known how the host is copied"
