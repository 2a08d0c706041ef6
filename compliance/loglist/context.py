"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from compliance.errors import UserError
from compliance.loglist.login import unit_names
from compliance.loglist.message import absence


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Return whose installation it is, who reads, and the units that they can choose among.

    has_absence: whether messages may be opened in their holders' absence.
    """
    who = getattr(request, "who", None)
    return {
        "municipality": settings.KOMMUNPOST.municipality.name,
        "who": who,
        "units": units_of(who) if who else [],
        "has_absence": absence.is_on(),
    }


def units_of(who: Any) -> list[tuple[str, str]]:
    """Return id and name of the units of a session, by name; without the directory, by id."""
    try:
        names = unit_names()
    except UserError:
        names = {}
    ids = list(names) if who.everything and names else who.units
    return sorted(((unit, names.get(unit, unit)) for unit in ids), key=lambda one: one[1])


def unit_name(request: HttpRequest, unit: str) -> str:
    """Return the name of one of the reader's units; without the directory, its id."""
    return dict(units_of(request.who)).get(unit, unit)


def name_of(unit: str) -> str:
    """Return the name of any unit; without the directory, its id."""
    try:
        return unit_names().get(unit, unit)
    except UserError:
        return unit
