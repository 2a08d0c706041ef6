"""Who can read what must stay secret."""

from pathlib import Path

import pytest
from servers import MUNICIPAL, Server

GROUPS = MUNICIPAL


def test_secrets_have_their_owner_and_no_wider_mode(server: Server) -> None:
    for row in server.expected("secrets"):
        found = server.lines(f"stat -c '%U:%G %a %n' {row['path']}")
        for owner, mode, name in (line.split(maxsplit=2) for line in found):
            assert (name, owner) == (name, row["owner"])
            assert int(mode, 8) & ~int(row["mode"], 8) == 0, f"{name} has mode {mode}"


@pytest.mark.parametrize("place", ["/etc", "/srv", "/opt", "/var/lib"])
def test_no_private_key_is_readable_by_everyone(server: Server, place: str) -> None:
    find = f"find {place} -xdev -type f -perm -004 -size -64k"
    keys = server.host.run(f"{find} -exec grep -lE -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' {{}} +")
    assert keys.stdout.split() == []


@pytest.mark.parametrize(
    "place", ["ps -eo args=", "journalctl --no-pager -o cat", "systemctl show '*'"]
)
def test_no_secret_of_the_installation_shows(server: Server, place: str) -> None:
    """Command lines, the journal and units' settings are open to more than a secret's owner."""
    shown = server.host.check_output(place)
    secrets = [path for path in Path(server.variables["secrets_dir"]).iterdir() if path.is_file()]
    assert secrets
    assert [path.name for path in secrets if path.read_text().strip() in shown] == []


def test_ssh_takes_keys_only(server: Server) -> None:
    settings = dict(line.split(maxsplit=1) for line in server.lines("sshd -T") if " " in line)
    assert settings["passwordauthentication"] == "no"
    assert settings["kbdinteractiveauthentication"] == "no"
    assert settings["permitrootlogin"] == "without-password"
