"""One door for passwords: our own directory, or where people's passwords are in another.

A second slapd that has been taught the words of Active Directory stands for it here; a real one
answers in tests/active_directory.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import ldap3
import pytest
from local_directory import BASE, DOMAIN, LocalDirectory
from typer.testing import CliRunner

from compliance import settings
from compliance.cli import app
from compliance.directory import passwords
from compliance.directory.ldap import connect, password_holds
from compliance.directory.people_passwords import is_theirs
from compliance.errors import UserError

ASA, BO = f"asa.oberg@{DOMAIN}", f"bo.ek@{DOMAIN}"
DN = f"uid=1,ou=people,{BASE}"
OWN, THERE = "eget långt lösenord", "samma som till datorn"
NORMAL, DISABLED = "512", "514"  # userAccountControl, MS-ADTS 2.2.16
WORDS = """dn: cn=ad,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: ad
olcAttributeTypes: ( 1.2.840.113556.1.4.782 NAME 'objectCategory'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
olcAttributeTypes: ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
olcAttributeTypes: ( 1.2.840.113556.1.4.8 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )
olcObjectClasses: ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY
  MAY ( objectCategory $ userPrincipalName $ userAccountControl ) )
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[settings.Directory]:
    """The municipality's accounts, with room for changes: Åsa's and Bo's, whose is disabled."""
    (tmp_path / "ad").mkdir()
    slapd = LocalDirectory(tmp_path / "ad")
    slapd.add_schema(WORDS)
    slapd.start()
    loaded = settings.load(slapd.settings(tmp_path)).require_directory()
    with connect(loaded, "writer") as connection:
        for number, login, control in (("u1", ASA, NORMAL), ("u2", BO, DISABLED)):
            account = f"uid={number},ou=people,{BASE}"
            fields = {
                "cn": number, "sn": number, "objectCategory": "person",
                "userPrincipalName": login, "userAccountControl": control,
            }  # fmt: skip
            connection.add(account, ["inetOrgPerson", "user"], fields)
            connection.extend.standard.modify_password(account, new_password=THERE)
    yield loaded
    slapd.stop()


@pytest.fixture
def joined(directory: settings.Directory, elsewhere: settings.Directory) -> settings.Directory:
    """Our own directory, in which Åsa has a password from before, as people log in elsewhere."""
    passwords.set_password(directory, ASA, OWN)
    logins = settings.Logins(
        uri=elsewhere.uri,
        base=f"ou=people,{BASE}",
        reader_dn=elsewhere.reader_dn,
        reader_password_file=elsewhere.reader_password_file,
    )
    return directory.model_copy(update={"logins": logins})


def test_a_password_of_our_own_is_asked_of_our_directory(directory):
    passwords.set_password(directory, ASA, OWN)
    assert is_theirs(directory, DN, ASA, OWN)
    assert not is_theirs(directory, DN, ASA, THERE)


def test_no_password_is_nobodys(directory, joined):
    """slapd says yes to a name without a password, and means: as nobody."""
    assert not is_theirs(directory, DN, ASA, "")
    assert not is_theirs(joined, DN, ASA, "")


def test_the_password_elsewhere_counts_and_the_own_one_no_longer(joined):
    assert is_theirs(joined, DN, ASA, THERE)
    assert is_theirs(joined, DN, ASA.upper(), THERE), "an address is read in any case"
    assert not is_theirs(joined, DN, ASA, OWN)


def test_a_disabled_account_or_none_is_refused(joined, elsewhere):
    assert not is_theirs(joined, f"uid=2,ou=people,{BASE}", BO, THERE)
    assert not is_theirs(joined, DN, f"ingen@{DOMAIN}", THERE)
    account = f"uid=u1,ou=people,{BASE}"
    with connect(elsewhere, "writer") as connection:
        change = {"userAccountControl": [(ldap3.MODIFY_REPLACE, [DISABLED])]}
        connection.modify(account, change)
    assert not is_theirs(joined, DN, ASA, THERE)


def test_a_login_is_no_filter(joined):
    for login in ("*", f"asa*@{DOMAIN}", f"x)(userPrincipalName={ASA}"):
        assert not is_theirs(joined, DN, login, THERE)


def test_when_the_place_of_the_passwords_is_away_nobody_is_told_of_a_wrong_one(joined):
    away = joined.logins.model_copy(update={"uri": "ldapi:///nowhere"})
    with pytest.raises(UserError, match="cannot be reached"):
        is_theirs(joined.model_copy(update={"logins": away}), DN, ASA, THERE)


def test_a_filter_that_is_none_names_the_setting(joined):
    wrong = joined.logins.model_copy(update={"account_filter": "(mail=%{user}"})
    with pytest.raises(UserError, match=r"is no filter") as told:
        is_theirs(joined.model_copy(update={"logins": wrong}), DN, ASA, THERE)
    assert "account_filter" in told.value.problems[0].where


@pytest.mark.parametrize("words", [("first",), ("lock",), ("unlock",), ("set", "--password-file")])
def test_the_commands_for_people_say_where_their_passwords_are(
    joined, words, tmp_path, monkeypatch
):
    secret = tmp_path / "losen"
    secret.write_text("ett nytt långt lösenord", encoding="utf-8")
    monkeypatch.setattr("compliance.directory.password_commands._directory", lambda: joined)
    loaded = settings.Settings(
        municipality=settings.Municipality(name="S", domain=DOMAIN), directory=joined
    )
    monkeypatch.setattr(settings, "load", lambda: loaded)
    options = [str(secret)] if "--password-file" in words else []
    done = CliRunner().invoke(app, ["directory", "password", words[0], ASA, *words[1:], *options])
    assert "in Active Directory" in str(done.exception)
    assert password_holds(joined, DN, OWN), "and nothing has changed"


def test_a_code_from_before_is_refused_alike_for_everybody(joined):
    told = set()
    for address in (ASA, f"ingen@{DOMAIN}"):
        with pytest.raises(UserError) as refused:
            passwords.redeem(joined, address, "KOD", "ett nytt långt lösenord", datetime.now(UTC))
        told.add(str(refused.value))
    assert len(told) == 1


def test_a_program_keeps_its_password_here(joined):
    program = f"kommunpost@{DOMAIN}"
    assert passwords.set_password(joined, program, "ett programs långa lösenord")
    assert not passwords.set_password(joined, program, "ett programs långa lösenord")
