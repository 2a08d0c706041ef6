"""The folder of published statements: what the log in the database is held against."""

import json
from collections.abc import Sequence
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.seal.statement import Signed


def publish(folder: Path, statements: Sequence[Signed]) -> list[str]:
    """Write each statement that isn't there yet to a file of its own; return their names.

    Raises UserError if the folder can't be written.
    """
    written = []
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for number, one in enumerate(statements, 1):
            path = folder / f"{number:08d}.json"
            if not path.exists():
                draft = path.with_suffix(".new")
                plain = {"text": one.text, "signature": one.signature.hex()}
                draft.write_text(json.dumps(plain, ensure_ascii=False) + "\n", encoding="utf-8")
                draft.replace(path)
                written.append(path.name)
    except OSError as error:
        raise UserError.of(
            f"the statements cannot be published ({error})",
            str(folder),
            "see that the folder belongs to this user; the next run publishes what is missing",
        ) from error
    return written


def read(folder: Path) -> list[Signed]:
    """Read all that was published. Raises UserError that names a file that can't be read."""
    found = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            found.append(Signed(plain["text"], bytes.fromhex(plain["signature"])))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError.of(
                f"a published statement cannot be read ({error})",
                str(path),
                "put it back from where the statements are published",
            ) from error
    return found
