"""A host is read by its own tools; what goes wrong there becomes a fact."""

import json

import pytest

from compliance.probes.errors import ProbeError
from compliance.probes.host import Host
from compliance.settings import MailHost

SCRIPT = """#!/bin/sh
# Stands for ssh: gets the far side's command as one word, as a remote shell would.
case "$1" in
  *show-cursor*) echo '-- cursor: s=1;i=2' ;;
  *after-cursor=*) test "$1" = "journalctl --output=json --output-fields=MESSAGE --quiet \
'--after-cursor=s=1;i=2' SYSLOG_FACILITY=2" && cat {folder}/journal ;;
  *--since=*) cat {folder}/journal ;;
  *list-units*) cat {folder}/units ;;
esac
"""


def host(tmp_path, lines, units) -> Host:
    entries = ({"__CURSOR": "s=9", "MESSAGE": line} for line in lines)
    journal = "\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (tmp_path / "journal").write_text(journal, encoding="utf-8")
    (tmp_path / "units").write_text(json.dumps(units), encoding="utf-8")
    script = tmp_path / "ssh"
    script.write_text(SCRIPT.format(folder=tmp_path), encoding="utf-8")
    script.chmod(0o700)
    return Host(MailHost(name="mail", command=[str(script)]))


def test_units_and_accepted_messages_become_facts(tmp_path):
    unit = {"unit": "postfix.service", "load": "loaded", "active": "active", "sub": "running"}
    gone = {"unit": "nginx.service", "load": "not-found", "active": "inactive", "sub": "dead"}
    lines = [
        "4dGkq31FQwz: from=<a@x>, size=1, nrcpt=1 (queue active)",
        "4dGkq31FQwz: to=<b@x>, relay=l, delay=1, dsn=2.0.0, status=sent (250 ok)",
        list(b"latin-1: \xe5"),
    ]
    facts = host(tmp_path, lines, [unit, gone]).facts()
    assert facts.seen.error is None
    assert [(u.name, u.active) for u in facts.units] == [("postfix.service", "active")]
    assert [(a.queue_id, a.recipients) for a in facts.accepted] == [("4dGkq31FQwz", ("b@x",))]


def test_new_lines_are_read_from_the_mark(tmp_path):
    reader = host(tmp_path, ["one", "two"], [])
    reader.mark()
    assert reader.lines() == ["one", "two"]


def test_a_sign_that_some_take_for_a_line_end_breaks_no_line(tmp_path):
    lines = ["4dGkq31FQwz: message-id=<a\u2028b\x85c\x0bd@x>"]
    reader = host(tmp_path, lines, [])
    reader.mark()
    assert reader.lines() == lines


def test_a_host_that_does_not_answer_is_told(tmp_path):
    facts = Host(MailHost(name="mail", command=["false"])).facts()
    assert facts.seen.error == "mail: exit 1"
    facts = Host(MailHost(name="mail", command=[str(tmp_path / "none")])).facts()
    assert "No such file" in facts.seen.error


@pytest.mark.parametrize("said", ["Välkommen till mail!", "[1", "7", '["x"]', '[{"unit": 1}]', ""])
def test_a_host_that_talks_of_something_else_is_told(tmp_path, said):
    reader = host(tmp_path, [], [])
    (tmp_path / "units").write_text(said, encoding="utf-8")
    told = reader.facts()
    assert told.seen.error is not None
    assert told.seen.error.startswith("mail: it answers ")
    assert told.accepted == ()


@pytest.mark.parametrize("said", ["Välkommen till mail!", "[]", '{"MESSAGE": "x"}'])
def test_a_journal_that_is_none_is_told(tmp_path, said):
    reader = host(tmp_path, [], [])
    reader.mark()
    (tmp_path / "journal").write_text(said, encoding="utf-8")
    with pytest.raises(ProbeError, match="mail: it answers "):
        reader.lines()
