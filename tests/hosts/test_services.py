"""What runs, and what listens: no less and no more. Holds after a reboot too."""

from servers import MUNICIPAL, Server

GROUPS = MUNICIPAL


def test_every_service_runs_and_starts_with_the_host(server: Server) -> None:
    for name in server.expected("services"):
        service = server.host.service(name)
        assert (name, service.is_running, service.is_enabled) == (name, True, True)


def test_what_the_hosts_machine_may_run_instead_is_at_least_enabled(server: Server) -> None:
    for name in server.expected("enabled"):
        assert (name, server.host.service(name).is_enabled) == (name, True)


def test_no_unit_has_failed(server: Server) -> None:
    assert server.lines("systemctl list-units --failed --plain --no-legend") == []


def test_nothing_listens_but_what_is_expected(server: Server) -> None:
    listening = set()
    for line in server.lines("ss -H -lntu"):
        protocol, _, _, _, local, *_ = line.split()
        address, _, port = local.rpartition(":")
        if not address.strip("[]").startswith(("127.", "::1")):
            listening.add((protocol, int(port)))
    assert listening == {("tcp", row["port"]) for row in server.expected("ports")}


def test_the_journal_is_kept_on_disk(server: Server) -> None:
    assert server.host.file("/var/log/journal").is_directory
