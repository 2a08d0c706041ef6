"""What was told whom, from one day to the next."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from compliance.errors import UserError
from compliance.watch.reminders import Told

_ADAPTER: TypeAdapter[dict[str, Told]] = TypeAdapter(dict[str, Told])


def recall(path: Path) -> dict[str, Told]:
    """Read by mailbox what was told; nothing if nothing ever was. Raises UserError."""
    if not path.exists():
        return {}
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError.of(
            "it cannot be read who was reminded before",
            str(path),
            "remove the file: reminders then begin anew with the watchers",
        ) from error


def remember(path: Path, told: dict[str, Told]) -> None:
    """Write it in one step, so that a crash leaves the old file or the new one."""
    new = path.with_suffix(".new")
    new.write_bytes(_ADAPTER.dump_json(told, indent=1))
    new.replace(path)
