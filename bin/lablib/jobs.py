"""What `make lab`, `make demo` and `make test` do, in order."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from . import say
from .lab import CHECKOUT, Lab
from .progress import Steps

PYTHON = Path(sys.executable)
BIN = PYTHON.parent
MEND = "read the failed task above; mend it and run the same command again"
LAB_STEPS = 7


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


def _playbook(lab: Lab, *names: str) -> list[str | Path]:
    books = [CHECKOUT / f"playbooks/{name}" for name in names]
    return [BIN / "ansible-playbook", "-i", lab.build / "inventory.yml", *books]


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
    tool = [PYTHON, CHECKOUT / "bin/lab", "--name", lab.name, "--subnet", str(lab.network.subnet)]
    steps.run("Booting the Debian 13 hosts", [*tool, "up"], "see docs/lab.md")
    steps.run("Building the outside world", _playbook(lab, "lab.yml"), MEND)
    steps.run("Deploying the mail stack", _playbook(lab, "site.yml"), MEND)
    steps.run("Loading the example municipality", _playbook(lab, "directory.yml"), MEND)
    facts = [PYTHON, CHECKOUT / "bin/lab-facts", lab.build]
    steps.run("Giving every example person a password", facts, MEND)
    steps.run("Copying every host, and trying the copies", _playbook(lab, "backup.yml"), MEND)
    steps.run("Taking a snapshot", [*tool, "snapshot"], "see docs/lab.md")
    lab.names(_names(lab))
    marker.write_text(key)


def _names(lab: Lab) -> dict[str, str]:
    """Return the names that a person at this machine types, with their addresses."""
    facts = json.loads((lab.build / "lab.json").read_text())
    names = {host["fqdn"]: host["address"] for host in facts["hosts"].values()}
    for page in ("intranet", "website", "log_list"):
        service = facts["services"][page]
        names[urlsplit(service["url"]).hostname or ""] = service["address"]
    return names


def _point_command_line(lab: Lab) -> None:
    """Make `.venv/bin/kommunpost` read this lab's settings, also without an environment."""
    link = BIN.parent / "etc/kommunpost.yml"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(lab.build / "kommunpost.yml")


def lab(lab: Lab) -> None:
    """Boot and deploy; a lab that stands is reset."""
    _deploy(lab, _steps(lab, LAB_STEPS))
    _point_command_line(lab)
    _say_how_to_log_in(lab)


def demo(lab: Lab) -> None:
    """Deploy, then show mail going in, out and inside, the audit, and where to look."""
    steps = _steps(lab, LAB_STEPS + 2)
    _deploy(lab, steps)
    _point_command_line(lab)
    mail = [PYTHON, CHECKOUT / "bin/demo-mail", lab.build]
    steps.run_openly("Sending mail in, out and inside", mail, "run `make demo` again")
    audit = [BIN / "kommunpost", "audit"]
    steps.run_openly("Auditing", audit, "the table above names what is wrong")
    _say_how_to_log_in(lab)


def test(lab: Lab) -> None:
    """Run every test. What needs no lab, or a host of its own, runs beside what waits much."""
    steps = _steps(lab, LAB_STEPS + 7)
    pytest = [BIN / "pytest", "-q", "--durations=5"]
    mend = "read the failed test above; `make lab` keeps the lab to look at"
    alone = [*pytest, "--numprocesses=auto", "tests/unit", "tests/roles"]
    with steps.beside("Tests without a lab", alone, mend):
        _deploy(lab, steps)
    _point_command_line(lab)
    accounts = [PYTHON, CHECKOUT / "bin/lab-accounts", lab.build]
    steps.run("Making accounts of the example municipality", accounts, MEND)
    # A host of its own, which only the tests behind the stories need.
    build = _playbook(lab, "lab_active_directory.yml", "lab_openid_provider.yml")
    with steps.beside("Building an Active Directory and an OpenID provider", build, MEND):
        steps.run_openly("Hosts and stories", [*pytest, "tests/hosts", "tests/stories"], mend)
    steps.run_openly("The log list in a browser", [*pytest, "tests/browser"], mend)
    steps.run_openly("Faults, and what the audit says of them", [*pytest, "tests/faults"], mend)
    steps.run_openly("Active Directory", [*pytest, "tests/active_directory"], mend)


def prove(lab: Lab) -> None:
    """Run what takes long to prove, against the same lab."""
    steps = _steps(lab, LAB_STEPS + 1)
    _deploy(lab, steps)
    _point_command_line(lab)
    mend = "read the failed test above; `make lab` keeps the lab to look at"
    steps.run_openly("Long proofs", [BIN / "pytest", "-q", "--durations=5", "tests/prove"], mend)


def _say_how_to_log_in(lab: Lab) -> None:
    facts = json.loads((lab.build / "lab.json").read_text())
    commissioner = next(p for p in facts["people"] if p["address"] == facts["commissioner"])
    for title, text in {
        "Hosts": f"ssh -F build/{lab.name}/ssh_config mail   (or: outside)",
        "Intranet": facts["services"]["intranet"]["url"],
        "Website": facts["services"]["website"]["url"],
        "Mail": f"IMAPS {facts['services']['imaps']['host']}:993, submission :465 or :587",
        "As": f"{commissioner['login']}, password in build/{lab.name}/lab.json (people)",
        "Trust": facts["ca_file"],
        "Commands": ".venv/bin/kommunpost --help",
    }.items():
        say(f"{title + ':':10} {text}")
