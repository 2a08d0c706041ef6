"""Whether whoever reads may see a unit's pages, and decide there."""

from django.http import HttpRequest

from compliance.messagelog.reading import NotYoursError


def must_read(request: HttpRequest, unit: str) -> None:
    """Raise NotYoursError unless the reader may read the unit's list."""
    if not (request.who.everything or unit in request.who.units):
        raise NotYoursError


def must_review(request: HttpRequest, unit: str) -> None:
    """Raise NotYoursError unless the reader reviews the unit."""
    if unit not in request.reviews:
        raise NotYoursError
