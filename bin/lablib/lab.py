"""A whole lab: what its verbs do, in order."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from . import STATE, LabError, cgroups, image, inventory, run, say
from .host import Host
from .network import Network

CHECKOUT = Path(__file__).resolve().parents[2]
TOPOLOGY = CHECKOUT / "inventory/lab/topology.toml"


class Lab:
    """The hosts of the topology under one name and subnet."""

    def __init__(self, name: str, subnet: str) -> None:
        """Refuse a name that cannot be part of an interface's, and a lab of another checkout."""
        if not re.fullmatch(r"[a-z0-9]{1,9}", name):
            raise LabError(f"lab name {name!r}: at most 9 of a-z and 0-9")
        self.name = name
        self.state = STATE / name
        self.build = CHECKOUT / "build" / name
        self.ssh_config = self.build / "ssh_config"
        standing = self._standing()
        self.network = Network(name, str(standing.get("subnet", subnet)))
        self._planned = tomllib.loads(TOPOLOGY.read_text())["hosts"]
        # The topology may have changed since the lab was started: what runs is what was started.
        self._started = standing.get("hosts", self._planned)
        self.hosts = self._hosts(self._started)
        owner = standing.get("checkout", str(CHECKOUT))
        if owner != str(CHECKOUT) and any(host.running for host in self.hosts.values()):
            raise LabError(
                f"a lab named {name} runs for {owner}: take it down there, "
                "or choose a name and subnet, e.g. LAB=two SUBNET=10.77.2.0/24"
            )

    def _hosts(self, topology: dict[str, Any]) -> dict[str, Host]:
        return {
            name: Host(self.name, self.state, name, facts, self.network)
            for name, facts in topology.items()
        }

    def _standing(self) -> dict[str, Any]:
        """Return what a lab of this name was started with; nothing if there is none."""
        facts = self.state / "lab.json"
        return json.loads(facts.read_text()) if facts.exists() else {}

    def up(self) -> None:
        """Boot the topology if it does not run. What a dead lab of this name left goes first."""
        if self._started == self._planned and self.status(quiet=True):
            say(f"Lab {self.name} is running already.")
            return
        self.down()  # a lab that was cut off leaves mounts, cgroups, bridge and nft table
        self.hosts = self._hosts(self._planned)
        base = image.ensure()
        self._raise_inotify()
        self.network.up()
        self.state.mkdir(parents=True, mode=0o700)
        facts = {
            "checkout": str(CHECKOUT),
            "subnet": str(self.network.subnet),
            "base": str(base),
            "hosts": self._planned,
        }
        (self.state / "lab.json").write_text(json.dumps(facts))
        key = self._ssh_key()
        for host in self.hosts.values():
            host.create(key)
        self._write_ssh_files()
        inventory.write(self.name, CHECKOUT, self.build, self.network, list(self.hosts.values()))
        self._boot()

    def _base(self) -> Path:
        standing = self._standing()
        if not standing:
            raise LabError(f"there is no lab named {self.name}: `make lab` starts one")
        return Path(standing["base"])

    def _boot(self) -> None:
        base = self._base()
        for host in self.hosts.values():
            host.start(base)
        for host in self.hosts.values():
            host.wait(self.ssh_config)
            say(f"Host {host.name} is up at {host.address}.")

    def snapshot(self) -> None:
        """Stop all hosts, keep their state, start them again from it."""
        self._base()
        for host in self.hosts.values():
            self._stop_ssh(host.name)
        for host in self.hosts.values():
            host.stop()
            host.snapshot()
        self._boot()

    def reset(self) -> None:
        """Return every host to the snapshot."""
        self._base()
        missing = [h.name for h in self.hosts.values() if not (h.folder / "snapshot").is_dir()]
        if missing:
            raise LabError(f"no snapshot of {', '.join(missing)}: `make lab` takes one")
        for host in self.hosts.values():
            self._stop_ssh(host.name)
            host.kill()
            host.forget_changes()
        self._boot()

    def kill_host(self, name: str | None) -> None:
        """End one host at once."""
        host = self._host(name)
        self._stop_ssh(host.name)
        host.kill()

    def start_host(self, name: str | None) -> None:
        """Start one host that does not run."""
        host = self._host(name)
        if not host.running:
            host.start(self._base())
        host.wait(self.ssh_config)

    def _host(self, name: str | None) -> Host:
        if name not in self.hosts:
            raise LabError(f"no host {name!r}: name one of {', '.join(self.hosts)}")
        return self.hosts[name]

    def status(self, *, quiet: bool = False) -> bool:
        """Say which hosts run; return whether all do."""
        for host in self.hosts.values():
            if not quiet:
                say(f"{host.name}\t{host.address}\t{'running' if host.running else 'down'}")
        return all(host.running for host in self.hosts.values())

    def down(self) -> None:
        """Remove the whole lab; its files under build/ go too, since they hold its secrets."""
        for host in self.hosts.values():
            self._stop_ssh(host.name)
            host.kill()
            image.harvest(host.folder / "upper")
        cgroups.remove_lab(self.name)
        self.network.down()
        self.names({})
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.build, ignore_errors=True)
        link = CHECKOUT / ".venv/etc/kommunpost.yml"
        if link.is_symlink() and not link.exists():
            link.unlink()

    def names(self, names: dict[str, str]) -> None:
        """Make the lab's names resolve on this machine (a marked block in /etc/hosts)."""
        mark = f"# kommunpost lab {self.name}"
        path = Path("/etc/hosts")
        old = path.read_text()
        lines = [line for line in old.splitlines() if not line.endswith(mark)]
        lines += [f"{address} {name} {mark}" for name, address in names.items()]
        new = "\n".join(lines) + "\n"
        if new != old:
            path.write_text(new)

    def _raise_inotify(self) -> None:
        """Each systemd takes several inotify instances; the usual 128 are used up at 15 hosts."""
        limit = Path("/proc/sys/fs/inotify/max_user_instances")
        if int(limit.read_text()) < 1024:
            limit.write_text("1024")

    def _ssh_key(self) -> str:
        self.build.mkdir(parents=True, exist_ok=True)
        self.build.chmod(0o700)
        key = self.build / "ssh_key"
        if not key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kommunpost-lab", "-f", key)
        return key.with_suffix(".pub").read_text()

    def _write_ssh_files(self) -> None:
        known = self.build / "known_hosts"
        known.write_text("".join(host.public_key() for host in self.hosts.values()))
        blocks = [
            f"Host {host.name} {host.address}\n  HostName {host.address}\n"
            for host in self.hosts.values()
        ]
        common = (
            f"Host *\n  User root\n  IdentityFile {self.build / 'ssh_key'}\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n  LogLevel ERROR\n"
        )
        self.ssh_config.write_text("".join(blocks) + common)
        self.ssh_config.chmod(0o600)

    def _stop_ssh(self, host: str) -> None:
        """Close kept connections, which would hang on a host that is gone."""
        subprocess.run(
            ["ssh", "-F", str(self.ssh_config), "-O", "exit", host],
            capture_output=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
