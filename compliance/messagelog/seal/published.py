"""The folder of published statements: what the log in the database is held against.

It only grows. A file holds one statement, or the time stamp on it; beside them lie the key and a
page that says what all this is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import jinja2

from compliance.errors import UserError
from compliance.messagelog.seal import verifier
from compliance.messagelog.seal.statement import Day, Signed, from_text
from compliance.resources import templates_dir
from compliance.texts import written

KEY_NAME = "nyckel.pem"
_PAGE = "index.html"
_REMEDY = "see that the folder belongs to this user; the next run publishes what is missing"


@dataclass(frozen=True)
class Line:
    """One statement on the page. day: None for a disposal. stamp: the name of its time stamp."""

    number: int
    name: str
    day: date | None
    entries: int
    decision: str | None
    stamp: str | None


def publish(
    folder: Path,
    municipality: str,
    key_file: Path,
    statements: Sequence[Signed],
    stamps: Mapping[int, bytes],
) -> list[str]:
    """Write what isn't there yet, each to a file of its own; return the names written.

    Raises UserError if the folder can't be written, if a statement isn't signed by the key, or if
    another one with its number was published: then the log in the database isn't the one it was.
    """
    key = verifier.read_key(key_file)
    held = {one.text for one in read(folder)} if folder.is_dir() else set()
    files = {KEY_NAME: key_file.read_bytes()}
    for number, one in enumerate(statements, 1):
        path = folder / _name(number)
        if path.exists() and one.text not in held:
            raise UserError.of(
                f"the log's statement {number} is another one than the published",
                str(path),
                "leave it as it is, and run `kommunpost log verify`: the database was changed",
            )
        try:
            verifier.verify_signature(key, one.text, one.signature)
        except ValueError as error:
            raise UserError.of(
                f"statement {number} is not signed by the published key", str(key_file)
            ) from error
        files[path.name] = _to_json(one)
        if number in stamps:
            files[path.with_suffix(".tsr").name] = stamps[number]
    files[_PAGE] = _page(municipality, statements, stamps)
    return _write(folder, files)


def read(folder: Path) -> list[Signed]:
    """Read all that was published. Raises UserError that names a file that can't be read."""
    found = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            found.append(from_json(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError.of(
                f"a published statement cannot be read ({error})",
                str(path),
                "put it back from where the statements are published",
            ) from error
    return found


def read_stamps(folder: Path) -> dict[int, bytes]:
    """Read the published time stamps by the number of the statement. Raises UserError likewise."""
    try:
        return {int(path.stem): path.read_bytes() for path in folder.glob("[0-9]*.tsr")}
    except (OSError, ValueError) as error:
        raise UserError.of(
            f"a published time stamp cannot be read ({error})",
            str(folder),
            "put it back from where the statements are published",
        ) from error


def from_json(content: bytes) -> Signed:
    """Read one published statement. Raises ValueError, KeyError or TypeError if it isn't one."""
    plain = json.loads(content)
    return Signed(plain["text"], bytes.fromhex(plain["signature"]))


def _name(number: int) -> str:
    return f"{number:08d}.json"


def _to_json(one: Signed) -> bytes:
    plain = {"text": one.text, "signature": one.signature.hex()}
    return (json.dumps(plain, ensure_ascii=False) + "\n").encode("utf-8")


def _write(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    names = []
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            if not path.exists() or path.read_bytes() != content:
                draft = path.with_suffix(".new")
                draft.write_bytes(content)
                draft.chmod(0o644)
                draft.replace(path)
                names.append(name)
    except OSError as error:
        raise UserError.of(
            f"the statements cannot be published ({error})", str(folder), _REMEDY
        ) from error
    return names


def _page(municipality: str, statements: Sequence[Signed], stamps: Mapping[int, bytes]) -> bytes:
    lines = [_line(number, one, stamps) for number, one in enumerate(statements, 1)]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "seal"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sv"] = lambda value: written(value, "sv")
    template = environment.get_template("index.html.j2")
    page = template.render(municipality=municipality, lines=lines[::-1], key_name=KEY_NAME)
    return page.encode("utf-8")


def _line(number: int, one: Signed, stamps: Mapping[int, bytes]) -> Line:
    says = from_text(one.text).says
    return Line(
        number,
        _name(number),
        says.day if isinstance(says, Day) else None,
        says.entries,
        None if isinstance(says, Day) else says.decision.number,
        Path(_name(number)).with_suffix(".tsr").name if number in stamps else None,
    )
