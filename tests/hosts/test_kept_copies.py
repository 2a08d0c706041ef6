"""Each host is copied, and what was copied is out of reach of whoever takes the host."""

import json

import servers
from servers import MUNICIPAL, Server

GROUPS = [group for group in MUNICIPAL if group != "backup"]
SSH = "ssh -F /etc/kommunpost/backup/ssh_config store"
RESTIC = (
    "month=$(date -u +%Y-%m); restic --repo rclone:$month"
    f" --option rclone.program='{SSH}' --option 'rclone.args=serve restic --stdio'"
    " --password-file /etc/kommunpost/backup/password --no-cache"
)


def _store() -> Server:
    (store,) = servers.in_groups(["backup"])
    return store


def _copies(server: Server) -> set[str]:
    told = server.host.check_output(f"{RESTIC} --no-lock snapshots --json")
    return {row["id"] for row in json.loads(told)}


def test_a_copy_is_taken_each_night_and_tried_each_week(server: Server) -> None:
    for name in ("kommunpost-backup.timer", "kommunpost-backup-try.timer"):
        timer = server.host.service(name)
        assert (name, timer.is_running, timer.is_enabled) == (name, True, True)


def test_the_hosts_own_keys_are_roots_alone(server: Server) -> None:
    for name, mode in (("", "700"), ("password", "400"), ("ssh_key", "600"), ("plan.yml", "600")):
        assert server.lines(f"stat -c '%U %a' /etc/kommunpost/backup/{name}") == [f"root {mode}"]


def test_the_key_of_the_copies_is_on_the_control_machine_too(server: Server) -> None:
    key = server.host.check_output("cat /etc/kommunpost/backup/password")
    assert server.secret(f"backup-{server.name}") == key.strip()


def test_each_host_has_a_key_of_its_own(server: Server) -> None:
    keys = [one.secret(f"backup-{one.name}") for one in servers.copied()]
    assert len(set(keys)) == len(keys) > 1


def test_whoever_takes_the_host_cannot_delete_a_copy(server: Server) -> None:
    before = _copies(server)
    assert before
    refused = server.host.run(f"{RESTIC} forget latest")  # which asks again for twenty seconds
    assert "Remove(<snapshot/" in refused.stderr
    assert "403" in refused.stderr
    assert _copies(server) == before


def test_whoever_takes_the_host_gets_no_other_command_of_the_backup_host(server: Server) -> None:
    for command in ("", "sh", "rm -rf .", "cat ../mail/2026-11", "serve restic ../mail/2026-11"):
        done = server.host.run(f"{SSH} '{command}' </dev/null")
        assert done.rc == 2, command
        assert "nothing else" in done.stderr
    assert server.host.run(f"echo ls | sftp -F {SSH.split()[2]} -b - store || exit 7").rc == 7


def test_no_host_enters_the_copies_of_another(server: Server) -> None:
    store, account = _store(), f"copy-{server.name}"
    others = {one.name for one in servers.copied()} - {server.name}
    assert others
    for other in others:
        assert store.host.run(f"runuser -u {account} -- ls /srv/copies/{other}").rc != 0
    assert store.lines(f"stat -c '%U %a' /srv/copies/{server.name}") == [f"{account} 700"]
    assert store.host.run(f"runuser -u {account} -- test -w /etc/kommunpost/copies").rc != 0


def test_the_backup_host_has_nothing_that_reads_the_copies(server: Server) -> None:
    key = server.secret(f"backup-{server.name}")
    assert _store().host.run(f"grep -rqF {key} /etc /root /srv/copies").rc == 1
