"""Who keeps which function mailbox read, by what the directory holds. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from compliance.directory.model import Duty, Status, UnitKind
from compliance.directory.tree import Entry
from compliance.watch.reminders import Recipient, Watched


def watched(entries: Mapping[str, Entry], base: str) -> Iterator[Watched]:
    """Give every unit's and position's mailbox that is in use, with those who can be told of it.

    A position is watched by its holders, and has no deputy.

    entries: as `directory.held` reads them, by their lower-case name below the suffix `base`.
    Somebody whose mailbox is not active has left or is suspended, somebody with a deputy is on
    leave: neither is told. Nothing comes out without an executive office that has a mailbox,
    since then there is nobody to turn to at last.
    """
    directory = _Directory(entries, base)
    office = directory.executive_office()
    if office is None:
        return
    for unit in directory.units():
        if unit.address and unit.first("kommunpostStatus") == Status.ACTIVE:
            yield Watched(
                address=unit.address,
                name=unit.name,
                unit=unit.first("kommunpostUnit"),
                watcher=directory.present(unit.attributes.get("kommunpostWatcher", ())),
                deputy=directory.present(unit.attributes.get("kommunpostDeputy", ())),
                head=directory.head(unit) or office,
            )
    for post in directory.positions():
        if post.address and post.first("kommunpostStatus") == Status.ACTIVE:
            yield Watched(
                address=post.address,
                name=post.name,
                unit=post.first("kommunpostUnit"),
                watcher=directory.present(post.attributes.get("roleOccupant", ())),
                head=directory.head_over(post) or office,
                is_position=True,
            )


def head_of(entries: Mapping[str, Entry], base: str, unit: str) -> Recipient | None:
    """Give the position that leads a unit, by its id; else the executive office, if there is one.

    entries, base: as for `watched`.
    """
    directory = _Directory(entries, base)
    found = next((one for one in directory.units() if one.holder == f"unit:{unit}"), None)
    head = directory.head(found) if found else None
    return head or directory.executive_office()


class _Directory:
    """Look-ups over one snapshot."""

    def __init__(self, entries: Mapping[str, Entry], base: str) -> None:
        self._entries = entries
        self._suffix = f",{base}".lower()
        self._units = {
            entry.first("kommunpostUnit"): entry
            for entry in entries.values()
            if entry.holder.startswith("unit:")
        }
        self._heads = {
            entry.first("kommunpostUnit"): entry
            for entry in entries.values()
            if Duty.HEAD in entry.attributes.get("kommunpostDuty", ())
        }

    def units(self) -> Iterable[Entry]:
        return self._units.values()

    def positions(self) -> Iterable[Entry]:
        return (e for e in self._entries.values() if e.holder.startswith("position:"))

    def head_over(self, post: Entry) -> Recipient | None:
        """Give the position that leads the administration of a post; nobody leads oneself."""
        unit = self._units.get(post.first("kommunpostUnit"))
        head = self.head(unit) if unit else None
        return head if head and head.address != post.address else None

    def executive_office(self) -> Recipient | None:
        for unit in self._units.values():
            if Duty.EXECUTIVE_OFFICE in unit.attributes.get("kommunpostDuty", ()):
                return _recipient(unit)
        return None

    def head(self, unit: Entry) -> Recipient | None:
        """Climb from a unit to its administration, and give the position that leads it.

        An authority is served by an administration below it.
        """
        above: Entry | None = unit
        for _ in range(len(self._units)):
            if above is None or above.first("kommunpostUnitKind") != UnitKind.DEPARTMENT:
                break
            above = self._units.get(above.first("kommunpostParent"))
        if above is None:
            return None
        leads = self._heads.get(above.first("kommunpostUnit")) or self._head_below(above)
        if leads is None or self.present(leads.attributes.get("roleOccupant", ())) is None:
            return None  # a vacant post reads nothing
        return _recipient(leads)

    def _head_below(self, authority: Entry) -> Entry | None:
        for name, post in self._heads.items():
            administration = self._units.get(name)
            if administration and administration.first("kommunpostParent") == authority.first(
                "kommunpostUnit"
            ):
                return post
        return None

    def present(self, names: Iterable[str]) -> Recipient | None:
        """Give the first of these DNs who is here to be told."""
        for name in names:
            entry = self._entries.get(name.lower().removesuffix(self._suffix))
            if entry and not entry.first("kommunpostDeputy"):
                found = _recipient(entry)
                if found:
                    return found
        return None


def _recipient(entry: Entry) -> Recipient | None:
    if not entry.address or entry.first("kommunpostStatus") != Status.ACTIVE:
        return None
    return Recipient(entry.address, entry.name)
