"""What `make lab`, `make demo` and `make test` do, in order."""

import hashlib
import subprocess
import sys
from pathlib import Path

from . import say
from .lab import CHECKOUT, Lab
from .progress import Steps

PYTHON = Path(sys.executable)
BIN = PYTHON.parent
MEND = "read the failed task above; mend it and run the same command again"
LAB_STEPS = 6


def _steps(lab: Lab, total: int) -> Steps:
    environment = {
        "KOMMUNPOST_CONFIG": str(lab.build / "kommunpost.yml"),
        "KOMMUNPOST_LAB": str(lab.build),
        "KOMMUNPOST_INVENTORY": str(lab.build / "inventory.yml"),
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_FORCE_COLOR": "0",
    }
    return Steps(total, CHECKOUT / "build/log" / lab.name, environment)


def _tree_key() -> str:
    """Hash what a deployment follows from, so that a lab of an older tree is not taken for new."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z", "--",
         "bin/lablib", "compliance", "inventory", "playbooks", "requirements", "roles",
         "templates"],
        cwd=CHECKOUT, capture_output=True, check=True,
    )  # fmt: skip
    digest = hashlib.sha256()
    for name in sorted(done.stdout.split(b"\0")):
        path = CHECKOUT / name.decode()
        if name and path.is_file():
            digest.update(name + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _playbook(lab: Lab, name: str) -> list[str | Path]:
    return [
        BIN / "ansible-playbook", "-i", lab.build / "inventory.yml", CHECKOUT / f"playbooks/{name}"
    ]  # fmt: skip


def _deploy(lab: Lab, steps: Steps) -> None:
    key, marker = _tree_key(), lab.build / "deployed"
    if lab.status(quiet=True) and marker.exists():
        if marker.read_text() == key:
            say(f"Lab {lab.name} stands, deployed from this tree: back to its snapshot.")
            lab.reset()
            steps.number += LAB_STEPS
            return
        say(f"Lab {lab.name} was deployed from another state of the tree: starting anew.")
        lab.down()
    mine = [CHECKOUT / "bin/lab", "--name", lab.name, "--subnet", str(lab.network.subnet)]
    steps.run("Booting two Debian 13 hosts", [PYTHON, *mine, "up"], "see docs/lab.md")
    steps.run("Building the outside world", _playbook(lab, "lab.yml"), MEND)
    steps.run("Deploying the mail stack", _playbook(lab, "site.yml"), MEND)
    steps.run("Loading the example municipality", _playbook(lab, "directory.yml"), MEND)
    steps.run("Giving every example person a password", [BIN / "python", "-m", "lablib.credentials"], MEND)
    steps.run("Taking a snapshot", [PYTHON, *mine, "snapshot"], "see docs/lab.md")
    lab.names(_names(lab))
    marker.write_text(key)


def lab(lab: Lab) -> None:
    """Boot and deploy; a lab that stands is reset."""
    _deploy(lab, _steps(lab, LAB_STEPS))
    _point_command_line(lab)
    say(f"Log in:  ssh -F build/{lab.name}/ssh_config mail   (or: outside)")
    say(f"Facts:   build/{lab.name}/lab.json   Command line: .venv/bin/kommunpost --help")
