"""The example municipality as accounts of an Active Directory.

The same people and PCs as in the example's files. A PC has one owner here, since managedBy holds
one; the others are told apart by the files alone.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compliance.directory.sources.files import FileSource
from compliance.settings import load

OU = "OU=Kommunen"
NORMAL, WORKSTATION = "512", "4096"  # userAccountControl, MS-ADTS 2.2.16
READER = "kommunpost"
FACTORS = "Flerfaktor"  # whom the lab's OpenID provider asks for a code too; nobody, until a test
PROGRAMS = 400  # accounts that are nobody's: with them there are over 1000 users


def write(build: Path) -> None:
    """Write `accounts.json`. Logins are the primary addresses that lab.json tells."""
    settings = load(build / "kommunpost.yml")
    sources = settings.directory.sources
    files = FileSource(sources.organisation, sources.people, sources.pcs)
    logins = {
        person["uid"]: person["login"]
        for person in json.loads((build / "lab.json").read_text(encoding="utf-8"))["people"]
    }
    units = {unit.value.id: unit.value.name for unit in files.structure().units}
    target = build / "accounts.json"
    target.touch(mode=0o600)
    found = [*_frame(), *_people(files, logins, units), *_pcs(files, units), *_programs()]
    target.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")


def dn_of(person: str) -> str:
    """Give a person's DN below the domain."""
    return f"CN=u{person},{OU}"


def _frame() -> Iterator[dict[str, Any]]:
    yield {"dn": OU, "objectClass": "organizationalUnit", "ou": "Kommunen"}
    yield {
        "dn": f"CN={FACTORS},{OU}", "objectClass": "group", "sAMAccountName": FACTORS,
    }  # fmt: skip
    yield _user(f"CN={READER},CN=Users", READER, {})


def _user(dn: str, name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "dn": dn, "objectClass": "user", "sAMAccountName": name, "userAccountControl": NORMAL,
        "password": secrets.token_urlsafe(12), **more,
    }  # fmt: skip


def _people(
    files: FileSource, logins: dict[str, str], units: dict[str, str]
) -> Iterator[dict[str, Any]]:
    protected = []
    for person in (located.value for located in files.people()):
        names = {"givenName": person.given_name, "middleName": person.middle_name}
        yield _user(
            dn_of(person.id),
            f"u{person.id}",
            {
                "userPrincipalName": logins[person.id],
                "employeeNumber": person.id,
                "employeeType": person.kind,
                "sn": person.surname,
                "department": units[person.unit],
                **{name: value for name, value in names.items() if value},
            },
        )
        if person.protected:
            protected.append(dn_of(person.id))
    yield {
        "dn": f"CN=Skyddade,{OU}", "objectClass": "group", "sAMAccountName": "Skyddade",
        "member": protected,
    }  # fmt: skip


def _pcs(files: FileSource, units: dict[str, str]) -> Iterator[dict[str, Any]]:
    for pc in (located.value for located in files.pcs()):
        yield {
            "dn": f"CN={pc.name},{OU}", "objectClass": "computer",
            "sAMAccountName": f"{pc.name}$", "userAccountControl": WORKSTATION,
            "department": units[pc.unit],
            **({"managedBy": dn_of(pc.owners[0])} if pc.owners else {}),
        }  # fmt: skip


def _programs() -> Iterator[dict[str, Any]]:
    for number in range(PROGRAMS):
        name = f"p{number:03}"
        yield _user(f"CN={name},{OU}", name, {"sn": "Program"})
