"""Who may log in, as Dovecot is told: with own passwords, or with those of Active Directory."""

import re
from pathlib import Path

import pytest
from rendering import ROLES, Host

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
