"""The lab's bridge, its way out, and what the hosts are told about both."""

import ipaddress
import subprocess
from pathlib import Path

from . import LabError, run


class Network:
    """One bridge with the first address of a /24; hosts reach the outside by masquerading."""

    def __init__(self, name: str, subnet: str) -> None:
        """Take the lab's name and its subnet, e.g. `10.77.0.0/24`."""
        try:
            self.subnet = ipaddress.IPv4Network(subnet)
        except ValueError as error:
            raise LabError(f"{subnet} is no IPv4 network: write e.g. 10.77.0.0/24") from error
        if self.subnet.prefixlen != 24 or not self.subnet.is_private:
            raise LabError(f"{subnet} is not a private /24: write e.g. 10.77.0.0/24")
        self.bridge = f"kpl-{name}"
        self.table = f"kommunpost_lab_{name}"
        self.gateway = self.address(1)

    def address(self, number: int) -> str:
        """Return the subnet's address with this last octet."""
        return str(self.subnet[number])

    def up(self) -> None:
        """Make bridge, address and masquerade rule."""
        self._refuse_taken()
        run("ip", "link", "add", self.bridge, "type", "bridge")
        octets = [int(part) for part in self.gateway.split(".")]
        # A fixed address keeps the bridge from changing its own with each host that joins.
        mac = "02:4b:" + ":".join(f"{octet:02x}" for octet in octets)
        run("ip", "link", "set", self.bridge, "address", mac, "up")
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.bridge)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        rules = f"""
            table ip {self.table} {{
              chain out {{
                type nat hook postrouting priority srcnat
                ip saddr {self.subnet} oifname != "{self.bridge}" masquerade
              }}
            }}
        """
        done = subprocess.run(["nft", "-f", "-"], input=rules, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"nft refused the lab's rule: {done.stderr.strip()}")

    def _refuse_taken(self) -> None:
        for line in run("ip", "-o", "-4", "address", "show").splitlines():
            words = line.split()
            if ipaddress.ip_interface(words[3]).network.overlaps(self.subnet):
                raise LabError(
                    f"{self.subnet} is in use here by {words[1]}: choose another, "
                    "e.g. make lab LAB=two SUBNET=10.77.2.0/24"
                )

    def down(self) -> None:
        """Remove both; nothing happens where they are gone already."""
        run("ip", "link", "delete", self.bridge, check=False)
        run("nft", "delete", "table", "ip", self.table, check=False)

    def guest_file(self, numbers: list[int]) -> str:
        """Return the systemd.network(5) file of a host with these last octets."""
        addresses = "".join(f"Address={self.address(number)}/24\n" for number in numbers)
        return f"[Match]\nName=host0\n\n[Network]\n{addresses}Gateway={self.gateway}\n"
