"""One host: an overlay on the base image, booted by systemd-nspawn."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import LabError, cgroups, image, run
from .network import Network

# nspawn with --keep-unit does not restart a host that reboots: it exits with this status.
REBOOT = 133
LAUNCHER = """
for group in "$@"; do
  [ "$group" = -- ] && break
  echo $$ > "$group"
done
while [ "$1" != -- ]; do shift; done
shift
while :; do
  "$@"
  [ $? -eq {reboot} ] || break
done
"""


class Host:
    """A host of one lab. Its folder holds upper, work, root (the mount), snapshot and log."""

    def __init__(self, lab: str, folder: Path, name: str, facts: dict, network: Network) -> None:
        """Take the lab's name, the host's own folder, and its entry in the topology."""
        self.lab, self.name, self.folder, self.network = lab, name, folder / name, network
        self.fqdn: str = facts["fqdn"]
        self.zone: str = facts["zone"]
        self.groups: list[str] = facts["groups"]
        self.numbers: list[int] = [facts["number"], *facts.get("more", [])]
        self.address = network.address(facts["number"])
        self.root = self.folder / "root"

    @property
    def running(self) -> bool:
        """Say whether any process of the host lives."""
        procs = cgroups.paths(self.lab, self.name)[0] / "cgroup.events"
        try:
            return "populated 1" in procs.read_text()
        except OSError:
            return False

    def create(self, authorized_key: str) -> None:
        """Lay out a new host: its address, its names, its own ssh host key."""
        upper = self.folder / "upper"
        for folder in (upper, self.folder / "work", self.root):
            folder.mkdir(parents=True, exist_ok=True)
        etc = upper / "etc"
        files = {
            etc / "hostname": self.fqdn + "\n",
            etc / "hosts": f"127.0.0.1 localhost\n{self.address} {self.fqdn} {self.name}\n",
            etc / "resolv.conf": Path("/etc/resolv.conf").read_text(),
            etc / "systemd/network/10-lab.network": self.network.guest_file(self.numbers),
            upper / "root/.ssh/authorized_keys": authorized_key,
        }
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (upper / "root").chmod(0o700)
        (upper / "root/.ssh").chmod(0o700)
        key = etc / "ssh/ssh_host_ed25519_key"
        key.parent.mkdir(exist_ok=True)
        key.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.fqdn, "-f", key)

    def public_key(self) -> str:
        """Return the ssh host key as a line of known_hosts."""
        for layer in ("upper", "snapshot"):
            path = self.folder / layer / "etc/ssh/ssh_host_ed25519_key.pub"
            if path.exists():
                return f"{self.address} {path.read_text()}"
        raise LabError(f"host {self.name} has no ssh key: `bin/lab down`, then `up`")

    def start(self, base: Path) -> None:
        """Mount the layers and boot. Returns when the host's processes exist, not when it is up."""
        snapshot = self.folder / "snapshot"
        lower = [snapshot] if snapshot.is_dir() else []
        layers = ":".join(str(layer) for layer in [*lower, image.ARCHIVES, base])
        upper, work = self.folder / "upper", self.folder / "work"
        upper.mkdir(exist_ok=True)
        work.mkdir(exist_ok=True)
        if not self.root.is_mount():
            options = f"lowerdir={layers},upperdir={upper},workdir={work}"
            run("mount", "-t", "overlay", f"kommunpost-{self.lab}", "-o", options, self.root)
        groups = [str(path) for path in cgroups.create(self.lab, self.name)]
        machine = f"{self.lab}-{self.name}"
        nspawn = [
            "systemd-nspawn", "-D", str(self.root), "-M", machine, "--register=no", "--keep-unit",
            "-b", f"--network-bridge={self.network.bridge}", "--resolv-conf=off", "--timezone=off",
            "--link-journal=no", "--console=pipe", f"--hostname={self.fqdn}",
        ]  # fmt: skip
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with (self.folder / "console.log").open("ab") as log:
            subprocess.Popen(
                ["sh", "-c", LAUNCHER.format(reboot=REBOOT), "launcher", *groups, "--", *nspawn],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def wait(self, ssh_config: Path, seconds: float = 60) -> None:
        """Wait until the host has booted and answers by ssh."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                socket.create_connection((self.address, 22), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)  # nothing tells from outside that a port has opened
        done = subprocess.run(
            ["ssh", "-F", str(ssh_config), self.name, "systemctl is-system-running --wait"],
            capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.stdout.strip() not in ("running", "degraded"):
            words = (done.stderr or done.stdout).strip() or "no answer by ssh"
            raise LabError(
                f"host {self.name} did not boot ({words}): read {self.folder / 'console.log'}"
            )

    def stop(self, seconds: float = 60) -> None:
        """Shut down as a person would; kill what is left after `seconds`."""
        for pid in self._launcher_children():
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(0.05)
        self.kill()

    def _launcher_children(self) -> list[int]:
        """Return the ids of this host's nspawn, found by its mount, not by a stale pid file."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"systemd-nspawn" and str(self.root).encode() in words:
                found.append(int(process.name))
        return found

    def kill(self) -> None:
        """End the host at once and unmount it."""
        cgroups.kill(self.lab, self.name)
        # The kernel takes a dead host's end of the cable down when it gets to it, and a host that
        # is started before that finds the name taken. It may be gone already: no error then.
        cable = f"vb-{self.lab}-{self.name}"
        subprocess.run(["ip", "link", "del", "dev", cable], capture_output=True, check=False)
        while self.root.is_mount():
            run("umount", "-l", self.root)

    def snapshot(self) -> None:
        """Make the stopped host's present state the layer that `reset` returns to."""
        upper, snapshot = self.folder / "upper", self.folder / "snapshot"
        if snapshot.is_dir():
            raise LabError(f"host {self.name} has a snapshot already: `bin/lab down`, then `up`")
        image.harvest(upper)
        upper.rename(snapshot)
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def forget_changes(self) -> None:
        """Drop all that happened since the snapshot."""
        for layer in ("upper", "work"):
            shutil.rmtree(self.folder / layer, ignore_errors=True)
