"""Makes a municipality's diary and the letters behind it, with the truth. All chance by the seed."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from diary_match import wordings as w
from diary_match.people import People, Who
from diary_match.numbers import Written, foreign_number, write_number

START = date(2025, 9, 1)
DAYS = 300
BOARDS = ("KS", "BUN", "SBN", "SN", "MBN", "KFN")


@dataclass
class Row:
    """A row of the diary."""

    key: str
    board: str
    year: int
    serial: int
    document: int
    day: date
    direction: str
    party: str
    subject: str


@dataclass
class Letter:
    """A letter in the log. number: how its case was written in the subject, if it was."""

    key: str
    day: date
    direction: str
    others: list[str]
    names: list[str]
    subject: str
    board: str
    message_id: str
    references: list[str]
    truth: set[str] = field(default_factory=set)
    number: Written | None = None
    kind: str = ""


@dataclass
class World:
    rows: list[Row]
    letters: list[Letter]


def make(seed: int, count: int) -> World:
    """Make a world of so many letters, as many a day whatever the number, and their diary."""
    return _Maker(random.Random(seed), count).make()


class _Maker:
    def __init__(self, chance: random.Random, count: int) -> None:
        self.r, self.count = chance, count
        self.people = People(chance)
        self.days = max(40, DAYS * count // 20_000)
        self.serials: dict[tuple[str, int], int] = {}
        self.rows: list[Row] = []
        self.letters: list[Letter] = []
        self.threads: list[list[str]] = []

    def make(self) -> World:
        while len(self.letters) < self.count:
            self.case()
            if self.r.random() < 0.75:
                self.noise()
        self.r.shuffle(self.rows)
        letters = sorted(self.letters[: self.count], key=lambda letter: (letter.day, letter.key))
        return World(self.rows, letters)

    # --- cases

    def case(self) -> None:
        board, titles, nicknames = self.r.choice(w.TOPICS)
        places = {
            "estate": f"{self.r.choice(w.PLACES)} {self.r.randint(1, 9)}:{self.r.randint(1, 140)}",
            "place": self.r.choice(w.PLACES),
            "street": f"{self.r.choice(w.STREETS)}{self.r.choice(('', f' {self.r.randint(1, 60)}'))}",
            "school": self.r.choice(w.SCHOOLS),
            "company": self.people.company().name,
            "club": self.r.choice(w.CLUBS),
            "hall": self.r.choice(w.HALLS),
            "matter": self.r.choice(w.MATTERS),
            "remit": self.r.choice(w.REMITS),
            "goods": self.r.choice(w.GOODS),
            "party": self.r.choice(w.PARTIES),
        }
        title = self.r.choice(titles).format(**places)
        nickname = self.r.choice(nicknames).format(**places)
        day = START + timedelta(self.r.randrange(self.days))
        year = day.year
        self.serials[board, year] = serial = self.serials.get((board, year), 0) + 1
        main = self.people.who(board)
        thread: list[str] = []
        length = min(1 + int(self.r.expovariate(0.45)), 14)
        for document in range(1, length + 1):
            party = main if document == 1 or self.r.random() < 0.7 else self.people.who(board)
            self.document(board, year, serial, document, day, party, title, nickname, thread)
            day += timedelta(self.r.choices((0, 1, 2, 4, 9, 20, 45), (4, 8, 12, 20, 25, 20, 11))[0])
        if thread:
            self.threads.append(thread)

    def document(self, board, year, serial, document, day, party, title, nickname, thread) -> None:
        kinds = [kind for kind in w.DOCUMENTS if document > 1 or kind[0] == "in"]
        direction, formal, informal = self.r.choice(kinds)
        registered = self.r.choice(formal)
        subject = self.r.choices(
            (
                f"{registered} - {title}",
                f"{registered}, {title}",
                registered,
                title,
                f"{registered} i ärende om {title[0].lower()}{title[1:]}",
            ),
            (30, 20, 18, 20, 12),
        )[0]
        key = f"r{len(self.rows)}"
        withheld = self.r.random()
        row = Row(
            key,
            board,
            year,
            serial,
            document,
            self.registered(day, direction),
            direction,
            "" if withheld < 0.03 else self.r.choice(party.diary),
            "" if withheld < 0.015 else subject,
        )
        self.rows.append(row)
        if self.r.random() < 0.13:  # by paper, an e-service or at the counter
            return
        self.letter(row, day, party, title, nickname, self.r.choice(informal), thread)

    def registered(self, day: date, direction: str) -> date:
        """The day in the diary: of receipt for most, else of registration."""
        if direction == "out":
            return day - timedelta(self.r.choices((0, 1, 2), (88, 9, 3))[0])
        late = self.r.choices((0, 1, 2, 3, 5, 8, 12), (74, 12, 6, 3, 2, 2, 1))[0]
        found = day + timedelta(late)
        if found.weekday() >= 5 and self.r.random() < 0.7:
            found += timedelta(7 - found.weekday())
        return found

    def letter(self, row, day, party, title, nickname, said, thread) -> None:
        first = row.document == 1
        written = None
        has_number = self.r.random() < (0.82 if row.direction == "out" else 0.04 if first else 0.62)
        text = self.subject(row, title, nickname, said, thread)
        if has_number:
            written = write_number(self.r, row.board, row.year, row.serial, row.document)
            text = self.with_number(text, written, row)
        message_id = f"<{self.r.getrandbits(48):x}@{party.address.partition('@')[2]}>"
        references = list(thread) if self.r.random() < 0.7 else []
        if first and self.threads and self.r.random() < 0.08:
            # Somebody begins a new matter by answering an old letter.
            references = self.r.choice(self.threads[-200:])[-3:]
        letter = Letter(
            f"m{len(self.letters)}",
            day,
            row.direction,
            [party.address],
            [party.shown] if party.shown else [],
            text,
            row.board,
            message_id,
            references,
            {row.key},
            written,
            "registered",
        )
        self.letters.append(letter)
        thread.append(message_id)
        self.echoes(letter, row)

    def subject(self, row, title, nickname, said, thread) -> str:
        if row.direction == "out":
            text = self.r.choice((f"{said} - {title}", f"{said}: {nickname}", title, f"{said}"))
        elif thread and self.r.random() < 0.45:
            text = self.r.choice(("SV: ", "Sv: ", "Re: ", "RE: ")) + self.r.choice(
                (title, nickname)
            )
        elif self.r.random() < 0.07:
            text = self.r.choice(w.EMPTY_SUBJECTS)
        else:
            text = self.r.choice(
                (
                    nickname,
                    f"{said} {nickname}",
                    f"{nickname}, {said}",
                    f"{said} - {nickname}",
                    title,
                    f"{said} {title}",
                    said or nickname,
                )
            ).strip()
        return self.mistyped(text)

    def mistyped(self, text: str) -> str:
        """As people type: small letters, a slip, a word in capitals, a compound in two."""
        if self.r.random() < 0.15:
            text = text.lower()
        if len(text) > 8 and self.r.random() < 0.08:
            at = self.r.randrange(1, len(text) - 2)
            swap = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            text = self.r.choice(
                (swap, text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:])
            )
        if self.r.random() < 0.04:
            for part in ("skola", "bygge", "lov", "plats", "skjuts", "bidrag", "tjänst"):
                text = text.replace(part, f" {part}", 1) if f" {part}" not in text else text
        if self.r.random() < 0.03:
            text = text.upper()
        return text

    def with_number(self, text: str, written: Written, row: Row) -> str:
        ours = "Ert" if row.direction == "in" else "Vårt"
        form = self.r.choice(
            (
                "{t} {n}",
                "{n} {t}",
                "{t}, dnr {n}",
                "{t} - Dnr: {n}",
                "{n}",
                "{t} ({n})",
                "[{n}] {t}",
                "{o} dnr {n} {t}",
                "{t}, {o} ref {n}",
                "Ärende {n}: {t}",
                "{t} / {n}",
                "{t} diarienummer {n}",
            )
        )
        mark, rest = "", text
        for reply in ("SV: ", "Sv: ", "Re: ", "RE: "):
            if text.startswith(reply):
                mark, rest = reply, text.removeprefix(reply)
        number = written.text
        if (
            not written.has_prefix
            and "dnr" not in form.lower()
            and "rende" not in form
            and "ref" not in form
            and "nummer" not in form
            and self.r.random() < 0.6
        ):
            number = f"dnr {number}"
        found = mark + form.format(t=rest, n=number, o=ours)
        extra = self.r.random()
        if extra < 0.03:  # the other side's own number stands there too
            theirs = "vårt" if row.direction == "in" else "ert"
            found += f", {theirs} dnr {foreign_number(self.r)}"
        elif extra < 0.05:
            other = self.r.randint(1, 900)
            found += f", faktura {row.year}-{other}"
        return found.strip()

    # --- what follows a letter

    def echoes(self, letter: Letter, row: Row) -> None:
        chance = self.r.random()
        if letter.direction == "in" and chance < 0.10:
            self.forward(letter)
        elif chance < 0.14:
            copy = Letter(**{**letter.__dict__, "key": f"m{len(self.letters)}", "kind": "copy"})
            copy.truth = set(letter.truth)
            self.letters.append(copy)
        elif letter.direction == "out" and chance < 0.30:
            self.thanks(letter)
        elif chance < 0.33 and len(self.rows) > 60:
            self.two_cases(letter, row)

    def forward(self, letter: Letter) -> None:
        officer = f"{self.r.choice(w.FIRST_NAMES)} {self.r.choice(w.SURNAMES)}"
        self.letters.append(
            Letter(
                f"m{len(self.letters)}",
                letter.day + timedelta(self.r.choices((0, 1, 3), (8, 3, 1))[0]),
                "internal",
                [self.people.plain(officer).replace(" ", ".") + "@sjovalla.example"],
                [officer],
                self.r.choice(("VB: ", "Vb: ", "FW: ", "Fwd: ")) + letter.subject,
                letter.board,
                f"<{self.r.getrandbits(48):x}@sjovalla.example>",
                [letter.message_id] if self.r.random() < 0.6 else [],
                set(letter.truth),
                letter.number,
                "forward",
            )
        )

    def thanks(self, letter: Letter) -> None:
        """An answer that nobody registers, with the number in its subject."""
        self.letters.append(
            Letter(
                f"m{len(self.letters)}",
                letter.day + timedelta(self.r.choices((0, 1, 2), (5, 3, 1))[0]),
                "in",
                letter.others,
                letter.names,
                f"SV: {letter.subject}",
                letter.board,
                f"<{self.r.getrandbits(48):x}@answer.example>",
                [letter.message_id],
                set(),
                letter.number,
                "thanks",
            )
        )

    def two_cases(self, letter: Letter, row: Row) -> None:
        """The letter names a second case of the same board; it is registered in the first alone."""
        other = self.r.choice(self.rows[-60:])
        if other.board != row.board or other.serial == row.serial or letter.number is None:
            return
        if letter.number.has_prefix and not letter.number.wrong:
            written = write_number(self.r, other.board, other.year, other.serial, other.document)
            letter.subject += self.r.choice((" och ", ", se även ", " samt ")) + written.text
            letter.kind = "two numbers"

    def noise(self) -> None:
        number = self.r.choice(
            (str(self.r.randint(10000, 9999999)), f"2025-{self.r.randint(1, 999)}")
        )
        day = START + timedelta(self.r.randrange(self.days))
        person = self.r.choice((self.people.citizen, self.people.company))()
        text = self.r.choice(w.NOISE).format(
            number=number,
            month=self.r.choice(("januari", "maj", "oktober")),
            week=self.r.randint(1, 52),
            matter=self.r.choice(w.MATTERS),
            date=f"{day:%Y-%m-%d}",
            name=self.r.choice(w.FIRST_NAMES),
        )
        if self.r.random() < 0.1:  # of another authority, with its own number
            name, _, domain = self.r.choice(w.AUTHORITIES)
            text = f"{self.r.choice(('Beslut', 'Information', 'Utskick'))} {name}, dnr {foreign_number(self.r)}"
            person = Who("authority", name, (name,), f"registrator@{domain}", name)
        self.letters.append(
            Letter(
                f"m{len(self.letters)}",
                day,
                self.r.choices(("in", "internal", "out"), (7, 2, 1))[0],
                [person.address],
                [person.shown] if person.shown else [],
                text,
                self.r.choice(BOARDS),
                f"<{self.r.getrandbits(48):x}@noise.example>",
                [],
                set(),
                None,
                "noise",
            )
        )
