"""The source that the settings ask for."""

from functools import partial

from compliance import settings
from compliance.directory.sources import Source
from compliance.directory.sources.account_source import AccountSource
from compliance.directory.sources.files import FileSource
from compliance.directory.sources.ldap_reader import read
from compliance.errors import UserError


def source_of(sources: settings.Sources) -> Source:
    """Give the source that reads what the settings name; nothing is read yet.

    Raises UserError if they name too little.
    """
    if sources.accounts is not None:
        reader = partial(read, sources.accounts)
        return AccountSource(sources.organisation, reader, sources.people, sources.pcs)
    if sources.people is None or sources.pcs is None:
        raise UserError.of(
            "the settings do not say where people and PCs are read from",
            f"{settings.settings_path()}: directory.sources",
            "write the paths `people` and `pcs`, or the part `accounts`",
        )
    return FileSource(sources.organisation, sources.people, sources.pcs)
