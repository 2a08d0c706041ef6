"""How Django reaches the database."""

from typing import Any

from psycopg.conninfo import conninfo_to_dict

from compliance import settings


def parameters(log: settings.Log) -> dict[str, Any]:
    """Return an entry of Django's DATABASES for a way into the database."""
    given = conninfo_to_dict(log.dsn)
    name = {key: str(given.pop(key, "")) for key in ("dbname", "user", "host", "port")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name["dbname"],
        "USER": name["user"],
        "HOST": name["host"],
        "PORT": name["port"],
        "PASSWORD": settings.read_secret(log.password_file) if log.password_file else "",
        "OPTIONS": {**given, "options": "-c search_path=loglist,pg_catalog", "connect_timeout": 5},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
