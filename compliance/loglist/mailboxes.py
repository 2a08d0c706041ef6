"""The mailboxes that a list can be filtered by."""

from urllib.parse import quote

from django.conf import settings
from django.core.cache import cache

from compliance.directory import function_mailboxes, ldap
from compliance.errors import UserError
from compliance.messagelog.formats import visible

_KEPT_SECONDS = 600
_AWAY_SECONDS = 60  # so long no page waits again for a directory that didn't answer


def mailboxes_of(unit: str) -> list[tuple[str, str]]:
    """Return the address of each of a unit's function mailboxes, and its name to choose it by.

    What the directory said stands for ten minutes. Without it there are none to choose.
    """
    key = f"mailboxes:{quote(unit)}"
    known: list[tuple[str, str]] | None = cache.get(key)
    if known is None:
        known, kept = [], _AWAY_SECONDS
        try:
            with ldap.connect(settings.DIRECTORY, "reader") as connection:
                found = function_mailboxes.of_unit(connection, settings.DIRECTORY.base, unit)
            known = [(address, visible(f"{name} ({address})")) for address, name in found.items()]
            kept = _KEPT_SECONDS
        except UserError:
            pass
        cache.set(key, known, kept)
    return known
