"""Who sees what in the mailboxes, asked by IMAP and LMTP."""

import ssl
from collections.abc import Callable, Iterator

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError
from servers import Server

GROUPS = ["mail_store"]
PROBES = "#probe/Probe"
LMTP = """
import smtplib, sys
with smtplib.LMTP("/var/spool/postfix/private/dovecot-lmtp") as lmtp:
    lmtp.ehlo()
    lmtp.mail("")
    code, text = lmtp.rcpt(sys.argv[1])
    print(code, lmtp.has_extn("smtputf8"))
    if code == 250 and len(sys.argv) > 2:
        lmtp.data(sys.argv[2].encode())
"""


def _owner(server: Server) -> str:
    """Return a mailbox that every installation has."""
    return f"kommunpost-audit@{server.domain}"


def _lmtp(server: Server, recipient: str, *text: str) -> str:
    words = " ".join(["%s"] * (2 + len(text)))
    return server.host.check_output(f"python3 -c {words}", LMTP, recipient, *text)


@pytest.fixture
def login(server: Server) -> Iterator[Callable[..., IMAPClient]]:
    """Log in to a mailbox as the audit, or as its owner."""
    tls = ssl.create_default_context(cafile=f"{server.variables['secrets_dir']}/ca/ca.pem")
    clients = []

    def log_in(address: str, *, audit: bool) -> IMAPClient:
        client = IMAPClient(server.address, ssl_context=tls, timeout=60)
        clients.append(client)
        if audit:
            client.login(f"{address}*audit", server.secret("dovecot-audit-master"))
        else:
            client.login(address, server.secret("audit-principal"))
        return client

    yield log_in
    for client in clients:
        client.shutdown()


def test_a_verified_probe_is_seen_by_the_audit_alone_and_removed_again(
    server: Server, login: Callable[..., IMAPClient]
) -> None:
    owner, audit = login(_owner(server), audit=False), login(_owner(server), audit=True)
    before = owner.folder_status("INBOX", ["MESSAGES", "UNSEEN"])
    _lmtp(server, _owner(server), "X-Kommunpost-Probe: verified\r\nSubject: sond\r\n\r\n")
    assert owner.folder_status("INBOX", ["MESSAGES", "UNSEEN"]) == before

    audit.select_folder(PROBES)
    found = audit.search(["SUBJECT", "sond"])
    assert found
    audit.delete_messages(found)
    audit.expunge()
    assert audit.search(["SUBJECT", "sond"]) == []


def test_a_probe_without_the_milters_word_is_ordinary_mail(
    server: Server, login: Callable[..., IMAPClient]
) -> None:
    owner = login(_owner(server), audit=False)
    before = owner.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"]
    _lmtp(server, _owner(server), "X-Kommunpost-Probe: maybe\r\nSubject: ingen sond\r\n\r\n")
    assert owner.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == before + 1


def test_the_owner_cannot_reach_the_probes(
    server: Server, login: Callable[..., IMAPClient]
) -> None:
    owner = login(_owner(server), audit=False)
    assert PROBES not in {name for *_, name in owner.list_folders()}
    for attempt in (
        lambda: owner.select_folder(PROBES),
        lambda: owner.append(PROBES, b"Subject: x\r\n\r\n"),
        lambda: owner.delete_folder(PROBES),
        lambda: owner.rename_folder(PROBES, "Hittad"),
        lambda: owner.subscribe_folder(PROBES),
    ):
        with pytest.raises(IMAPClientError):
            attempt()


def test_the_audit_reaches_nothing_but_the_probes(
    server: Server, login: Callable[..., IMAPClient]
) -> None:
    audit = login(_owner(server), audit=True)
    for attempt in (
        lambda: audit.select_folder("INBOX"),
        lambda: audit.select_folder("Sent"),
        lambda: audit.append(PROBES, b"Subject: x\r\n\r\n"),
        lambda: audit.append("INBOX", b"Subject: x\r\n\r\n"),
        lambda: audit.create_folder("Ny"),
        lambda: audit.delete_folder(PROBES),
    ):
        with pytest.raises(IMAPClientError):
            attempt()


def test_the_audit_is_told_that_a_mailbox_does_not_exist(
    server: Server, login: Callable[..., IMAPClient]
) -> None:
    with pytest.raises(LoginError, match="AUTHORIZATIONFAILED"):
        login(f"finns.inte@{server.domain}", audit=True)


def test_the_audits_login_is_taken_from_control_machines_only(server: Server) -> None:
    """Read, not tried: a try would need the password on a host, where it has no place."""
    networks = ",".join(server.variables["management_networks"])
    assert f"allow_nets = {networks}" in server.host.check_output("doveconf -n")


def test_a_person_has_the_folders_that_clients_look_for(
    server: Server, login: Callable[..., IMAPClient]
) -> None:
    owner = login(_owner(server), audit=False)
    roles = {flag for flags, _, _ in owner.list_folders() for flag in flags}
    assert {b"\\Drafts", b"\\Sent", b"\\Junk", b"\\Trash"} <= roles


def test_a_folder_may_have_a_swedish_name(server: Server, login: Callable[..., IMAPClient]) -> None:
    owner = login(_owner(server), audit=False)
    assert b"UTF8=ACCEPT" not in owner.capabilities()
    owner.create_folder("Ärenden på gång")
    assert "Ärenden på gång" in {name for *_, name in owner.list_folders()}
    owner.delete_folder("Ärenden på gång")


def test_delivery_refuses_an_unknown_mailbox_and_takes_internationalised_mail(
    server: Server,
) -> None:
    assert _lmtp(server, f"finns.inte@{server.domain}").split() == ["550", "True"]
    assert _lmtp(server, _owner(server)).split() == ["250", "True"]
