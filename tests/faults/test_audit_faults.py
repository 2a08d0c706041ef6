"""Each control is seen to pass, and to fail when what it guards is broken; the audit says what."""

import json
import shlex
from datetime import timedelta

import pytest

from compliance.checks.registry import IDS
from compliance.clock import today
from lablib.letters import letter


@pytest.fixture
def audit(kommunpost):
    """Run the audit; give its exit status and its controls by id."""

    def run(*words: str) -> tuple[int, dict[str, dict]]:
        done = kommunpost("audit", "--format", "json", *words)
        assert done.returncode in (0, 1, 3), done.stderr
        result = json.loads(done.stdout)
        return done.returncode, {control["id"]: control for control in result["controls"]}

    return run


def told(control: dict) -> str:
    return " ".join(f"{f['subject']} {f['message']}" for f in control["findings"])


def test_a_healthy_municipality_passes_every_control(audit, world):
    status, controls = audit()
    assert {name: c["status"] for name, c in controls.items()} == dict.fromkeys(IDS, "pass")
    assert status == 0
    owners = {p["address"] for p in world.facts["people"] if p["pc"]}
    assert controls["B1"]["population"] == controls["B1"]["measured"] == len(owners)


def test_probes_leave_no_trace_in_the_mailbox(audit, world):
    owner = world.colleagues(1)[0]
    with world.mailbox(owner) as client:
        before = client.folder_status("INBOX", ["MESSAGES", "UNSEEN", "UIDNEXT"])
    audit("--control", "B1")
    with world.mailbox(owner) as client:
        assert client.folder_status("INBOX", ["MESSAGES", "UNSEEN", "UIDNEXT"]) == before
        assert not [name for *_, name in client.list_folders() if "probe" in name.lower()]


def test_a_removed_mailbox_is_named(audit, world, on_host):
    victim = world.colleagues(3)[2]
    base = "ou=people," + ",".join(f"dc={part}" for part in world.domain.split("."))
    find = f"ldapsearch -Q -LLL -Y EXTERNAL -H ldapi:/// -b {base} '(mail={victim.address})'"
    entry = on_host("mail", f"{find} '*' +")
    dn = entry.splitlines()[0].removeprefix("dn: ")
    on_host("mail", f"{find} '*' > /root/removed.ldif && "
                    f"ldapdelete -Q -Y EXTERNAL -H ldapi:/// '{dn}'")  # fmt: skip
    try:
        status, controls = audit()
        assert status == 1
        assert controls["B1"]["status"] == "fail"
        assert len(controls["B1"]["findings"]) == 1, "only the one who lost the mailbox"
        assert victim.address in told(controls["B3"])
        assert controls["G1"]["status"] == "pass"
    finally:
        on_host("mail", "ldapadd -Q -Y EXTERNAL -H ldapi:/// -f /root/removed.ldif")


def test_stopped_delivery_is_named(audit, on_host):
    on_host("mail", "systemctl stop dovecot.service dovecot.socket")
    try:
        status, controls = audit("--control", "B1", "--control", "B2")
        assert status in (1, 3)
        assert controls["B1"]["status"] != "pass"
        assert "lmtp" in told(controls["B1"]).lower() or "dovecot" in told(controls["B1"]).lower()
    finally:
        on_host("mail", "systemctl start dovecot.service && postqueue -f")


def test_a_stopped_milter_is_named(audit, on_host):
    on_host("mail", "systemctl stop kommunpost-milter.service")
    try:
        status, controls = audit("--control", "B2", "--control", "G1")
        assert status == 1
        assert controls["B2"]["status"] == "fail"
        assert controls["G1"]["status"] == "fail"
        assert "kommunpost-milter" in told(controls["G1"])
    finally:
        on_host("mail", "systemctl start kommunpost-milter.service")
        on_host("outside", "postqueue -f")


def test_an_unpublished_strategy_is_named(audit, on_host, world):
    on_host("mail", "systemctl stop nginx.service")
    try:
        status, controls = audit("--control", "S2")
        assert status == 1
        assert controls["S2"]["status"] == "fail"
        assert world.facts["services"]["intranet"]["url"] in told(controls["S2"])
        assert world.facts["services"]["website"]["url"] in told(controls["S2"])
    finally:
        on_host("mail", "systemctl start nginx.service")


def test_a_function_mailbox_that_nobody_reads_is_named(audit, on_host, world):
    """The letter came two weeks ago: at Christmas too, there are working days among them."""
    box = f"kommunstyrelsen@{world.domain}"
    note = shlex.quote(letter(world.outsider, box, "Ligger sedan veckor").as_string())
    at = today() - timedelta(days=14)
    on_host("mail", f"printf %s {note} | doveadm save -u {box} -m INBOX -r {at}")
    try:
        status, controls = audit("--control", "W2")
        assert status == 1
        assert [finding["subject"] for finding in controls["W2"]["findings"]] == [box]
    finally:
        on_host("mail", f"doveadm expunge -u {box} mailbox INBOX SUBJECT veckor BEFORE {today()}")
    assert audit("--control", "W2")[1]["W2"]["status"] == "pass"


def test_a_watcher_who_may_not_read_the_mailbox_is_named(audit, on_host, world):
    base = "ou=groups," + ",".join(f"dc={part}" for part in world.domain.split("."))
    group = f"cn=unit.ks.writer,{base}"
    ldap = "-Q -Y EXTERNAL -H ldapi:///"
    on_host("mail", f"ldapsearch {ldap} -LLL -b {group} -s base '*' > /root/group.ldif && "
                    f"ldapdelete {ldap} {group}")  # fmt: skip
    try:
        status, controls = audit("--control", "W1")
        assert status == 1
        assert {finding["subject"] for finding in controls["W1"]["findings"]} == {
            f"kommunstyrelsen@{world.domain}"
        }
    finally:
        on_host("mail", f"ldapadd {ldap} -f /root/group.ldif")
    assert audit("--control", "W1")[1]["W1"]["status"] == "pass"
