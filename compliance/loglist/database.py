"""How Django reaches the database."""

from typing import Any

import psycopg
from django.db import Error as DatabaseError
from psycopg.conninfo import conninfo_to_dict

from compliance import settings


def parameters(log: settings.Log, seconds: int = 0) -> dict[str, Any]:
    """Return an entry of Django's DATABASES for a way into the database.

    seconds: after which a question is given up; 0 for never.
    """
    options = f"-c search_path=loglist,pg_catalog -c statement_timeout={seconds}s"
    given = conninfo_to_dict(log.dsn)
    name = {key: str(given.pop(key, "")) for key in ("dbname", "user", "host", "port")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name["dbname"],
        "USER": name["user"],
        "HOST": name["host"],
        "PORT": name["port"],
        "PASSWORD": settings.read_secret(log.password_file) if log.password_file else "",
        "OPTIONS": {**given, "options": options, "connect_timeout": 5},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def said_by_postgresql(exception: Exception) -> psycopg.Error | None:
    """Return what psycopg raised, also from within Django's own error; None if it's neither."""
    error = exception.__cause__ if isinstance(exception, DatabaseError) else exception
    return error if isinstance(error, psycopg.Error) else None
