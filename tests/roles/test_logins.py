"""Who may log in, as Dovecot is told: with own passwords, or with those of Active Directory."""

import re
from pathlib import Path

import pytest
from rendering import ROLES, Host

from compliance.settings import load

SERVER = {"uri": "ldaps://dc1.ad.example:636", "base": "OU=Kommunen", "reader_dn": "reader@ad"}


def _passdbs(tmp_path: Path, **more: object) -> dict[str, str]:
    host = Host("mail_store", tmp_path, more)
    text = host.render(ROLES / "mail_store/templates/auth.conf.j2", {})
    return dict(re.findall(r"(?m)^ *passdb (\w+) \{\n(.*?)^ *\}$", text, re.DOTALL))


def test_with_own_passwords_our_directory_alone_is_asked(tmp_path):
    passdbs = _passdbs(tmp_path)
    assert set(passdbs) == {"ldap", "audit", "audited"}
    assert "kommunpostKind=individual" in passdbs["ldap"]


def test_with_active_directory_no_password_of_a_person_is_tried_in_ours(tmp_path):
    passdbs = _passdbs(tmp_path, mail_store_logins="active_directory", mail_store_accounts=SERVER)
    assert "kommunpostKind=individual" not in passdbs["ldap"]
    assert "ldap_bind = yes" in passdbs["accounts"]
    assert "result_success = continue" in passdbs["accounts"]
    assert "skip = unauthenticated" in passdbs["mailbox"]
    assert not any("nopassword" in text for text in passdbs.values())


@pytest.mark.parametrize("logins", ["own", "active_directory"])
def test_the_audits_password_is_tried_on_nobody(tmp_path, logins):
    passdbs = _passdbs(tmp_path, mail_store_logins=logins, mail_store_accounts=SERVER)
    for name in {"ldap", "accounts"} & set(passdbs):
        assert "skip = authenticated" in passdbs[name]


@pytest.mark.parametrize("role", ["control", "log_list"])
@pytest.mark.parametrize("logins", ["own", "active_directory"])
def test_our_own_programs_ask_where_dovecot_asks(tmp_path, logins, role):
    accounts = {**SERVER, "kind": "active_directory", "reader_password_file": "/x", "units": {}}
    more = {
        "municipality_logins": logins,
        "municipality_account_filter": "(mail=%{user})",
        "municipality_sources": {"organisation": "/o", "accounts": accounts},
    }
    written = tmp_path / "kommunpost.yml"
    template = ROLES / role / "templates/kommunpost.yml.j2"
    written.write_text(Host(role, tmp_path, more).render(template, {}))
    asked = load(written).require_directory().logins
    if logins == "own":
        assert asked is None
        return
    dovecot = _passdbs(tmp_path, mail_store_accounts=accounts, **more)["accounts"]
    for said in (asked.uri, asked.base, asked.reader_dn, asked.account_filter):
        assert said in dovecot


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (None, None),
        ({"account_claim": "upn", "mfa_counts": True, "ca_file": "/ca"}, ("upn", True, True)),
        ({"client_id": "ett: två"}, ("preferred_username", False, False)),
    ],
)
def test_the_log_list_asks_the_provider_that_is_named_and_else_none(tmp_path, said, wanted):
    least = {"issuer": "https://adfs.x.se/adfs", "client_id": "x", "client_secret_file": "/s"}
    more = {} if said is None else {"log_list_oidc": least | said}
    written = tmp_path / "kommunpost.yml"
    template = ROLES / "log_list/templates/kommunpost.yml.j2"
    written.write_text(Host("log_list", tmp_path, more).render(template, {}), encoding="utf-8")
    oidc = load(written).loglist.oidc
    if said is None:
        assert oidc is None
        return
    assert (oidc.issuer, oidc.client_id) == (least["issuer"], said.get("client_id", "x"))
    assert (oidc.account_claim, oidc.mfa_counts, oidc.ca_file is not None) == wanted
