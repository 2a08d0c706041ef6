"""Who may send on port 465, and as whom."""

import base64
import smtplib
import ssl
from collections.abc import Iterator

import pytest
from servers import Server

GROUPS = ["mail_store"]


@pytest.fixture
def person(server: Server) -> Iterator[smtplib.SMTP]:
    """Port 465, logged in. The audit's sender may do there what a person may."""
    tls = ssl.create_default_context(cafile=f"{server.variables['secrets_dir']}/ca/ca.pem")
    with smtplib.SMTP_SSL(server.address, 465, context=tls, timeout=60) as smtp:
        smtp.login(_auditor(server), server.secret("audit-principal"))
        yield smtp


def _auditor(server: Server) -> str:
    return f"kommunpost-audit@{server.domain}"


def test_one_sends_as_oneself_and_nobody_else(server: Server, person: smtplib.SMTP) -> None:
    for sender, code in (
        (_auditor(server), 250),
        (f"postmaster@{server.domain}", 553),
        ("nagon@omvarlden.example", 553),
    ):
        person.mail(sender)
        assert (sender, person.rcpt(_auditor(server))[0]) == (sender, code)
        person.rset()


def test_the_audits_imap_login_sends_no_mail(server: Server) -> None:
    tls = ssl.create_default_context(cafile=f"{server.variables['secrets_dir']}/ca/ca.pem")
    login = f"{_auditor(server)}*audit"
    token = base64.b64encode(f"\0{login}\0{server.secret('dovecot-audit-master')}".encode())
    with smtplib.SMTP_SSL(server.address, 465, context=tls, timeout=60) as smtp:
        smtp.ehlo()
        assert smtp.docmd("AUTH", f"PLAIN {token.decode()}")[0] == 535
