"""What a person is told when a page can't be shown.

These pages ask neither the database nor the directory, since those may be what is away.
"""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from psycopg import errors

from compliance.loglist.database import said_by_postgresql
from compliance.messagelog.store import first_line

_log = logging.getLogger(__name__)

RETRY_SECONDS = 60
# A new version of the program may run for a moment before its tables are made.
_BEING_UPDATED = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)


def of_database(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Tell that the database is away, being updated or too slow; None if it's something else."""
    error = said_by_postgresql(exception)
    if isinstance(error, errors.QueryCanceled):
        _log.warning("%s took too long and was given up", request.path)
        return _page("slow", 503)
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        _log.warning("%s: the database is away: %s", request.path, first_line(error))
        connections.close_all()  # so that the next page isn't asked for over what is dead
    elif isinstance(error, _BEING_UPDATED):
        _log.error("%s: not in the database: %s", request.path, first_line(error))
    else:
        return None
    response = _page("away", 503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def broken(_request: HttpRequest) -> HttpResponse:
    """Tell that a page failed; Django has written why into the journal."""
    return _page("broken", 500)


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Tell that a question can't be understood: a damaged address, or far too many fields."""
    del exception  # which Django has noted
    return _page("bad", 400)


def old_form(_request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell that a form was not taken, since it isn't known to be of this site's own (CSRF)."""
    del reason  # which speaks of cookies and headers, to programmers
    return _page("old", 403)


def _page(kind: str, status: int) -> HttpResponse:
    shown = {
        "kind": kind,
        "municipality": settings.KOMMUNPOST.municipality.name,
        "now": datetime.now(ZoneInfo(settings.TIME_ZONE)),
    }
    return HttpResponse(render_to_string("loglist/fault.html", shown), status=status)
