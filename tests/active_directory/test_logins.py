"""Nobody has a second password: people log in with the one in Active Directory, and only that."""

import smtplib
import time
from dataclasses import replace

import pytest
from imapclient.exceptions import LoginError

from lablib.letters import letter

pytestmark = pytest.mark.usefixtures("logins")


@pytest.fixture(autouse=True)
def forget_failures(on_host, logins):
    """Dovecot lets an address wait after failed log-ins, until Postfix gives up with 454."""
    on_host("mail", "systemctl restart dovecot.service")


def imap(world, account) -> str:
    """Log in to the mailbox; give what the server says to a refusal, else nothing."""
    try:
        world.mailbox(account).logout()
    except LoginError as error:
        return str(error)
    return ""


def submission(world, account) -> int:
    """Log in to send; give the SMTP code."""
    where = account.submission
    with smtplib.SMTP_SSL(where["address"], where["port"], context=world.tls, timeout=90) as smtp:
        try:
            return smtp.login(account.login, account.password)[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def test_the_password_in_active_directory_opens_the_mailbox_and_sends(world, person):
    message = letter(person, person.address, "Samma lösenord som till datorn")
    world.submit(person, message)
    assert world.arrival(person, message["Message-ID"])["Subject"] == message["Subject"]


def test_the_own_password_in_our_directory_no_longer_counts(world, person):
    own = world.person(person.address)
    assert own.password != person.password
    assert "AUTHENTICATIONFAILED" in imap(world, own)
    assert submission(world, own) == 535


@pytest.mark.parametrize("password", ["fel-losenord", "", "*"])
def test_another_password_is_refused(world, person, password):
    wrong = replace(person, password=password)
    assert imap(world, wrong)
    assert submission(world, wrong) in (501, 535)


def test_a_login_that_is_a_filter_finds_nobody(world, person):
    """The password is that of somebody whom the filter would find."""
    local, _, domain = person.login.partition("@")
    for login in (f"{local[:3]}*@{domain}", f"{person.login})(objectClass=user"):
        assert submission(world, replace(person, login=login)) != 235


def test_a_disabled_account_is_refused_at_once(world, person, accounts, on_host):
    name = _name(person, accounts)
    on_host("ad", f"samba-tool user disable {name}")
    try:
        assert "AUTHENTICATIONFAILED" in imap(world, person)
        assert submission(world, person) == 535
    finally:
        on_host("ad", f"samba-tool user enable {name}")
    assert imap(world, person) == ""


def test_an_account_whose_mailbox_is_suspended_is_refused(world, person, on_host):
    """Also to send, where nobody looks for the mailbox."""
    base = "ou=people," + ",".join(f"dc={part}" for part in world.domain.split("."))
    change = (
        "dn=$(ldapsearch -Q -LLL -Y EXTERNAL -H ldapi:/// -o ldif-wrap=no "
        f"-b {base} '(mail={person.address})' dn | sed -n 's/^dn: //p'); "
        "printf 'dn: %s\\nchangetype: modify\\nreplace: kommunpostStatus\\n"
        'kommunpostStatus: %s\\n\' "$dn" {} | ldapmodify -Q -Y EXTERNAL -H ldapi:///'
    )
    on_host("mail", change.format("suspended"))
    try:
        assert "AUTHENTICATIONFAILED" in imap(world, person)
        assert submission(world, person) == 535
    finally:
        on_host("mail", change.format("active"))
    assert submission(world, person) == 235


def test_when_active_directory_is_down_nobody_is_told_of_a_wrong_password(world, person, on_host):
    on_host("ad", "systemctl stop samba-ad-dc.service")
    try:
        for account in (person, world.person(person.address)):
            assert "UNAVAILABLE" in imap(world, account)
            assert submission(world, account) == 454
        audit = world.facts["audit"]
        program = replace(person, login=audit["login"], password=audit["password"])
        assert submission(world, program) == 235, "what is no person's goes on"
    finally:
        on_host("ad", "systemctl start samba-ad-dc.service")
    deadline = time.monotonic() + 120
    while imap(world, person):  # Samba takes a moment to answer, and Dovecot to notice
        assert time.monotonic() < deadline, "Dovecot does not find Active Directory again"


def test_the_audit_reads_its_probes_and_tries_no_password_of_its_own_on_anyone(
    world, person, accounts, on_host
):
    """Else every audit would count as a failed log-in of everybody, and lock all accounts."""
    before = _failures(person, accounts, on_host)
    audit = world.facts["audit"]
    master = replace(
        person, login=f"{person.login}*{audit['master_login']}", password=audit["master_password"]
    )
    assert imap(world, master) == ""
    assert _failures(person, accounts, on_host) == before
    assert imap(world, replace(person, password="fel"))
    assert _failures(person, accounts, on_host) == before + 1, "or this would show nothing"
    assert imap(world, person) == ""


def _name(person, accounts) -> str:
    return next(
        name for name, item in accounts.items() if item.get("userPrincipalName") == person.login
    )


def _failures(person, accounts, on_host) -> int:
    told = on_host("ad", f"samba-tool user show {_name(person, accounts)} --attributes=badPwdCount")
    return int(told.partition("badPwdCount: ")[2].split()[0] if "badPwdCount" in told else 0)
