"""The lab's inventory: where the example municipality's variables meet the lab's hosts.

What it writes is JSON, which is YAML too: the standard library can write no other.
"""

import json
from pathlib import Path
from typing import Any

from .host import Host
from .network import Network

OUTSIDE_MAILBOX = "invanare@omvarlden.example"  # as roles/lab_outside makes it


def upstream_resolvers() -> list[str]:
    """Return the machine's own resolvers, which the lab's resolver forwards to."""
    lines = Path("/etc/resolv.conf").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith("nameserver ")]


def write(name: str, checkout: Path, build: Path, network: Network, hosts: list[Host]) -> None:
    """Write `inventory.yml` and link the example municipality's group_vars beside it."""
    groups: dict[str, Any] = {}
    for host in hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = None
    outside = next(host for host in hosts if host.zone == "outside")
    resolver = network.address(outside.numbers[-1])
    variables = {
        "ansible_ssh_common_args": f"-F {build / 'ssh_config'}",
        "secrets_dir": str(build / "secrets"),
        # The municipality's hosts and this machine are in the first sixteen addresses, the outside
        # world is not.
        "municipality_networks": [str(next(network.subnet.subnets(new_prefix=28)))],
        "management_networks": [f"{network.gateway}/32"],
        "control_settings_file": str(build / "kommunpost.yml"),
        "control_report_dir": str(build / "report"),
        "control_ssh_command": ["ssh", "-F", str(build / "ssh_config")],
        "control_external": {
            "host": outside.address,
            "port": 465,
            "address": OUTSIDE_MAILBOX,
            "login": OUTSIDE_MAILBOX,
            "password_file": str(build / "secrets/lab-outside-mailbox"),
            "ca_file": str(build / "secrets/ca/ca.pem"),
        },
        # Off where nobody says so; the lab has it on, so that it is tried.
        "log_list_absence": True,
        "lab_name": name,
        "lab_build_dir": str(build),
        "lab_resolver": resolver,
        "lab_upstream_resolvers": upstream_resolvers(),
        "lab_subnet": str(network.subnet),
    }
    facts = {
        host.name: {"ansible_host": host.address, "host_fqdn": host.fqdn, "host_zone": host.zone}
        for host in hosts
    }
    tree = {"all": {"vars": variables, "hosts": facts, "children": groups}}
    (build / "inventory.yml").write_text("---\n" + json.dumps(tree, indent=2) + "\n")
    link = build / "group_vars"
    link.unlink(missing_ok=True)
    link.symlink_to(checkout / "inventory/example/group_vars")
