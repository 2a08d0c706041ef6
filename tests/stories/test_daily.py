"""Each night the directory is brought up to date; what stops it reaches postmaster."""

import shlex

import pytest

FOLDER = "/etc/kommunpost/directory"
PROGRAM = "/opt/kommunpost/bin/kommunpost"


@pytest.fixture
def leaver(world, on_host, kommunpost):
    """Give somebody who has left and whose time is over; afterwards the sources hold again."""
    person = [p for p in reversed(world.facts["people"]) if not p["pc"]][5]
    change = "\n".join([
        f"dn: {person['dn']}", "changetype: modify", "replace: kommunpostStatus",
        "kommunpostStatus: suspended", "-", "replace: kommunpostClosesOn",
        "kommunpostClosesOn: 20260101000000Z",
    ])  # fmt: skip
    on_host("mail", f"printf %s {shlex.quote(change)} | ldapmodify -Q -Y EXTERNAL -H ldapi:///")
    yield person
    assert kommunpost("directory", "apply").returncode == 0


def _status(on_host, person) -> str:
    found = on_host(
        "mail", f"ldapsearch -LLLQ -Y EXTERNAL -H ldapi:/// -s base -b {shlex.quote(person['dn'])}"
        " kommunpostStatus",
    )  # fmt: skip
    return found.partition("kommunpostStatus: ")[2].strip()


def test_a_mailbox_whose_time_is_over_closes_by_itself(on_host, leaver):
    assert _status(on_host, leaver) == "suspended"
    assert "kommunpost-directory.timer" in on_host("mail", "systemctl list-timers --no-pager")
    on_host("mail", "systemctl start kommunpost-directory.service")
    assert _status(on_host, leaver) == "closed"


def test_a_list_that_cannot_be_read_changes_nothing_and_postmaster_is_told(
    world, on_host, kommunpost, rows
):
    before = kommunpost("directory", "plan", "--format", "json").stdout
    assert before
    on_host("mail", f"cp {FOLDER}/settings.yml {FOLDER}/broken.yml")
    sources = f"  sources: {{organisation: {FOLDER}/none.yml, people: /x.csv, pcs: /x.csv}}"
    on_host("mail", f"sed -i '/answer_days/a\\{sources}' {FOLDER}/broken.yml")
    on_host("mail", f"chgrp kommunpost-directory {FOLDER}/broken.yml")
    try:
        said = on_host(
            "mail",
            f"runuser -u kommunpost-directory -- env KOMMUNPOST_CONFIG={FOLDER}/broken.yml"
            f" {PROGRAM} directory daily 2>&1; echo exit $?",
        )
    finally:
        on_host("mail", f"rm {FOLDER}/broken.yml")
    assert said.splitlines()[-1] == "exit 2"
    assert f"{FOLDER}/none.yml" in said
    assert "Traceback" not in said
    fetch = (
        f"doveadm -f flow fetch -u postmaster@{world.domain} hdr.message-id"
        f" mailbox INBOX FROM kommunpost@{world.domain}"
    )
    # The store tells nobody that a letter has come to a mailbox without a login.
    on_host("mail", f"timeout 60 sh -c 'until {fetch} | grep -q @; do sleep 0.2; done'")
    newest = on_host("mail", fetch).splitlines()[-1].partition("=")[2]
    [row] = rows(newest)
    assert row["recipient"] == f"postmaster@{world.domain}"
    assert row["subject"] == "Katalogen kunde inte uppdateras i dag"
    assert kommunpost("directory", "plan", "--format", "json").stdout == before
