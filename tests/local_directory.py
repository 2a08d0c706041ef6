"""A slapd of the test's own, with the configuration and the tree that the role makes.

It listens on a socket in a temporary folder, so it needs no lab; only the Debian package slapd.
"""

import re
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import ldap3
import yaml
from rendering import ROLES, Host

BASE = "dc=sjovalla,dc=example"
NAME, DOMAIN = "Sjövalla kommun", "sjovalla.example"
TEMPLATES = ROLES / "directory/templates"


class LocalDirectory:
    """An OpenLDAP in a folder; empty but for its branches when it is made.

    is_durable: each write is on disk before its answer, as on a real host.
    max_bytes: how large its data may become; the file has that size from the start.
    """

    def __init__(
        self, folder: Path, *, is_durable: bool = False, max_bytes: int = 64 * 1024**2
    ) -> None:
        self.folder = folder
        self.socket = folder / "ldapi"
        self._process: subprocess.Popen[bytes] | None = None
        host = Host("directory", folder / "secrets", {})
        (folder / "secrets").mkdir(mode=0o700)
        (folder / "config").mkdir()
        (folder / "data").mkdir()
        config = host.render(TEMPLATES / "config.ldif.j2", {"directory_max_bytes": max_bytes})
        config = re.sub("(?m)^olcTLS.*\n", "", config)  # the socket needs none
        config = config.replace("/run/slapd/", f"{folder}/").replace(
            "/var/lib/ldap", f"{folder}/data"
        )
        if not is_durable:
            config = config.replace("olcDbMaxSize:", "olcDbNoSync: TRUE\nolcDbMaxSize:")
        self._add("0", config)
        self._add("1", host.render(TEMPLATES / "tree.ldif.j2", {}))

    def add_schema(self, ldif: str) -> None:
        """Let it know more attributes and classes; it must not have been started yet."""
        self._add("0", ldif)

    def _add(self, database: str, ldif: str) -> None:
        subprocess.run(
            ["slapadd", "-q", "-n", database, "-F", self.folder / "config"],
            input=ldif, text=True, check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        """Start slapd and wait until it answers."""
        self._process = subprocess.Popen(
            ["slapd", "-d", "0", "-F", self.folder / "config", "-h", self._uri],
            stdin=subprocess.DEVNULL,
        )
        while self._process.poll() is None:
            with suppress(OSError), socket.socket(socket.AF_UNIX) as asked:
                asked.connect(str(self.socket))
                return
        raise AssertionError("slapd did not start")

    def stop(self) -> None:
        """Stop slapd."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @property
    def _uri(self) -> str:
        return "ldapi://" + str(self.socket).replace("/", "%2F")

    @property
    def pid(self) -> int:
        """The running slapd's."""
        assert self._process
        return self._process.pid

    def keep(self) -> None:
        """Remember what it holds; it must not run."""
        shutil.copytree(self.folder / "data", self.folder / "kept", dirs_exist_ok=True)

    def restore(self) -> None:
        """Go back to what was remembered; it must not run."""
        shutil.rmtree(self.folder / "data")
        shutil.copytree(self.folder / "kept", self.folder / "data")

    def settings(self, sources: Path, socket: Path | None = None) -> Path:
        """Write settings for the command line; sources holds the municipality's three files."""
        socket = socket or self.socket
        written = {
            "municipality": {"name": NAME, "domain": DOMAIN},
            "directory": {
                "uri": f"ldapi://{socket}",
                "base": BASE,
                **self._identity("reader", "auditor"),
                **self._identity("writer", "writer"),
                "sources": {
                    "organisation": str(sources / "organisation.yml"),
                    "people": str(sources / "people.csv"),
                    "pcs": str(sources / "pcs.csv"),
                },
            },
        }
        path = self.folder / f"{socket.name}-{sources.name}.yml"
        path.write_text(yaml.safe_dump(written), encoding="utf-8")
        return path

    def _identity(self, role: str, service: str) -> dict[str, str]:
        return {
            f"{role}_dn": f"cn={service},ou=services,{BASE}",
            f"{role}_password_file": str(self.folder / f"secrets/ldap-{service}"),
        }

    def entries(self) -> dict[str, dict[str, Any]]:
        """Give everything in it, but for the time at which an address was first used."""
        secret = (self.folder / "secrets/ldap-auditor").read_text(encoding="utf-8").strip()
        connection = ldap3.Connection(
            ldap3.Server(f"ldapi://{self.socket}", get_info=ldap3.NONE),
            user=f"cn=auditor,ou=services,{BASE}", password=secret,
            auto_bind=True, check_names=False,
        )  # fmt: skip
        connection.search(BASE, "(objectClass=*)", attributes=["*"])
        found = {
            answer["dn"]: {
                name: sorted(values)
                for name, values in answer["raw_attributes"].items()
                if name != "kommunpostFirstUsed"
            }
            for answer in connection.response
        }
        connection.unbind()
        return found
