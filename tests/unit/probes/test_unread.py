"""What lies unread is asked of the host that holds the mailboxes."""

from datetime import UTC, datetime
from pathlib import Path

from compliance.probes.unread import read
from compliance.settings import MailHost

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
TOLD = """{"at": "2026-11-24T08:30:00Z",
 "oldest": {"ks@s.example": "2026-11-20T07:00:00Z", "Bun@s.example": null}}"""


def _host(folder: Path, says: str) -> MailHost:
    """Stand for ssh: it gets the far side's command as one word, as a remote shell would."""
    (folder / "said").write_text(says, encoding="utf-8")
    script = folder / "ssh"
    script.write_text(
        '#!/bin/sh\ntest "$1" = "env KOMMUNPOST_CONFIG=/etc/kommunpost/watch/settings.yml '
        f'/opt/kommunpost/bin/kommunpost watch unread" && cat {folder}/said\n'
    )
    script.chmod(0o700)
    return MailHost(name="mail", command=[str(script)])


def test_what_lies_unread_becomes_facts_at_the_time_at_which_it_was_looked_up(tmp_path):
    facts = read(_host(tmp_path, TOLD))
    assert facts.seen.error is None
    assert facts.seen.at == AT
    assert {one.address: one.arrived for one in facts.oldest} == {
        "ks@s.example": datetime(2026, 11, 20, 7, tzinfo=UTC),
        "bun@s.example": None,
    }


def test_a_host_that_does_not_answer_or_talks_of_something_else_is_told(tmp_path):
    assert read(MailHost(name="mail", command=["false"])).seen.error == "mail: exit 1"
    assert read(_host(tmp_path, "hello")).seen.error == "it is not known what lies unread"
    for at in ("2026-11-24T08:30:00", "2026-11-20T07:00:00"):
        without = TOLD.replace(f"{at}Z", at)
        assert read(_host(tmp_path, without)).seen.error == "it is not known what lies unread"
