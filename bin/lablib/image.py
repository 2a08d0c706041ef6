"""The base image and the package cache, both outside the checkout and keyed by content."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import CACHE, run, say

SUITE = "trixie"
PACKAGES = [
    "ca-certificates",
    "dbus",
    "iproute2",
    "nftables",
    "openssh-server",
    "python3",
    "python3-apt",
    "systemd",
    "systemd-sysv",
]
# Files that every host shares. The interface is the one that systemd-nspawn makes.
UNITS = ("systemd-networkd.service", "ssh.service")
ARCHIVES = CACHE / "packages"  # laid over the base as a layer of its own


def _key() -> str:
    text = f"5 {SUITE} {' '.join(PACKAGES)} {' '.join(UNITS)}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def _lock() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure() -> Path:
    """Return the folder of the base image; build it first if it is not there (about 25 s)."""
    base = CACHE / f"base-{_key()}"
    with _lock():
        if not base.is_dir():
            say(f"Building the base image of Debian 13 in {base} (about half a minute) ...")
            _build(base)
        _package_layer()
    return base


def _build(base: Path) -> None:
    work = Path(tempfile.mkdtemp(dir=CACHE, prefix="building-"))
    root = work / "root"
    try:
        run("mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root)
        (root / "etc/machine-id").write_text("")
        (root / "etc/hostname").unlink(missing_ok=True)
        for key in (root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()  # each host gets its own
        run("systemctl", f"--root={root}", "enable", *UNITS)
        # Without it, sshd warns at each log-in until a role has set the host's language.
        (root / "etc/default/locale").write_text("LANG=C.UTF-8\n")
        # A host that is cut off while it is being built is built again: dpkg need not sync.
        (root / "etc/dpkg/dpkg.cfg.d/lab").write_text("force-unsafe-io\n")
        # The lists of packages are empty; with today's date apt modules would take them for new.
        os.utime(root / "var/lib/apt/lists", (0, 0))
        root.rename(base)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _package_layer() -> None:
    (ARCHIVES / "var/cache/apt/archives").mkdir(parents=True, exist_ok=True)


def harvest(upper: Path) -> None:
    """Keep the packages and their lists that a host has fetched; the next lab need not."""
    with _lock():
        for folder, pattern in (("var/cache/apt/archives", "*.deb"), ("var/lib/apt/lists", "*_*")):
            files = list((upper / folder).glob(pattern))
            if not files:
                continue  # a folder without lists, made today, would look like fresh lists
            (ARCHIVES / folder).mkdir(parents=True, exist_ok=True)
            for found in files:
                _keep(found, ARCHIVES / folder / found.name)
            shutil.copystat(upper / folder, ARCHIVES / folder)


def _keep(found: Path, target: Path) -> None:
    """Copy a file that is not kept yet or is newer now; other labs never see half of it."""
    if target.exists() and target.stat().st_mtime >= found.stat().st_mtime:
        return
    part = target.parent / f".{os.getpid()}.part"
    shutil.copy2(found, part)
    part.rename(target)
