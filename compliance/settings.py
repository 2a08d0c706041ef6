"""The installation's settings: one YAML file, written by the roles (or by hand), read here.

Secrets never stand in it: a setting that ends in `_file` names a root-only file that holds one.
"""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from compliance.errors import Problem, UserError
from compliance.files.yamltree import values_of
from compliance.mail_domain import mail_domain

_STRICT = ConfigDict(extra="forbid", frozen=True)

# How often lists are reviewed, as compliance/review/period.py has it.
Regularity = Literal["weekly", "fortnightly", "monthly"]

# How a person's address is made of the name; {g} is the first letter of the given name.
ADDRESS_PATTERN = "{given}.{surname}"
_ADDRESS_PATTERNS = r"^(\{given\}|\{g\})[.-]?\{surname\}$|^\{surname\}[.-]?(\{given\}|\{g\})$"


class Municipality(BaseModel):
    """Who the installation belongs to."""

    model_config = _STRICT
    name: str = Field(description="As in running text, e.g. Sjövalla kommun")
    domain: Annotated[str, AfterValidator(mail_domain)] = Field(
        description="The mail domain, e.g. sjovalla.example"
    )


class Server(BaseModel):
    """A directory that the municipality has, and an account that may read there."""

    model_config = _STRICT
    uri: str = Field(description="ldaps://host:636; passwords are never sent in the clear")
    base: str = Field(description="Below which people and PCs lie, e.g. ou=kommunen,dc=ad,dc=x")
    ca_file: Path | None = None
    reader_dn: str = Field(description="An account that may read; in AD name@domain will do")
    reader_password_file: Path


class Logins(Server):
    """The Active Directory whose passwords people log in with (decision 18)."""

    account_filter: str = Field(
        default="(userPrincipalName=%{user})",
        description="Which account somebody has; %{user} is what they log in with, the primary "
        "address, as in Dovecot",
    )


class Accounts(Server):
    """An LDAP directory or Active Directory that the municipality has, to read accounts from."""

    kind: Literal["active_directory", "ldap"]
    id_attribute: str = Field(
        default="",
        description="Whose value is a person's id, e.g. employeeNumber; without it the entry's own "
        "lasting id, objectGUID or entryUUID",
    )
    units: dict[str, str] = Field(description="Department in the accounts to id of the unit")
    people_filter: str = Field(default="", description="Which users are people, if not every one")
    pcs_filter: str = Field(
        default="", description="Which computers are PCs, if not all but domain controllers"
    )
    protected_group: str = Field(
        default="", description="DN of the group of those with protected identity (P1)"
    )


class Sources(BaseModel):
    """What the directory is planned from: files, the municipality's accounts, or both.

    With both, the list of people says who is here and the accounts say who is disabled. PCs come
    from the file if there is one. Without accounts both files are needed.
    """

    model_config = _STRICT
    organisation: Path
    people: Path | None = Field(default=None, description="A list, or a folder of deliveries")
    pcs: Path | None = None
    accounts: Accounts | None = None


class Directory(BaseModel):
    """How to reach OpenLDAP, and as whom. Readers and the writer have DNs of their own."""

    model_config = _STRICT
    uri: str = Field(description="ldaps://host:636 or ldapi:///")
    base: str = Field(description="The suffix, e.g. dc=sjovalla,dc=example")
    ca_file: Path | None = None
    reader_dn: str
    reader_password_file: Path
    writer_dn: str | None = None
    writer_password_file: Path | None = None
    sources: Sources | None = None
    logins: Logins | None = Field(
        default=None, description="Where people's passwords are, if not in this directory"
    )
    password_page: str | None = Field(
        default=None, description="Where a person redeems the code of a first login"
    )
    address_pattern: str = Field(
        default=ADDRESS_PATTERN,
        pattern=_ADDRESS_PATTERNS,
        description="How a person's address is made: {given} or {g}, its first letter, and "
        "{surname}, in either order, with a dot, a hyphen or nothing between",
    )
    answer_days: int = Field(
        default=90,
        ge=0,
        le=3650,
        description="How long mail to somebody who has left is answered with where to write "
        "instead; a default of ours, no law",
    )


def _without_password(dsn: str) -> str:
    """Refuse a password: where the log was reached stands in messages and in evidence."""
    if re.search(r"password\s*=|://[^/@]*:[^/]*@", dsn, re.IGNORECASE):
        told = "a password stands in it: put it in a file that log.password_file names"
        raise PydanticCustomError("password", told)
    return dsn


class Log(BaseModel):
    """How to reach the message log's PostgreSQL."""

    model_config = _STRICT
    dsn: Annotated[str, AfterValidator(_without_password)] = Field(
        description="libpq key=value string without a password"
    )
    password_file: Path | None = None


class TimeStamping(BaseModel):
    """An authority that stamps the seal's statements with its time (RFC 3161)."""

    model_config = _STRICT
    url: str = Field(pattern="^https?://", description="Where it answers, RFC 3161 section 3.4")
    ca_file: Path = Field(description="The certificate its own is held against, PEM")


class Seal(BaseModel):
    """How the log is sealed, and what it is verified against."""

    model_config = _STRICT
    public_key_file: Path = Field(description="The published Ed25519 keys, PEM, oldest first")
    key_file: Path | None = Field(
        default=None, description="The sealing key, root's alone; only where the log is sealed"
    )
    published: Path | None = Field(
        default=None, description="Folder of the signed statements as they were published"
    )
    time_stamping: TimeStamping | None = None
    disposal_file: Path | None = Field(
        default=None, description="The decisions on disposal, disposal.yml"
    )


class Archive(BaseModel):
    """How the archive's host is reached as root; no command means this very host."""

    model_config = _STRICT
    command: list[str] = Field(default_factory=list, description="e.g. [ssh, -F, FILE, mail]")
    read_conf: Path = Field(description="On that host: Dovecot's configuration with the key")
    absence: bool = Field(
        default=False,
        description="Whether the log list is also handed a message out of somebody's own mailbox, "
        "when two persons have asked for it in the holder's absence",
    )


class Capture(BaseModel):
    """The milter, outbox and shipper on a mail host."""

    model_config = _STRICT
    host: str = Field(description="The receiving host's name as entries carry it")
    socket: str = Field(description="Where Postfix reaches the milter, e.g. unix:/path")
    outbox: Path = Field(description="The outbox's folder, on a durable disk")
    probe_key_file: Path
    spam_header: str = Field(
        default="",
        description="Header with the verdict of the municipality's own spam filter, which must be "
        "a milter before the log's and remove such headers from what arrives; empty if there is "
        "none",
    )


class MailHost(BaseModel):
    """A host whose journal and units the audit reads; no command means this very host."""

    model_config = _STRICT
    name: str
    command: list[str] = Field(default_factory=list, description="e.g. [ssh, -F, FILE, mail]")


class Submission(BaseModel):
    """An account that probes or letters of our own are sent from."""

    model_config = _STRICT
    host: str
    port: int = Field(default=465, ge=1, le=65535)
    address: str
    login: str
    password_file: Path
    ca_file: Path | None = None


class Watch(BaseModel):
    """Where it is kept what lies unread and who was reminded of it; on the mail store."""

    model_config = _STRICT
    unread: Path = Field(description="What `kommunpost watch unread` wrote last")
    told: Path = Field(description="Who was reminded, from one day to the next")


class Alarm(BaseModel):
    """What the log's alarm remembers; on a mail host."""

    model_config = _STRICT
    told: Path = Field(description="On which day a letter went last")


class Imap(BaseModel):
    """How the audit reads the hidden probe namespace: as master user, nothing else."""

    model_config = _STRICT
    host: str
    port: int = Field(default=993, ge=1, le=65535)
    master_login: str
    master_password_file: Path
    ca_file: Path | None = None


class Publication(BaseModel):
    """The two pages that must show the same strategy (S2)."""

    model_config = _STRICT
    intranet_url: str
    public_url: str
    ca_file: Path | None = None
    addresses: dict[str, str] = Field(
        default_factory=dict, description="Host name to address, where DNS does not answer here"
    )


class Audit(BaseModel):
    """What the audit needs to see for itself."""

    model_config = _STRICT
    probe_key_file: Path
    internal: Submission | None = None
    external: Submission | None = Field(
        default=None, description="A mailbox at another provider; without it, unknown"
    )
    imap: Imap | None = None
    publication: Publication | None = None
    mail_hosts: list[MailHost] = Field(default_factory=list)
    backups: list[MailHost] = Field(default_factory=list, description="Hosts with data to copy")
    watch: MailHost | None = Field(
        default=None, description="Where the mailboxes lie and the role `watch` runs"
    )
    regularity: Regularity | None = Field(
        default=None, description="How often lists are reviewed, as the log list has it"
    )
    arrival_seconds: int = Field(default=180, ge=1, description="How long a probe may take")
    report_dir: Path = Path("build/report")


class Negligible(BaseModel):
    """A kind of mail that the municipality has decided is of little account."""

    model_config = _STRICT
    id: str = Field(pattern="^[a-z0-9-]{1,40}$", description="Never used for another kind")
    text: str = Field(min_length=1, max_length=200, description="As the reviewer reads it")
    decision: str = Field(min_length=1, max_length=100, description="The decision that says so")


class SingleSignOn(BaseModel):
    """The municipality's own OpenID provider, such as ADFS or Entra ID (decision 74)."""

    model_config = _STRICT
    issuer: str = Field(
        pattern=r"^https://[^\s?#]+$", description="As it calls itself, e.g. https://adfs.x.se/adfs"
    )
    client_id: str = Field(min_length=1, description="What it calls the log list")
    client_secret_file: Path
    account_claim: str = Field(
        default="preferred_username",
        min_length=1,
        description="The claim whose value is the account's address in the directory",
    )
    mfa_counts: bool = Field(
        default=False, description="No code is asked for if `amr` holds `mfa` (RFC 8176)"
    )
    ca_file: Path | None = None


class LogList(BaseModel):
    """The log list's web application: who it answers to, and its two ways into the database."""

    model_config = _STRICT
    hosts: list[str] = Field(description="The names under which it is reached")
    secret_key_file: Path = Field(description="Signs the cookies")
    web: Log = Field(description="As kommunpost_web: reads with a reader's token")
    login: Log = Field(description="As kommunpost_login: lets readers in")
    diary_mapping: Path | None = Field(
        default=None, description="What the columns of the diary's export mean (decision 53)"
    )
    second_factor: Literal["optional", "required"] = Field(
        default="optional", description="Whether everybody needs a code from their telephone too"
    )
    oidc: SingleSignOn | None = Field(
        default=None, description="Without it people log in with their passwords alone"
    )
    regularity: Regularity | None = Field(
        default=None, description="How often lists are reviewed; if it is not said, weekly"
    )
    negligible: list[Negligible] = Field(
        default_factory=list, description="What a reviewer may dismiss as negligible"
    )
    archive_socket: Path | None = Field(
        default=None,
        description="Where the archive of this very host hands out messages; without it the log "
        "list opens none",
    )
    absence: bool = Field(
        default=False,
        description="Whether two persons together may open a message of somebody's own mailbox in "
        "the holder's absence",
    )


class Settings(BaseModel):
    """The whole file. A part that a host has no use for is left out."""

    model_config = _STRICT
    municipality: Municipality
    directory: Directory | None = None
    log: Log | None = None
    seal: Seal | None = None
    loglist: LogList | None = None
    capture: Capture | None = None
    archive: Archive | None = None
    audit: Audit | None = None
    watch: Watch | None = None
    alarm: Alarm | None = None
    sender: Submission | None = Field(
        default=None, description="The account that letters of our own are sent from"
    )

    def require_directory(self) -> Directory:
        """Give the part `directory`. Raises UserError where it is missing."""
        if self.directory is None:
            raise UserError.of(
                "the settings do not say how to reach the directory",
                f"{settings_path()}: directory",
                "run this on the control machine, or write the part `directory`",
            )
        return self.directory


def settings_path() -> Path:
    """Say where the settings are: $KOMMUNPOST_CONFIG, else the environment's own, else /etc.

    The environment's own (`.venv/etc/kommunpost.yml`) is what `make lab` points at the lab.
    """
    named = os.environ.get("KOMMUNPOST_CONFIG")
    if named:
        return Path(named)
    own = Path(sys.prefix) / "etc" / "kommunpost.yml"
    return own if own.exists() else Path("/etc/kommunpost/kommunpost.yml")


def load(path: Path | None = None) -> Settings:
    """Read the settings. Raises UserError that names the file and each wrong key."""
    path = path or settings_path()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError.of(
            f"the settings cannot be read ({error.strerror})",
            str(path),
            "set KOMMUNPOST_CONFIG to the settings file, or run `make lab` first",
        ) from error
    except UnicodeError as error:
        raise UserError.of(
            f"the settings cannot be read ({error})", str(path), "save it as UTF-8"
        ) from error
    raw = values_of(path, text)
    if not isinstance(raw, dict):
        raise UserError.of(
            "the file must hold keys such as `municipality:`",
            str(path),
            "let the roles write it anew, or run `make lab`",
        )
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise UserError(
            [
                Problem(item["msg"], f"{path}: {'.'.join(map(str, item['loc']))}")
                for item in error.errors()
            ]
        ) from error


def read_secret(path: Path) -> str:
    """Read a secret from its root-only file, without the line end. Raises UserError.

    Nor is what Windows adds of its own, a byte order mark, a part of it.
    """
    try:
        return path.read_text(encoding="utf-8-sig").rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError.of(
            f"the secret cannot be read ({why})",
            str(path),
            "run as the user whom the file belongs to; the roles write it",
        ) from error
