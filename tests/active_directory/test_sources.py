"""The same municipality gives the same plan, wherever its people and PCs are read from."""

import pytest


def _as_told(mailboxes: list[dict]) -> dict[str, dict]:
    return {mailbox["holder"]: mailbox for mailbox in mailboxes}


def test_active_directory_gives_the_same_plan_as_the_files(plan, server):
    """Over a thousand users, which Active Directory gives in several answers."""
    from_files, _ = plan(None)
    from_accounts, told = plan(server)
    assert len(from_files) > 600
    assert _as_told(from_accounts) == _as_told(from_files)
    assert {mailbox["action"] for mailbox in from_accounts} == {"keep"}
    assert "account-without-id (400)" in told


def test_of_a_protected_identity_nothing_but_the_reference_is_told(plan, server):
    mailboxes, told = plan(server)
    protected = [mailbox for mailbox in mailboxes if mailbox["name"].startswith("Referens")]
    assert len(protected) == 2
    for name in ("Kvarnhammar", "Silverstolt"):
        assert name not in told + repr(mailboxes)


def test_a_disabled_account_suspends_its_mailbox(plan, server, on_host, world):
    victim = world.facts["people"][7]
    on_host("ad", f"samba-tool user disable u{victim['uid']}")
    try:
        mailboxes, _ = plan(server)
    finally:
        on_host("ad", f"samba-tool user enable u{victim['uid']}")
    changed = {m["address"]: m["action"] for m in mailboxes if m["action"] != "keep"}
    assert changed == {victim["address"]: "suspend"}


@pytest.mark.parametrize("change", [
    {"ca_file": "/etc/ssl/certs/ca-certificates.crt"},
    {"uri": "ldaps://localhost.invalid:636"},
])  # fmt: skip
def test_a_server_that_cannot_show_who_it_is_is_not_asked(plan, server, change):
    mailboxes, told = plan({**server, **change})
    assert mailboxes == []
    assert "What to do" in told
