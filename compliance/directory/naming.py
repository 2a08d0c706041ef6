"""The naming rules (B4): who gets which address. Pure; nothing else invents one.

The rules and their reasons stand in docs/decisions/0010-addresses.md.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count

from unidecode import unidecode

from compliance.directory.model import Person
from compliance.errors import UserError
from compliance.settings import ADDRESS_PATTERN

# Mailboxes that outsiders and programs expect (RFC 2142; DMARC RFC 7489; TLS-RPT RFC 8460;
# security RFC 9116), and the accounts that the audit's probes and our own letters are sent from.
SYSTEM_MAILBOXES = {
    "abuse": "Anmälan av missbruk",
    "dmarc": "DMARC-rapporter",
    "hostmaster": "Ansvarig för DNS",
    "kommunpost": "E-postsystemet",
    "kommunpost-audit": "Kommunposts granskning",
    "postmaster": "Ansvarig för e-posten",
    "security": "Anmälan av säkerhetsbrister",
    "tls-reports": "TLS-rapporter",
    "webmaster": "Ansvarig för webbplatsen",
}

# Names that programs or certificate issuers (CA/Browser Forum, 3.2.2.4.4) trust by themselves.
RESERVED = frozenset(SYSTEM_MAILBOXES) | {
    *("admin", "administrator", "bounce", "ftp", "mailer-daemon", "news", "no-reply", "nobody"),
    *("noc", "noreply", "root", "sysadmin", "usenet", "uucp", "www"),
}

LOCAL_PART_MAX = 64  # octets, RFC 5321 section 4.5.3.1.1
ADDRESS_MAX = 254  # octets, RFC 5321 section 4.5.3.1.3: a path is 256 with its brackets
_LOCAL_PART_LEAST = 24  # room for every system mailbox, every reference and a number

# Latin letters that Unicode does not take apart into a base letter and a mark.
_LATIN = {
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "þ": "th",
    "ð": "d",
    "đ": "d",
    "ø": "o",
    "ł": "l",
    "ħ": "h",
    "ı": "i",
    "ĸ": "k",
    "ŋ": "n",
    "ŧ": "t",
    "ə": "e",
    "ɛ": "e",
    "ɔ": "o",
    "ƒ": "f",
}
_APOSTROPHES = re.compile("['`´‘’‛ʹʻʼʽˈ′＇]")  # O'Brien is one word: obrien


@cache
def _plain(char: str) -> str:
    """Give a character in ASCII: Latin letters by their base letter, other scripts by sound."""
    letters = []
    for part in unicodedata.normalize("NFKD", char):
        if part.isascii():
            letters.append(part)
        elif part in _LATIN:
            letters.append(_LATIN[part])
        elif not unicodedata.combining(part):
            return unidecode(char)
    return "".join(letters)


def slug(name: str) -> str:
    """Turn a name in any script into lower-case ASCII words with hyphens between; maybe none.

    Particles and double names are words like any other: "de la Gardie" gives de-la-gardie.
    """
    whole = unicodedata.normalize("NFC", _APOSTROPHES.sub("", name)).lower()
    plain = _APOSTROPHES.sub("", "".join(map(_plain, whole))).lower()
    return "-".join(re.findall("[a-z0-9]+", plain))


def is_valid_local_part(local: str) -> bool:
    """Say whether this is a dot-string (RFC 5321, 4.1.2) of the characters that we hand out.

    The underscore comes from ids alone, in the address of a protected identity.
    """
    return len(local) <= LOCAL_PART_MAX and bool(
        re.fullmatch(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", local)
    )


def neutral_local_part(person_id: str) -> str:
    """Give the one that says nothing of whose it is but the id, of a protected identity (P1)."""
    return f"referens.{person_id.lower()}"


@dataclass(frozen=True, slots=True)
class Wish:
    """A holder (`person:10023`, `unit:ks`) and the local parts it would have, best first."""

    holder: str
    stems: tuple[str, ...]

    @property
    def is_system(self) -> bool:
        """A system mailbox has its one fixed name or none."""
        return self.holder.startswith("system:")


def wish_of_person(person: Person, pattern: str = ADDRESS_PATTERN) -> Wish:
    """Name a person by the settings' pattern; with the middle initial as second choice.

    A protected identity, or a name without a letter or digit, is named by the reference alone.
    """
    given, surname, middle = map(slug, (person.given_name, person.surname, person.middle_name))
    if person.protected or not (given or surname):
        return Wish(f"person:{person.id}", (neutral_local_part(person.id),))
    if not (given and surname):
        return Wish(f"person:{person.id}", (given or surname,))
    joint = re.sub(r"\{\w+\}", "", pattern)
    called, link = (given[0], "") if "{g}" in pattern else (given, joint)
    called_by = (called, f"{called}{link}{middle[0]}") if middle else (called,)
    is_surname_first = pattern.startswith("{surname}")
    stems = (
        joint.join((surname, name) if is_surname_first else (name, surname)) for name in called_by
    )
    return Wish(f"person:{person.id}", tuple(stems))


def wish_of_function(holder: str, name: str) -> Wish:
    """Name a unit or position after its name, or its id if the name has no letter or digit."""
    return Wish(holder, (slug(name) or slug(holder),))


def wish_of_list(unit: str, name: str) -> Wish:
    """Name a unit's distribution list, apart from its mailbox: alla.<unit>."""
    (stem,) = wish_of_function(unit, name).stems
    return Wish(f"list:{unit}", (f"alla.{stem}",))


def wishes_of_system() -> list[Wish]:
    """Name the system mailboxes."""
    return [Wish(f"system:{name}", (name,)) for name in SYSTEM_MAILBOXES]


def assign(
    wishes: Iterable[Wish], domain: str, current: Mapping[str, str], used: Mapping[str, str]
) -> dict[str, str]:
    """Give every holder an address; the same whatever the order of the wishes.

    current: holder to the primary address it has now. used: each address ever used to the one who
    has it for ever. Whoever holds an address that fits their name keeps it; newcomers get the
    first of their names that nobody ever had, then the first with a number, in the order of
    `_precedence`. Raises UserError when a system mailbox's name is held by someone else.
    """
    return _Assignment(domain, current, used).run(wishes)


_ORDER = {"system": 0, "unit": 1, "position": 2, "list": 3, "person": 4}


class _Assignment:
    """One run of `assign`."""

    def __init__(self, domain: str, current: Mapping[str, str], used: Mapping[str, str]) -> None:
        self._at = f"@{domain}"
        self._limit = min(LOCAL_PART_MAX, ADDRESS_MAX - len(self._at))
        if self._limit < _LOCAL_PART_LEAST:
            raise UserError.of(
                f"the mail domain has {len(domain)} characters and leaves no room for names",
                "settings: municipality.domain",
                f"use one of at most {ADDRESS_MAX - 1 - _LOCAL_PART_LEAST} characters",
            )
        self._current = {holder: self._local(address) for holder, address in current.items()}
        self._taken = {self._local(address): holder for address, holder in used.items()}
        for holder in sorted(self._current, key=_precedence):
            self._taken.setdefault(self._current[holder], holder)
        self._owned: dict[str, list[str]] = {}
        for local, holder in self._taken.items():
            self._owned.setdefault(holder, []).append(local)
        self._next_number: dict[str, int] = {}

    def _local(self, address: str) -> str:
        """Give the local part; an address of another domain stays whole and so never fits."""
        return address.removesuffix(self._at)

    def run(self, wishes: Iterable[Wish]) -> dict[str, str]:
        result = {}
        for wish in sorted(wishes, key=lambda wish: _precedence(wish.holder)):
            local = self._kept(wish) or self._new(wish)
            self._taken[local] = wish.holder
            result[wish.holder] = local + self._at
        return result

    def _kept(self, wish: Wish) -> str | None:
        """Find the best of the holder's own addresses that still fits the name."""
        ranks = {
            local: rank
            for local in self._owned.get(wish.holder, ())
            if (rank := self._rank(wish, local)) is not None
        }
        present = self._current.get(wish.holder, "")
        return present if present in ranks else min(ranks, key=ranks.__getitem__, default=None)

    def _rank(self, wish: Wish, local: str) -> tuple[int, int] | None:
        """Say which choice of the wish a local part is, or None if it is none of them."""
        for place, stem in enumerate(wish.stems):
            if self._fit(stem) == local:
                return place, 0
        digits = re.search("[1-9][0-9]*$", local)
        numbered = digits and self._fit(wish.stems[0], int(digits[0])) == local
        return (len(wish.stems), int(digits[0])) if digits and numbered else None

    def _new(self, wish: Wish) -> str:
        """Take the first choice that nobody ever had."""
        for local in self._choices(wish):
            if wish.is_system:
                return self._system(wish, local)
            if local not in self._taken and local not in RESERVED:
                return local
        raise AssertionError("the choices never end")

    def _system(self, wish: Wish, local: str) -> str:
        """A system mailbox has no second choice."""
        if local in self._taken:
            raise UserError.of(
                f"the address {local}{self._at} is held by {self._taken[local]}, "
                f"but programs expect {wish.holder} there",
                "the directory's ledger",
                "give that holder another address and hand the record back to the system mailbox",
            )
        return local

    def _choices(self, wish: Wish) -> Iterator[str]:
        """Every local part for a wish: its stems, then the first with 2, 3 and so on.

        Numbers once found taken are not tried again, so that namesakes cost linear time.
        """
        yield from map(self._fit, wish.stems)
        stem = wish.stems[0]
        for number in count(self._next_number.get(stem, 2)):
            self._next_number[stem] = number + 1
            yield self._fit(stem, number)

    def _fit(self, stem: str, number: int | None = None) -> str:
        """Cut a stem from the end so that it and its number fit the limit."""
        if number is None:
            return stem if len(stem) <= self._limit else stem[: self._limit].rstrip(".-")
        cut = stem[: self._limit - len(f"-{number}")].rstrip(".-")
        return f"{cut}-{number}" if cut[-1].isdigit() else f"{cut}{number}"


def _precedence(holder: str) -> tuple[int, int, str]:
    """Order newcomers: system, units, positions, lists, people; each by id, numbers by size."""
    kind, _, name = holder.partition(":")
    return _ORDER.get(kind, len(_ORDER)), len(name), name
