"""People and PCs from accounts, held against the municipality's own lists where it has them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from compliance.directory.model import Conflict, Notice, Pc, Person, Status
from compliance.directory.sources import Located, Structure
from compliance.directory.sources.accounts import Accounts
from compliance.directory.sources.deliveries import read_list
from compliance.directory.sources.organisation import read_structure
from compliance.directory.sources.records import read_pcs
from compliance.errors import UserError


@dataclass(frozen=True)
class AccountSource:
    """organisation.yml and accounts, as a `Source`; read gives the accounts and is asked once.

    With a list of people that one says who is here, and the accounts say who may not log in or is
    protected. Whoever is missing on one side is told, not refused: the two are never mended in the
    same hour. PCs come from the list of PCs if there is one.
    """

    organisation: Path
    read: Callable[[], Accounts]
    people_file: Path | None = None
    pcs_file: Path | None = None

    def structure(self) -> Structure:
        """Give units, positions and duties."""
        return read_structure(self.organisation)

    def people(self) -> list[Located[Person]]:
        """Give employees and elected members. Raises UserError if there are no accounts."""
        if self.people_file is None:
            return list(self._accounts.people.values())
        return [Located(self._held_against(item.value), item.where) for item in self._listed]

    def pcs(self) -> list[Located[Pc]]:
        """Give the PCs that are joined; why there are no accounts is told by `people`."""
        if self.pcs_file:
            return read_pcs(self.pcs_file)
        return [] if isinstance(self._answer, UserError) else list(self._answer.pcs)

    def notices(self) -> list[Notice]:
        """Give what did not fit within the accounts, and who is on one side only."""
        notices = self._accounts.notices
        if self.pcs_file:
            notices = [item for item in notices if item.conflict is not Conflict.OWNER_UNKNOWN]
        return [*notices, *self._one_sided()]

    @property
    def _accounts(self) -> Accounts:
        """Give the accounts, or raise again why there are none; the server is asked once."""
        if isinstance(self._answer, UserError):
            raise self._answer
        return self._answer

    @cached_property
    def _answer(self) -> Accounts | UserError:
        try:
            return self.read()
        except UserError as error:
            return error

    @cached_property
    def _listed(self) -> list[Located[Person]]:
        return read_list(self.people_file) if self.people_file else []

    @cached_property
    def _by_id(self) -> dict[str, list[Person]]:
        """Give each id's accounts; an administrator has two."""
        found: dict[str, list[Person]] = {}
        for account in self._accounts.people.values():
            found.setdefault(account.value.id, []).append(account.value)
        return found

    def _held_against(self, person: Person) -> Person:
        accounts = self._by_id.get(person.id, [])
        if not accounts:
            return person
        told = {person.protected, *(account.protected for account in accounts)} - {None}
        return replace(
            person,
            status=Status.SUSPENDED if _are_disabled(accounts) else person.status,
            protected=any(told) if told else None,
        )

    def _one_sided(self) -> Iterator[Notice]:
        if self.people_file is None:
            return
        listed = {person.value.id for person in self._listed}
        for number in sorted(listed - self._by_id.keys()):
            yield Notice(Conflict.NOT_IN_ACCOUNTS, number)
        for number in sorted(self._by_id.keys() - listed):
            if not _are_disabled(self._by_id[number]):
                yield Notice(Conflict.NOT_IN_HR, number)


def _are_disabled(accounts: list[Person]) -> bool:
    return all(account.status is Status.SUSPENDED for account in accounts)
