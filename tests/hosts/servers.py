"""The deployed hosts, as the tests see them. $KOMMUNPOST_INVENTORY says which.

What is expected of whom stands in expected.yml.
"""

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_plays import INVENTORY
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

ROOT = Path(__file__).parents[2]
EXPECTED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("expected.yml").read_text())
MUNICIPAL = [group for group in EXPECTED["groups"] if group != "every"]

# testinfra asks Ansible's own programs for the inventory.
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
os.environ["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")


@dataclass(frozen=True)
class Server:
    """One host of the inventory."""

    name: str
    host: Host
    variables: dict[str, Any]

    @cached_property
    def groups(self) -> list[str]:
        """The groups of expected.yml that the host is in; every host is in `every`."""
        return ["every", *(group for group in MUNICIPAL if group in self.variables["group_names"])]

    def expected(self, key: str) -> list[Any]:
        """Return what expected.yml says under `key` for all groups of this host together."""
        return [row for group in self.groups for row in EXPECTED["groups"][group].get(key, [])]

    def lines(self, command: str) -> list[str]:
        """Run a command that must succeed; return its lines."""
        return self.host.check_output(command).splitlines()

    @property
    def address(self) -> str:
        """The host's IP address."""
        return self.variables["ansible_host"]

    @property
    def domain(self) -> str:
        """The municipality's mail domain."""
        return self.variables["municipality_domain"]

    def secret(self, name: str) -> str:
        """Return one of the secrets on the control machine."""
        return (Path(self.variables["secrets_dir"]) / name).read_text().strip()


def in_groups(groups: list[str]) -> list[Server]:
    """Return every host that is in one of the inventory groups."""
    assert INVENTORY.exists(), f"{INVENTORY} is missing: run `make lab` first"
    runner = AnsibleRunner.get_runner(str(INVENTORY))
    names = sorted({name for group in groups for name in runner.get_hosts(group)})
    return [Server(name, runner.get_host(name), runner.get_variables(name)) for name in names]


def copied() -> list[Server]:
    """Return the hosts whose data are copied: all but the one that holds the copies."""
    return in_groups([group for group in MUNICIPAL if group != "backup"])


def relays() -> list[str]:
    """Return the addresses, as networks, of the mail hosts that have no mailboxes."""
    return [
        f"{server.address}/32"
        for server in in_groups(["mail_transfer"])
        if "mail_store" not in server.groups
    ]
