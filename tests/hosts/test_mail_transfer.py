"""What Postfix takes, from whom, and what it never does."""

import smtplib
from collections.abc import Iterator

import pytest
from servers import Server

GROUPS = ["mail_transfer"]


@pytest.fixture
def outsider(server: Server) -> Iterator[smtplib.SMTP]:
    """Port 25, as another mail host reaches it."""
    with smtplib.SMTP(server.address, 25, "mail.omvarlden.example", timeout=60) as smtp:
        smtp.ehlo()
        yield smtp


def _auditor(server: Server) -> str:
    return f"kommunpost-audit@{server.domain}"


def _setting(server: Server, name: str) -> str:
    return server.host.check_output("postconf -h %s", name)


def test_postfix_has_nothing_to_complain_of(server: Server) -> None:
    for command in ("postconf -n", "postfix check"):
        assert (command, server.host.run(command).stderr) == (command, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtpd_forbid_bare_newline", "normalize"),
        ("smtpd_forbid_unauth_pipelining", "yes"),
        ("milter_default_action", "tempfail"),
        ("internal_mail_filter_classes", "bounce, notify"),
        ("enable_long_queue_ids", "yes"),
        ("mydestination", ""),
        ("allow_percent_hack", "no"),
        ("swap_bangpath", "no"),
        ("lmtp_destination_recipient_limit", "1"),
        ("lmtp_destination_concurrency_limit", "1"),
    ],
)
def test_a_setting_that_much_rests_on_is_in_force(server: Server, name: str, value: str) -> None:
    assert _setting(server, name) == value


def test_mail_of_local_programs_passes_the_same_milters(server: Server) -> None:
    milters = server.host.check_output("postconf -hx smtpd_milters")
    assert milters == "unix:kommunpost/milter.sock"
    assert server.host.check_output("postconf -hx non_smtpd_milters") == milters


def test_an_unknown_recipient_is_refused_even_if_the_sender_does_not_exist(
    server: Server, outsider: smtplib.SMTP
) -> None:
    outsider.mail("nagon@finns-inte.example")
    assert outsider.rcpt(f"finns.inte@{server.domain}")[0] == 550


@pytest.mark.parametrize(
    "target",
    [
        "nagon@omvarlden.example",
        "nagon%omvarlden.example@{domain}",
        "@{domain}:nagon@omvarlden.example",
        '"nagon@omvarlden.example"@{domain}',
    ],
)
def test_no_way_of_writing_an_address_makes_a_relay(
    server: Server, outsider: smtplib.SMTP, target: str
) -> None:
    outsider.mail("")
    assert outsider.rcpt(target.format(domain=server.domain))[0] in (550, 553, 554)


def test_not_even_the_host_itself_relays_without_a_login(server: Server) -> None:
    program = (
        "import smtplib; s = smtplib.SMTP('127.0.0.1'); s.ehlo(); s.mail('');"
        " print(s.rcpt('nagon@omvarlden.example')[0])"
    )
    assert server.host.check_output("python3 -c %s", program) == "554"


def test_only_the_domain_itself_is_refused_as_a_sender_from_outside(
    server: Server, outsider: smtplib.SMTP
) -> None:
    for sender, code in ((f"nagon@{server.domain}", 550), ("", 250)):
        outsider.mail(sender)
        assert (sender, outsider.rcpt(_auditor(server))[0]) == (sender, code)
        outsider.rset()


def test_a_tag_after_plus_and_capitals_reach_the_same_mailbox(
    server: Server, outsider: smtplib.SMTP
) -> None:
    outsider.mail("")
    for address in (f"Kommunpost-Audit@{server.domain}", f"kommunpost-audit+x@{server.domain}"):
        assert outsider.rcpt(address)[0] == 250


def test_mail_of_the_hosts_root_account_has_a_reader(
    server: Server, outsider: smtplib.SMTP
) -> None:
    outsider.mail("")
    for address in (f"root@{server.domain}", f"root@{server.variables['host_fqdn']}", "postmaster"):
        assert outsider.rcpt(address)[0] == 250


def test_a_letter_smuggled_behind_a_bare_newline_stays_part_of_the_first(
    server: Server, outsider: smtplib.SMTP
) -> None:
    """SMTP smuggling: the end of data is CR LF . CR LF and nothing else."""
    outsider.mail("")
    outsider.rcpt(_auditor(server))
    outsider.putcmd("DATA")
    assert outsider.getreply()[0] == 354
    hidden = f"MAIL FROM:<>\r\nRCPT TO:<{_auditor(server)}>\r\nDATA\r\nSubject: smugglat\r\n"
    outsider.send(f"Subject: ett brev\r\n\r\nett\n.\n{hidden}\r\ntva\r\n.\r\n".encode())
    assert outsider.getreply()[0] == 250
    assert outsider.noop() == (250, b"2.0.0 Ok"), "another answer is one to the hidden letter"
