"""What the packet filter in the kernel lets in, whatever its file says."""

import ipaddress
import json
from typing import Any

import servers
from servers import MUNICIPAL, Server

GROUPS = MUNICIPAL


def _network(value: Any) -> str:
    """Return nft's way of writing a network, which is one address or a prefix, as CIDR."""
    if isinstance(value, dict):
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    return str(ipaddress.ip_network(value))


def _ruleset(server: Server) -> list[dict[str, Any]]:
    return json.loads(server.host.check_output("nft -j list table inet kommunpost"))["nftables"]


def _openings(server: Server) -> set[tuple[int, str]]:
    """Return each (port, source network) that a rule accepts."""
    found = set()
    for rule in (row["rule"] for row in _ruleset(server) if "rule" in row):
        matches = [part["match"] for part in rule["expr"] if "match" in part]
        fields = {
            match["left"]["payload"]["field"]: match["right"]
            for match in matches
            if "payload" in match["left"]
        }
        if "dport" in fields:
            found.add((fields["dport"], _network(fields["saddr"]) if "saddr" in fields else "any"))
    return found


def _sources(server: Server, open_to: str) -> list[str]:
    management = server.variables["management_networks"]
    return {
        "everyone": ["0.0.0.0/0", "::/0"],
        "management": management,
        "relays": servers.relays(),
        "copied": [f"{host.address}/32" for host in servers.copied()],
        "inside": [*server.variables["municipality_networks"], *management],
    }[open_to]


def test_what_no_rule_accepts_is_dropped(server: Server) -> None:
    chains = [row["chain"] for row in _ruleset(server) if "chain" in row]
    assert {chain["name"]: chain["policy"] for chain in chains} == {
        "input": "drop",
        "forward": "drop",
    }


def test_each_port_is_open_to_those_who_need_it_and_to_nobody_else(server: Server) -> None:
    assert _openings(server) == {
        (row["port"], source)
        for row in server.expected("ports")
        for source in _sources(server, row["open_to"])
    }
