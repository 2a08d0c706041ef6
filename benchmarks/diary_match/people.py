"""Who writes to a municipality: names, addresses, and how registrars write them down."""

import random
import string
from dataclasses import dataclass

from diary_match import wordings as w

_ASCII = str.maketrans("åäöÅÄÖéćøü", "aaoAAOecou")


@dataclass
class Who:
    """Someone outside. name: as they call themselves; diary: as registrars write them."""

    kind: str
    name: str
    diary: tuple[str, ...]
    address: str
    shown: str


class People:
    def __init__(self, chance: random.Random) -> None:
        self.r = chance

    def who(self, board: str) -> Who:
        kind = self.r.choices(("citizen", "company", "authority", "club"), (55, 22, 17, 6))[0]
        if board == "KFN" and self.r.random() < 0.5:
            kind = "club"
        if kind == "citizen":
            return self.citizen()
        if kind == "company":
            return self.company()
        if kind == "club":
            name = self.r.choice(w.CLUBS)
            domain = self.plain(name).replace(" ", "") + ".example"
            person = self.citizen()
            address = self.r.choice((f"info@{domain}", f"styrelsen@{domain}", person.address))
            return Who(kind, name, (name,), address, self.r.choice((name, person.name, "")))
        name, variants, domain = self.r.choice(w.AUTHORITIES)
        officer = f"{self.r.choice(w.FIRST_NAMES)} {self.r.choice(w.SURNAMES)}"
        local = self.r.choice(
            ("registrator", "diarium", "info", self.plain(officer).replace(" ", "."))
        )
        return Who(
            kind, name, (name, *variants), f"{local}@{domain}", self.r.choice((name, officer, ""))
        )

    def citizen(self) -> Who:
        first, last = self.r.choice(w.FIRST_NAMES), self.r.choice(w.SURNAMES)
        if self.r.random() < 0.12:
            last = f"{last} {self.r.choice(w.SURNAMES)}"
        if self.r.random() < 0.08:
            first = f"{first}-{self.r.choice(w.FIRST_NAMES)}"
        name = f"{first} {last}"
        short_last = last.split()[-1]
        f, s = self.plain(first).replace("-", ""), self.plain(short_last)
        digits = self.r.choice(
            ("", "", str(self.r.randint(1, 99)), str(self.r.randint(1950, 2005)))
        )
        nick = self.r.choice(("solros", "fiskarn", "bosse", "mamma", "volvo", "katten", "lillen"))
        local = self.r.choices(
            (
                f"{f}.{s}{digits}",
                f"{f}{s}{digits}",
                f"{f[0]}.{s}",
                f"{s}.{f}",
                f"{f}{digits}",
                f"{nick}{digits or 7}",
            ),
            (45, 18, 10, 6, 12, 9),
        )[0]
        host = self.r.choice(("gmail", "hotmail", "outlook", "telia", "icloud", "live", "bredband"))
        shown = self.r.choices(
            (
                name,
                f"{first} {short_last}",
                first,
                f"{last}, {first}",
                "",
                f"{first[0]} {short_last}",
                f"{first} i telefonen",
            ),
            (58, 12, 7, 5, 12, 4, 2),
        )[0]
        diary = (
            name,
            name,
            name,
            f"{last}, {first}",
            f"{first} {short_last}",
            f"{first} {last} m.fl.",
        )
        if self.r.random() < 0.02:  # writes from somebody else's address
            local, shown = "familjen." + self.plain(self.r.choice(w.SURNAMES)), ""
        return Who("citizen", name, diary, f"{local}@{host}.example", shown)

    def company(self) -> Who:
        first, second = self.r.choice(w.COMPANY_FIRST), self.r.choice(w.COMPANY_SECOND)
        form = self.r.choice(w.COMPANY_FORM)
        base = f"{first} {second}"
        name = f"{base} {form}".strip()
        domain = self.plain(base).replace(" ", self.r.choice(("", "", "-"))) + ".example"
        if self.r.random() < 0.15:
            domain = self.plain(first).replace(" ", "") + ".example"
        person = f"{self.r.choice(w.FIRST_NAMES)} {self.r.choice(w.SURNAMES)}"
        local = self.r.choice(
            ("info", "kontakt", self.plain(person).replace(" ", "."), self.plain(person).split()[0])
        )
        shown = self.r.choice((person, person, name, f"{person} | {base}", f"{person}, {base}", ""))
        diary = (name, base, name, f"{name} genom {person}")
        return Who("company", name, diary, f"{local}@{domain}", shown)

    def plain(self, text: str) -> str:
        return "".join(
            c for c in text.translate(_ASCII).lower() if c in string.ascii_lowercase + " "
        )
