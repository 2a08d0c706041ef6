"""organisation.yml: units with their watch, positions with their holders, and two duties.

The keys are described in inventory/example/README.md.
"""

from collections.abc import Callable
from pathlib import Path

from compliance.directory.model import Access, Audience, Position, Right, Unit, UnitKind, Watch
from compliance.directory.sources import Located, Structure
from compliance.directory.sources.values import (
    Fault,
    fault_of_choice,
    fault_of_id,
    fault_of_text,
    fault_of_title,
)
from compliance.errors import Problem, UserError
from compliance.files.yamltree import Map, read_map

_KEYS = ("municipality", "commissioner", "executive_office", "units", "positions")
_UNIT_KEYS = ("id", "name", "kind", "watcher", "deputy")
_OPTIONAL = ("acknowledgement",)
_ACCESS_KEYS = {right: f"{right}s" for right in Right}
_UNIT_OPTIONAL = ("parent", "head", "list", "acknowledgement", *_ACCESS_KEYS.values())
_POSITION_KEYS = ("id", "name", "unit", "holders")
_POSITION_OPTIONAL = (
    "acknowledgement",
    *(key for right, key in _ACCESS_KEYS.items() if right is not Right.REVIEWER),
)
_SILENT = "none"


def read_structure(path: Path) -> Structure:
    """Read organisation.yml. Raises UserError with every problem in it."""
    problems: list[Problem] = []
    top = read_map(path, _KEYS, problems, _OPTIONAL)
    otherwise = _acknowledgement(top, "")
    structure = Structure(
        municipality=_located(top, "municipality"),
        units=[_unit(item, otherwise) for item in top.maps("units", _UNIT_KEYS, _UNIT_OPTIONAL)],
        positions=[
            _position(item, otherwise)
            for item in top.maps("positions", _POSITION_KEYS, _POSITION_OPTIONAL)
        ],
        commissioner=_located(top, "commissioner"),
        executive_office=_located(top, "executive_office"),
    )
    if problems:
        raise UserError(problems)
    return structure


def _located(item: Map, key: str) -> Located[str]:
    return Located(item.text(key), item.where_of(key))


def _unit(item: Map, otherwise: str) -> Located[Unit]:
    kind = _value(item, "kind", _fault_of_kind)
    audience = _value(item, "list", _fault_of_audience) if "list" in item.fields else ""
    unit = Unit(
        id=_value(item, "id", fault_of_id),
        name=_value(item, "name", fault_of_title),
        # Of an unknown kind a problem is noted, so this unit is never used.
        kind=UnitKind(kind) if _fault_of_kind(kind) is None else UnitKind.DEPARTMENT,
        parent=_optional_id(item, "parent"),
        watch=Watch(_value(item, "watcher", fault_of_id), _value(item, "deputy", fault_of_id)),
        head=_optional_id(item, "head"),
        access=_access(item),
        acknowledgement=_acknowledgement(item, otherwise),
        mailing_list=Audience(audience) if audience in list(Audience) else None,
    )
    return Located(unit, item.where)


def _position(item: Map, otherwise: str) -> Located[Position]:
    position = Position(
        id=_value(item, "id", fault_of_id),
        name=_value(item, "name", fault_of_title),
        unit=_value(item, "unit", fault_of_id),
        holders=_ids(item, "holders"),
        access=_access(item),
        acknowledgement=_acknowledgement(item, otherwise),
    )
    return Located(position, item.where)


def _access(item: Map) -> Access:
    return {right: _ids(item, key) for right, key in _ACCESS_KEYS.items() if key in item.fields}


def _ids(item: Map, key: str) -> tuple[str, ...]:
    """Give a list of ids, each once, and note which are none."""
    ids = item.texts(key)
    for fault in filter(None, map(fault_of_id, ids)):
        item.problem(key, *fault)
    return tuple(dict.fromkeys(ids))


def _acknowledgement(item: Map, otherwise: str) -> str:
    """Give what a mailbox answers; `none` is a word of the file alone."""
    if "acknowledgement" not in item.fields:
        return otherwise
    text = _value(item, "acknowledgement", fault_of_text)
    return "" if text == _SILENT else text


def _fault_of_kind(kind: str) -> Fault | None:
    return fault_of_choice(kind, list(UnitKind))


def _fault_of_audience(audience: str) -> Fault | None:
    return fault_of_choice(audience, list(Audience))


def _optional_id(item: Map, key: str) -> str | None:
    return _value(item, key, fault_of_id) if key in item.fields else None


def _value(item: Map, key: str, fault_of: Callable[[str], Fault | None]) -> str:
    """Give a value and note what is wrong with it; that it is missing is noted by `text`."""
    text = item.text(key)
    fault = fault_of(text) if text else None
    if fault:
        item.problem(key, *fault)
    return text
