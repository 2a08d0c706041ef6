"""What a program on a host imports is what its roles install there, from Debian."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from rendering import ROLES

ROOT = Path(__file__).parents[2]
# Imports all of the log list, and says which modules of others that took.
IMPORT = """
import importlib, pkgutil, sys, django
django.setup()
import compliance.loglist as loglist
for module in pkgutil.walk_packages(loglist.__path__, loglist.__name__ + "."):
    importlib.import_module(module.name)
print("\\n".join({name.partition(".")[0] for name in sys.modules}))
"""
# What is loaded before a command begins its work.
HELP = """
import atexit, sys
atexit.register(lambda: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr))
from compliance.cli import main
main()
"""
SETTINGS = """
municipality: {{name: Sjövalla kommun, domain: sjovalla.example}}
directory: {{uri: "ldapi:///", base: "dc=x", reader_dn: "cn=x", reader_password_file: /x}}
loglist:
  hosts: [loggningslista.sjovalla.example]
  secret_key_file: {folder}/secret
  web: {{dsn: "dbname=x"}}
  login: {{dsn: "dbname=x"}}
"""
MODULES = {"pyyaml": "yaml"}  # whose module is called otherwise than the project


def installed(role: str) -> set[str]:
    """Return the packages that a role asks apt for, by name, or by a variable of message_log's."""
    tasks = yaml.safe_load((ROLES / role / "tasks/install.yml").read_text(encoding="utf-8"))
    program = yaml.safe_load((ROLES / "message_log/vars/main.yml").read_text(encoding="utf-8"))
    found = set(program["message_log_packages"])
    for task in tasks:
        names = task.get("ansible.builtin.apt", {}).get("name", [])
        found |= set(names) if isinstance(names, list) else set()
    return found


def packages_of(modules: set[str]) -> set[str]:
    """Return Debian's packages of those modules that the project asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ours = {re.split(r"[^\w-]", name)[0] for name in project["project"]["dependencies"]}
    return {f"python3-{MODULES.get(name, name)}" for name in ours
            if MODULES.get(name, name) in modules}  # fmt: skip


def test_the_log_list_imports_nothing_that_its_host_lacks(tmp_path):
    (tmp_path / "secret").write_text("hemligt" * 8, encoding="utf-8")
    written = tmp_path / "kommunpost.yml"
    written.write_text(SETTINGS.format(folder=tmp_path), encoding="utf-8")
    environment = {
        "KOMMUNPOST_CONFIG": str(written),
        "DJANGO_SETTINGS_MODULE": "compliance.loglist.django_settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    needed = packages_of(set(done.stdout.split()))
    assert "python3-django" in needed
    assert needed - installed("log_list") == set()


@pytest.mark.parametrize(
    ("role", "words"),
    [
        *(("message_log", f"log {name}") for name in ("milter", "ship", "outcomes", "health")),
        *(("message_log_store", f"log {name}") for name in ("migrate", "maintain", "dispose")),
        *(("message_log_store", f"log {name}") for name in ("seal", "publish")),
        ("message_log_store", "loglist migrate"),  # before the log list is installed
        ("archive", "archive get"),
        ("watch", "watch unread"),
    ],
)
def test_a_command_imports_nothing_that_its_host_lacks(role, words):
    done = subprocess.run(
        [sys.executable, "-c", HELP, *words.split(), "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    needed = packages_of(set(done.stderr.split()))
    assert "python3-typer" in needed
    assert needed - installed(role) == set()
