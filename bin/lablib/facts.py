"""lab.json: what anyone needs to test the lab from outside, passwords included."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from compliance.directory import log_readers
from compliance.directory.ldap import connect, search
from compliance.settings import Settings, load, read_secret

THREADS = 4  # slapd hashes with Argon2, which is meant to take its time


def write(build: Path) -> None:
    """Set a generated password for each person in the directory, and write `lab.json`."""
    settings = load(build / "kommunpost.yml")
    inventory = yaml.safe_load((build / "inventory.yml").read_text())["all"]
    people = _people(settings)
    _set_passwords(settings, people)
    keys = {"address": "ansible_host", "fqdn": "host_fqdn", "zone": "host_zone"}
    hosts = {
        name: {"name": name, **{key: found[variable] for key, variable in keys.items()}}
        for name, found in inventory["hosts"].items()
    }
    domain, outside_domain = settings.municipality.domain, _outside(settings).split("@")[1]
    facts = {
        "domain": domain,
        "outside_domain": outside_domain,
        "municipality": settings.municipality.name,
        "ca_file": str(build / "secrets/ca/ca.pem"),
        "commissioner": _commissioner(settings),
        "dns": [inventory["vars"]["lab_resolver"]],
        "hosts": hosts,
        "services": _services(hosts, settings),
        "people": people,
        "log_readers": _log_readers(settings, people),
        "outside_mailbox": _outside_mailbox(settings),
        "audit": _audit(settings),
        "inventory": str(build / "inventory.yml"),
        "settings": str(build / "kommunpost.yml"),
        "ssh_config": str(build / "ssh_config"),
    }
    target = build / "lab.json"
    target.touch(mode=0o600)
    target.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _people(settings: Settings) -> list[dict[str, Any]]:
    base = settings.directory.base
    with connect(settings.directory, "reader") as connection:
        pc_of = {
            owner.decode().lower(): _one(device, "cn")
            for _, device in search(
                connection, f"ou=devices,{base}", "(objectClass=device)", ["cn", "owner"]
            )
            for owner in device.get("owner", [])
        }
        found = list(
            search(
                connection,
                f"ou=people,{base}",
                "(&(objectClass=inetOrgPerson)(mail=*))",
                ["uid", "cn", "mail", "kommunpostUnit"],
            )
        )
    return [
        {
            "name": _one(entry, "cn"),
            "address": _one(entry, "mail"),
            "login": _one(entry, "mail"),
            "password": secrets.token_urlsafe(12),
            "unit": _one(entry, "kommunpostUnit"),
            "pc": pc_of.get(dn.lower()),
            "uid": _one(entry, "uid"),
            "dn": dn,
        }
        for dn, entry in found
    ]


def _one(entry: dict[str, list[bytes]], name: str) -> str:
    return entry[name][0].decode()


def _set_passwords(settings: Settings, people: list[dict[str, Any]]) -> None:
    def some(share: list[dict[str, Any]]) -> None:
        with connect(settings.directory, "writer") as connection:
            for person in share:
                done = connection.extend.standard.modify_password(
                    person["dn"], new_password=person["password"]
                )
                if not done:
                    raise RuntimeError(f"{person['dn']}: {connection.result['description']}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(some, (people[n::THREADS] for n in range(THREADS))))


def _commissioner(settings: Settings) -> str:
    """Return the individual address of whoever holds the commissioner's position."""
    base = settings.directory.base
    with connect(settings.directory, "reader") as connection:
        ((_, position),) = search(
            connection, f"ou=positions,{base}", "(kommunpostDuty=commissioner)", ["roleOccupant"]
        )
        ((_, person),) = search(connection, _one(position, "roleOccupant"), "(mail=*)", ["mail"])
        return _one(person, "mail")


def _outside(settings: Settings) -> str:
    return str(settings.audit.external.address)


def _services(hosts: dict[str, Any], settings: Settings) -> dict[str, Any]:
    mail, outside = hosts["mail"], hosts["outside"]
    ports = {
        "mx": (mail, 25),
        "submission": (mail, 587),
        "submissions": (mail, 465),
        "imaps": (mail, 993),
        "ldaps": (mail, 636),
        "outside_mx": (outside, 25),
        "outside_submissions": (outside, 465),
        "outside_imaps": (outside, 993),
    }
    services: dict[str, Any] = {
        name: {"host": host["fqdn"], "address": host["address"], "port": port}
        for name, (host, port) in ports.items()
    }
    pages = settings.audit.publication
    services["intranet"] = {"url": pages.intranet_url, "address": mail["address"]}
    services["website"] = {"url": pages.public_url, "address": mail["address"]}
    name = f"loggningslista.{settings.municipality.domain}"
    services["log_list"] = {"url": f"https://{name}/", "address": mail["address"]}
    # Nothing listens there before playbooks/lab_openid_provider.yml.
    provider = hosts["ad"]
    services["openid_provider"] = {
        "url": f"https://{provider['fqdn']}",
        "address": provider["address"],
    }
    return services


def _log_readers(settings: Settings, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return who may log in to the log list and read something there."""
    readers, base = [], settings.directory.base
    with connect(settings.directory, "reader") as connection:
        named = search(
            connection,
            base,
            "(|(kommunpostRight=reviewer)(kommunpostDuty=head))",
            ["member", "roleOccupant"],
        )
        chosen = {
            dn.decode().lower()
            for _, entry in named
            for attribute in ("member", "roleOccupant")
            for dn in entry.get(attribute, [])
        }
        for person in (person for person in people if person["dn"].lower() in chosen):
            found = log_readers.find(connection, base, person["login"])
            if found:
                readers.append(
                    {
                        "login": person["login"],
                        "password": person["password"],
                        "name": person["name"],
                        "units": sorted(found.units),
                        "reviews": sorted(found.reviews),
                        "everything": found.everything,
                    }
                )
    return readers


def _outside_mailbox(settings: Settings) -> dict[str, str]:
    account = settings.audit.external
    password = read_secret(account.password_file)
    return {"address": account.address, "login": account.login, "password": password}


def _audit(settings: Settings) -> dict[str, str]:
    sender, reader = settings.audit.internal, settings.audit.imap
    return {
        "address": sender.address,
        "login": sender.login,
        "password": read_secret(sender.password_file),
        "master_login": reader.master_login,
        "master_password": read_secret(reader.master_password_file),
    }
