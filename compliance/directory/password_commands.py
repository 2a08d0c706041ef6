"""`kommunpost directory password` and `kommunpost directory logins`."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from compliance import settings
from compliance.clock import SWEDEN
from compliance.directory import passwords
from compliance.directory.ldap import connect
from compliance.directory.logins import Login, read_logins
from compliance.errors import UserError
from compliance.letters import render
from compliance.texts import counted

app = typer.Typer(
    help="Passwords, and logins that are held or locked.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Address = Annotated[str, typer.Argument(help="The primary address, which is the login.")]
PasswordFile = Annotated[
    Path, typer.Option(help="A file that only you can read, with the password in its line.")
]


@app.command("set")
def set_(address: Address, password_file: PasswordFile) -> None:
    """Give the holder of an address a password; it is never on the command line.

    \b
    Example: kommunpost directory password set anna.berg@sjovalla.example --password-file pw
    """
    changed = passwords.set_password(_directory(), address, _secret(password_file))
    typer.echo(f"The password of {address} " + ("is changed." if changed else "is so already."))


@app.command()
def first(address: Address) -> None:
    """Print the letter by which somebody sets a password for the first time, or anew.

    The code in it holds once and for a week; the directory keeps only its hash. Hand the letter
    over as you would a key, and keep no copy.

    \b
    Example: kommunpost directory password first anna.berg@sjovalla.example | lp
    """
    loaded = settings.load()
    offer = passwords.offer_first_login(loaded.require_directory(), address, datetime.now(UTC))
    subject, body = render(
        "first-login.txt.j2",
        offer=offer,
        last_day=offer.expires.astimezone(SWEDEN).date(),
        page=loaded.require_directory().password_page,
        municipality=loaded.municipality.name,
    )
    typer.echo(f"{subject}\n\n{body}")


@app.command()
def redeem(
    address: Address,
    code_file: Annotated[Path, typer.Option(help="A file with the code of the letter.")],
    password_file: PasswordFile,
) -> None:
    """Set a password by the code of a letter, for somebody who sits beside you.

    \b
    Example: kommunpost directory password redeem anna.berg@sjovalla.example \\
        --code-file code --password-file pw
    """
    code, password = _secret(code_file), _secret(password_file)
    passwords.redeem(_directory(), address, code, password, datetime.now(UTC))
    typer.echo(f"The password of {address} is set; the code holds no longer.")


@app.command()
def lock(address: Address) -> None:
    """Refuse somebody's login until it is opened, as when a password has come into wrong hands.

    Mail goes on arriving. The mail store ends the sessions that are open, within half a minute.

    \b
    Example: kommunpost directory password lock anna.berg@sjovalla.example
    """
    passwords.lock(_directory(), address)
    typer.echo(f"The login of {address} is locked.")


@app.command()
def unlock(address: Address) -> None:
    """Open a login that is locked, or held after too many wrong passwords.

    \b
    Example: kommunpost directory password unlock anna.berg@sjovalla.example
    """
    opened = passwords.unlock(_directory(), address)
    typer.echo(f"The login of {address} is " + ("open again." if opened else "open already."))


def logins(
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Show the logins that are held or locked, saw wrong passwords, or wait for a first one.

    \b
    Example: kommunpost directory logins --json
    """
    directory = _directory()
    with connect(directory, "reader") as connection:
        found = read_logins(connection, directory.base, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps([asdict(login) for login in found], default=str, indent=1))
        return
    for login in found:
        typer.echo(f"{login.address}  ({login.holder})  {'; '.join(_told(login))}")
    if not found:
        typer.echo("No login is held or locked, and no wrong passwords are remembered.")


def _told(login: Login) -> Iterator[str]:
    if login.is_locked:
        yield "locked until it is opened"
    if login.held_until:
        yield f"held until {_at(login.held_until)}"
    if login.last_failure:
        failures = counted(login.failures, "wrong password")
        yield f"{failures}, the last at {_at(login.last_failure)}"
    if login.code_until:
        yield f"a code for the first login is out until {_at(login.code_until)}"


def _at(time: datetime) -> str:
    return f"{time.astimezone(SWEDEN):%Y-%m-%d %H:%M:%S}"


def _directory() -> settings.Directory:
    return settings.load().require_directory()


def _secret(file: Path) -> str:
    secret = settings.read_secret(file)
    if not secret:
        raise UserError.of("the file is empty", str(file), "write it in the file's first line")
    return secret
