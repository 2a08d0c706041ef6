"""The folder of published statements: what the log in the database is held against.

It only grows: a file holds one statement, or the time stamp on it, and is never written over.
Beside them lie the keys and a page that says what all this is.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import jinja2

from compliance.errors import UserError
from compliance.messagelog.seal import verifier
from compliance.messagelog.seal.statement import Day, Signed, from_text, read_public_keys
from compliance.resources import templates_dir
from compliance.texts import written

KEY_NAME = "nyckel.pem"
_PAGE = "index.html"
_FILE = re.compile(r"([0-9]{8,})\.(json|tsr)")
_REMEDY = "see that the folder belongs to this user; the next run publishes what is missing"
_CHANGED = "leave the folder as it is, and run `kommunpost log verify`: the database was changed"
_WRONG_SHAPE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


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

    Raises UserError, before anything is written, if the folder or the keys can't be read, if a
    statement isn't signed by the key of the one before it or one that followed, if another one with
    its number was published, or if more were published than there are: then the log in the database
    isn't the one it was. Raises UserError too if the folder can't be written.
    """
    keys = read_public_keys(key_file)
    there = _names(folder)
    numbers = {int(name.partition(".")[0]) for name in there}
    if numbers and max(numbers) > len(statements):
        raise UserError.of(
            f"statement {max(numbers)} was published, but the log has only {len(statements)}",
            str(folder),
            _CHANGED,
        )
    files = {KEY_NAME: key_file.read_bytes()}
    for number, one in enumerate(statements, 1):
        name = file_name(number)
        if name in there and _read(folder / name) != one:
            raise UserError.of(
                f"the log's statement {number} is another one than the published",
                str(folder / name),
                _CHANGED,
            )
        keys = keys[_check(number, one, keys, key_file) :]
        files[name] = _to_json(one)
        if number in stamps:
            files[_stamp_name(number)] = stamps[number]
    stamped = {number for number in numbers if _stamp_name(number) in there} | stamps.keys()
    page = _page(municipality, statements, stamped)
    fresh = {name: content for name, content in files.items() if name not in there}
    return _write(folder, {**fresh, _PAGE: page})


def _check(number: int, one: Signed, keys: Sequence[bytes], key_file: Path) -> int:
    """Return which key signed a statement; raise UserError if none, or if it has another number."""
    try:
        place = verifier.signer(keys, one.text, one.signature)
    except ValueError as error:
        raise UserError.of(
            f"statement {number} is not signed by the published key", str(key_file)
        ) from error
    own = from_text(one.text).number
    if own != number:
        raise UserError.of(
            f"the log has statement {own} where statement {number} should be",
            "log.statement in the database",
            _CHANGED,
        )
    return place


def read(folder: Path) -> list[Signed]:
    """Read all that was published. Raises UserError that names a file that can't be read."""
    names = sorted(name for name in _names(folder) if name.endswith(".json"))
    return [_read(folder / name) for name in names]


def _read(path: Path) -> Signed:
    try:
        return from_json(path.read_bytes(), int(path.stem))
    except (OSError, ValueError) as error:
        raise UserError.of(
            f"a published statement cannot be read ({error})",
            str(path),
            "put it back from where the statements are published",
        ) from error


def read_stamps(folder: Path) -> dict[int, bytes]:
    """Read the published time stamps by the number of the statement. Raises UserError likewise."""
    names = (name for name in _names(folder) if name.endswith(".tsr"))
    try:
        return {int(name.partition(".")[0]): (folder / name).read_bytes() for name in names}
    except OSError as error:
        raise UserError.of(
            f"a published time stamp cannot be read ({error})",
            str(folder),
            "put it back from where the statements are published",
        ) from error


def _names(folder: Path) -> set[str]:
    """Return the names of the statements and time stamps there. Raises UserError."""
    try:
        return {path.name for path in folder.iterdir() if _FILE.fullmatch(path.name)}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise UserError.of(
            f"the published statements cannot be read ({error})", str(folder), _REMEDY
        ) from error


def from_json(content: bytes, number: int) -> Signed:
    """Read the published statement of that number. Raises ValueError if it isn't that."""
    try:
        plain = json.loads(content)
        one = Signed(plain["text"], bytes.fromhex(plain["signature"]))
        own = from_text(one.text).number
    except _WRONG_SHAPE as error:
        raise ValueError(f"it is no statement: {error}") from error
    if own != number:
        raise ValueError(f"it is statement {own}")
    return one


def file_name(number: int) -> str:
    """Return the name of a statement's file."""
    return f"{number:08d}.json"


def _to_json(one: Signed) -> bytes:
    plain = {"text": one.text, "signature": one.signature.hex()}
    return (json.dumps(plain, ensure_ascii=False) + "\n").encode("utf-8")


def _stamp_name(number: int) -> str:
    return f"{number:08d}.tsr"


def _write(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write files; only the page and the keys over those that are there."""
    names = []
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            is_lasting = _FILE.fullmatch(name) is not None
            if not is_lasting and path.exists() and path.read_bytes() == content:
                continue
            draft = path.with_suffix(".new")
            with draft.open("wb") as file:
                file.write(content)
                os.fsync(file.fileno())  # no power cut leaves half a file for good
            draft.chmod(0o644)
            if is_lasting:
                path.hardlink_to(draft)  # unlike a rename it fails if there is one meanwhile
                draft.unlink()
            else:
                draft.replace(path)
            names.append(name)
    except OSError as error:
        raise UserError.of(
            f"the statements cannot be published ({error})", str(folder), _REMEDY
        ) from error
    return names


def _page(municipality: str, statements: Sequence[Signed], stamped: Set[int]) -> bytes:
    lines = [_line(number, one, stamped) for number, one in enumerate(statements, 1)]
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


def _line(number: int, one: Signed, stamped: Set[int]) -> Line:
    says = from_text(one.text).says
    return Line(
        number,
        file_name(number),
        says.day if isinstance(says, Day) else None,
        says.entries,
        None if isinstance(says, Day) else says.decision.number,
        _stamp_name(number) if number in stamped else None,
    )
