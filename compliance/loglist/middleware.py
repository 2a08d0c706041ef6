"""What holds for every page: its headers, and who reads it."""

from collections.abc import Callable

import psycopg
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from compliance.loglist.login import read_as, units_reviewed
from compliance.loglist.views import faults
from compliance.messagelog.reading import NotYoursError, Reader, SessionEndedError

Answer = Callable[[HttpRequest], HttpResponse]

_OPEN = {
    *("/login", "/login/code", "/login/second-step"),
    *("/login/single-sign-on", "/login/single-sign-on/back", "/logged-out"),
    *("/password", "/password/first", "/password/done"),
    *("/health", "/language", "/accessibility"),
}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def protect(get_response: Answer) -> Answer:
    """Let pages load nothing from elsewhere, and let nobody keep them."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response["Cache-Control"] = "no-store"
        return response

    return answer


class WhoReads:
    """Gives each request its reader, and sends those who have none to the log-in."""

    def __init__(self, get_response: Answer) -> None:
        """get_response: what comes after in the chain."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with a page, or with the log-in."""
        try:
            return self._answer(request)
        except (DatabaseError, psycopg.Error) as error:
            if told := faults.of_database(request, error):
                return told
            raise

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.path in _OPEN:
            read_as("")
            return self._get_response(request)
        token = request.session.get("token")
        if not token:
            return _to_login(request)
        read_as(token)
        request.reader = Reader(connection.connection, token)
        try:
            request.who = request.reader.session()
            request.reviews = SimpleLazyObject(units_reviewed)  # most pages write nothing
        except SessionEndedError:
            request.session.flush()
            return _to_login(request)
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Tell what is not theirs like what is not there, and that the database is away."""
        if isinstance(exception, NotYoursError):
            return render(request, "404.html", status=404)
        if isinstance(exception, SessionEndedError):
            return _to_login(request)
        return faults.of_database(request, exception)


def _to_login(request: HttpRequest) -> HttpResponse:
    target = request.get_full_path() if request.method == "GET" else "/"
    return redirect(f"/login?{urlencode({'next': target})}" if target != "/" else "/login")
