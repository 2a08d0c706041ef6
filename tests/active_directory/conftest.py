"""The municipality's Active Directory in the lab, and what is configured to ask it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lablib.letters import Account, World

ROOT = Path(__file__).parents[2]
LAB = Path(os.environ.get("KOMMUNPOST_LAB", ROOT / "build/lab"))
KOMMUNPOST = Path(sys.executable).with_name("kommunpost")
DOMAIN = "DC=ad,DC=sjovalla,DC=example"


@pytest.fixture(scope="session")
def accounts() -> dict[str, dict[str, Any]]:
    """The accounts in Active Directory by their names there, with their passwords."""
    found = json.loads((LAB / "accounts.json").read_text(encoding="utf-8"))
    return {item["sAMAccountName"]: item for item in found if "sAMAccountName" in item}


@pytest.fixture(scope="session")
def server(world: World, accounts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How Active Directory is asked, as `directory.sources.accounts` in the settings says it."""
    secret = LAB / "secrets/active-directory-reader"
    secret.touch(mode=0o600)
    secret.write_text(accounts["kommunpost"]["password"], encoding="utf-8")
    organisation = yaml.safe_load(
        (ROOT / "inventory/example/organisation.yml").read_text(encoding="utf-8")
    )
    return {
        "kind": "active_directory",
        "uri": f"ldaps://{world.facts['hosts']['ad']['address']}:636",
        "base": f"OU=Kommunen,{DOMAIN}",
        "ca_file": world.facts["ca_file"],
        "reader_dn": "kommunpost@ad.sjovalla.example",
        "reader_password_file": str(secret),
        "id_attribute": "employeeNumber",
        "units": {unit["name"]: unit["id"] for unit in organisation["units"]},
        "protected_group": f"CN=Skyddade,OU=Kommunen,{DOMAIN}",
    }


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[dict[str, Any] | None], tuple[list[dict[str, Any]], str]]:
    """Plan from Active Directory, or from the files if no server is given.

    Gives the mailboxes, and what was told beside them.
    """

    def run(accounts: dict[str, Any] | None) -> tuple[list[dict[str, Any]], str]:
        settings = yaml.safe_load((LAB / "kommunpost.yml").read_text(encoding="utf-8"))
        if accounts:
            sources = settings["directory"]["sources"]
            settings["directory"]["sources"] = {
                "organisation": sources["organisation"], "accounts": accounts
            }  # fmt: skip
        path = tmp_path / "kommunpost.yml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        done = subprocess.run(
            [KOMMUNPOST, "directory", "plan", "--format", "json"],
            env={**os.environ, "KOMMUNPOST_CONFIG": str(path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return json.loads(done.stdout or "[]"), done.stderr

    return run


@pytest.fixture(scope="session")
def logins(server: dict[str, Any], deploy: Callable[..., None]) -> Iterator[None]:
    """People log in with their password in Active Directory; afterwards with their own again."""
    phases = "mail_store:preflight,mail_store:configure,mail_store:run"
    deploy(phases, {"mail_store_logins": "active_directory", "mail_store_accounts": server})
    yield
    deploy(phases)


@pytest.fixture
def person(world: World, accounts: dict[str, dict[str, Any]]) -> Account:
    """Somebody, with the password in Active Directory."""
    chosen = world.colleagues(5)[4]
    uid = next(p["uid"] for p in world.facts["people"] if p["address"] == chosen.address)
    return replace(chosen, password=accounts[f"u{uid}"]["password"])
