"""Writes the example municipality: organisation.yml, people.csv and pcs.csv in `example/`.

Everybody and everything in it is invented. The seed is fixed, so the same files come out each
time; they are kept in git to be read, and this program to explain them:
    .venv/bin/python inventory/generate_example.py
"""

import csv
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SEED = 20010911
EMPLOYEES = 600
ELECTED = 35
PCS = 550
SHARED_PCS = 24  # with two to four owners
UNOWNED_PCS = 12  # in reading rooms, receptions and stores

# id, name, kind, parent, weight: how many of the employees work there
UNITS = [
    ("ks", "Kommunstyrelsen", "authority", "", 0),
    ("ksk", "Kommunstyrelsekontoret", "administration", "ks", 8),
    ("kansli", "Kansliavdelningen", "department", "ksk", 12),
    ("ekonomi", "Ekonomiavdelningen", "department", "ksk", 16),
    ("personal", "Personalavdelningen", "department", "ksk", 12),
    ("it", "IT-avdelningen", "department", "ksk", 12),
    ("bun", "Barn- och utbildningsnämnden", "authority", "", 0),
    ("buf", "Barn- och utbildningsförvaltningen", "administration", "bun", 10),
    ("forskola", "Förskoleavdelningen", "department", "buf", 90),
    ("grundskola", "Grundskoleavdelningen", "department", "buf", 120),
    ("gymnasium", "Gymnasieavdelningen", "department", "buf", 45),
    ("elevhalsa", "Elevhälsan", "department", "buf", 15),
    ("sn", "Socialnämnden", "authority", "", 0),
    ("sf", "Socialförvaltningen", "administration", "sn", 10),
    ("ifo", "Individ- och familjeomsorgen", "department", "sf", 35),
    ("aldreomsorg", "Äldreomsorgen", "department", "sf", 100),
    ("funktionsstod", "Funktionsstöd", "department", "sf", 45),
    ("sbn", "Samhällsbyggnadsnämnden", "authority", "", 0),
    ("sbf", "Samhällsbyggnadsförvaltningen", "administration", "sbn", 8),
    ("bygglov", "Bygglovsavdelningen", "department", "sbf", 14),
    ("gatapark", "Gatu- och parkavdelningen", "department", "sbf", 24),
    ("kfn", "Kultur- och fritidsnämnden", "authority", "", 0),
    ("kff", "Kultur- och fritidsförvaltningen", "administration", "kfn", 6),
    ("bibliotek", "Biblioteksavdelningen", "department", "kff", 18),
]

# id, name, unit; those of an authority are held by elected members
POSITIONS = [
    ("kommunalrad", "Kommunalråd", "ks"),
    ("ordforande-bun", "Ordförande i barn- och utbildningsnämnden", "bun"),
    ("ordforande-sn", "Ordförande i socialnämnden", "sn"),
    ("ordforande-sbn", "Ordförande i samhällsbyggnadsnämnden", "sbn"),
    ("ordforande-kfn", "Ordförande i kultur- och fritidsnämnden", "kfn"),
    ("kommunchef", "Kommunchef", "ksk"),
    ("utbildningschef", "Utbildningschef", "buf"),
    ("socialchef", "Socialchef", "sf"),
    ("samhallsbyggnadschef", "Samhällsbyggnadschef", "sbf"),
    ("kulturchef", "Kultur- och fritidschef", "kff"),
    ("registrator", "Registrator", "ksk"),
    ("registrator-bun", "Registrator barn och utbildning", "buf"),
    ("registrator-sn", "Registrator socialnämnden", "sf"),
    ("registrator-sbn", "Registrator samhällsbyggnad", "sbf"),
    ("registrator-kfn", "Registrator kultur och fritid", "kff"),
    ("kanslichef", "Kanslichef", "kansli"),
    ("ekonomichef", "Ekonomichef", "ekonomi"),
    ("personalchef", "Personalchef", "personal"),
    ("it-chef", "IT-chef", "it"),
    ("forskolechef", "Förskolechef", "forskola"),
    ("grundskolechef", "Grundskolechef", "grundskola"),
    ("gymnasiechef", "Gymnasiechef", "gymnasium"),
    ("elevhalsochef", "Elevhälsochef", "elevhalsa"),
    ("ifo-chef", "Chef för individ- och familjeomsorgen", "ifo"),
    ("aldreomsorgschef", "Äldreomsorgschef", "aldreomsorg"),
    ("funktionsstodschef", "Chef för funktionsstöd", "funktionsstod"),
    ("bygglovschef", "Bygglovschef", "bygglov"),
    ("gatuchef", "Gatu- och parkchef", "gatapark"),
    ("bibliotekschef", "Bibliotekschef", "bibliotek"),
    ("kommunjurist", "Kommunjurist", "kansli"),
    ("kommunarkivarie", "Kommunarkivarie", "kansli"),
    ("dataskyddsombud", "Dataskyddsombud", "ksk"),
    ("sakerhetschef", "Säkerhetschef", "ksk"),
    ("kommunikator", "Kommunikatör", "ksk"),
    ("upphandlare", "Upphandlare", "ekonomi"),
    ("redovisning", "Redovisningsansvarig", "ekonomi"),
    ("datatekniker", "Datatekniker", "it"),
    ("mas", "Medicinskt ansvarig sjuksköterska", "aldreomsorg"),
    ("stadsarkitekt", "Stadsarkitekt", "bygglov"),
    ("skolskoterska", "Skolsköterska", "elevhalsa"),
]

# Units whose people are reached by one address, and by whom.
LISTS = {"ks": "internal", "it": "internal", "bibliotek": "open"}

# The registrar's own words to whoever writes.
ACKNOWLEDGEMENT = """\
    acknowledgement: |
      Registratorn registrerar ditt ärende och skickar det vidare till rätt förvaltning.

      Vill du veta hur det går med ärendet? Ring kommunens växel och fråga efter registratorn.
""".splitlines()

GIVEN = """Agneta Ahmed Albin Alexander Alice Alva Amanda Amina Anders Andreas Anette Anita Ann
Anna Anneli Annika Arne Arvid Astrid Axel Barbro Bengt Berit Birgitta Björn Bo Britt Camilla Carina
Caroline Cecilia Charlotte Christer Dan Daniel David Ebba Edvin Elin Elisabeth Elsa Emelie Emil
Emma Erik Eva Fatima Filip Fredrik Frida Gabriel Gerd Greta Gunilla Gunnar Gustav Göran Hanna Hans
Harald Hassan Helena Henrik Hugo Håkan Ibrahim Ida Inger Ingrid Irene Isak Jakob Jan Jenny Jesper
Joakim Johan Johanna Jonas Josefin Julia Jörgen Karin Karl Katarina Kenneth Kerstin Kjell Klara
Kristina Lars Leif Lena Lennart Leo Linda Linnéa Lisa Lovisa Lucas Maja Malin Margareta Maria Marie
Markus Martin Mats Mattias Mikael Milad Mohammed Mona Monica Måns Märta Nadia Nils Nina Oliver Olof
Oscar Ove Patrik Per Pernilla Peter Pia Pär Rasmus Rebecka Robert Roger Roland Rolf Samira Sara
Simon Siv Sofia Staffan Stefan Stig Susanne Sven Sören Therese Thomas Tobias Tommy Torbjörn Ulf
Ulla Ulrika Urban Vera Viktor Viktoria William Yngve Yvonne Zahra Åke Åsa Örjan"""

SURNAMES = """Abrahamsson Ahlgren Alm Andersson Arvidsson Axelsson Bengtsson Berg Berglund Bergman
Bergqvist Blom Blomqvist Boström Brodin Byström Carlsson Claesson Dahl Dahlberg Danielsson Edlund
Ek Ekström Eklund Eliasson Engström Eriksson Falk Forsberg Fransson Fredriksson Friberg Gran
Granström Gunnarsson Gustafsson Göransson Hagman Hallberg Hansson Haglund Hedlund Hedström
Hellström Henriksson Hermansson Holm Holmberg Holmström Håkansson Isaksson Ivarsson Jakobsson
Jansson Johansson Jonsson Josefsson Jönsson Karlsson Kjellberg Klasson Larsson Lindberg Lindén
Lindgren Lindholm Lindqvist Lindström Ljungberg Lund Lundberg Lundgren Lundin Lundqvist Löfgren
Magnusson Malm Martinsson Mattsson Melin Moberg Månsson Mårtensson Nilsson Norberg Nordin Nordström
Norén Nyberg Nyström Näslund Olofsson Olsson Palm Persson Pettersson Pålsson Rosén Rydberg
Samuelsson Sandberg Sjöberg Sjögren Sjöström Skoglund Stenberg Strand Strömberg Sundberg Sundqvist
Sundström Svensson Söderberg Söderström Törnqvist Viklund Wallin Wikström Wahlström Åberg Åkesson
Åström Öberg Öhman Östlund"""

# given name, middle name, surname: what breaks naive code
HARD = [
    *[("Anna", "", "Johansson"), ("Anna", "Karin", "Johansson"), ("Anna", "", "Johansson")],
    *[("Anna", "Lovisa", "Johansson"), ("Ö", "", "Å"), ("Li", "", "Y"), ("Bo", "", "Ek")],
    *[("Zoë", "", "Müller"), ("André", "", "Lindéh"), ("Łukasz", "", "Wałęsiak")],
    *[("Søren", "", "Kjærgaard"), ("Þóra", "", "Guðmundsdóttir"), ("Jürgen", "", "Groß")],
    *[("Đorđe", "", "Šarić"), ("Çağla", "", "Yıldız"), ("İpek", "", "Şahin")],
    *[("Anna-Karin", "", "Berg-Öhman"), ("Eva Lotta", "", "Lind Sjöberg")],
    *[("Sean", "", "O'Brien"), ("Siobhán", "", "O’Connor"), ("Chiara", "", "D'Angelo")],
    *[("Carl", "Gustaf", "af Sandhamn"), ("Ebba", "", "von Essenvik")],
    *[("Magnus", "", "de la Gardevik"), ("Johan", "", "van der Berg"), ("Maria", "", "da Silva")],
    *[("Louise", "", "von der Lindenau"), ("Nguyễn", "", "Trần Thị"), ("Léa", "", "L'Hôte")],
    ("Maximiliana-Alexandrina", "", "Cederskiöld-Hallenborg af Västergötlands Sjövalla-Björkängen"),
    *[("Олена", "", "Шевчук"), ("Дмитрий", "", "Щербаков"), ("Γιώργος", "", "Παπαδάκης")],
    *[("محمد", "", "الأحمد"), ("فاطمة", "", "حسن"), ("יעל", "", "כהן"), ("小明", "", "王")],
    *[("さくら", "", "田中"), ("민수", "", "김"), ("สมชาย", "", "ใจดี"), ("अनिता", "", "शर्मा")],
    *[("አበበ", "", "ተስፋዬ"), ("Նարեկ", "", "Պետրոսյան"), ("ნინო", "", "ბერიძე")],
    *[("", "", "Suharti"), ("Erik", "", "Post-Master"), ("Pär-Åke", "Ö", "Åström")],
]
PROTECTED = [("Vendela", "", "Kvarnhammar"), ("Ruben", "", "Silverstolt")]

HEADER = """\
# The example municipality: what it has decided about itself. Everybody here is invented.
# Units (authorities, their administrations, departments), positions with their holders, and who
# watches each unit's mailbox. Ids of people are those in people.csv. See README.md beside this.
"""


@dataclass
class Human:
    """A line of people.csv."""

    id: str
    given_name: str
    middle_name: str
    surname: str
    kind: str
    unit: str
    protected: str = "no"


class Example:
    """Draws the municipality step by step from one stream of chance."""

    def __init__(self) -> None:
        """Draw people first, then who holds and watches what, then PCs."""
        self.chance = random.Random(SEED)  # noqa: S311 (a fixed seed is the point)
        self.given, self.surnames = GIVEN.split(), SURNAMES.split()
        self.people = [*self._employees(), *self._elected()]
        self.posted: set[str] = set()
        self.holders = {position: self._holder(unit) for position, _, unit in POSITIONS}
        self.watches = {unit[0]: self._watch(unit) for unit in UNITS}
        self.pcs = list(self._pcs())

    def _names(
        self, number: int, special: list[tuple[str, str, str]]
    ) -> list[tuple[str, str, str]]:
        usual = [
            (self.chance.choice(self.given), self._middle(), self.chance.choice(self.surnames))
            for _ in range(number - len(special))
        ]
        names = [*usual, *special]
        self.chance.shuffle(names)
        return names

    def _middle(self) -> str:
        return self.chance.choice(self.given) if self.chance.random() < 0.3 else ""

    def _employees(self) -> Iterable[Human]:
        units = [unit for unit in UNITS if unit[4]]
        # Every unit first gets four people, so that positions and watches can be filled.
        places = [unit[0] for unit in units for _ in range(4)]
        places += self.chance.choices(
            [unit[0] for unit in units], [unit[4] for unit in units], k=EMPLOYEES - len(places)
        )
        names = self._names(EMPLOYEES, [*HARD, *PROTECTED])
        for number, (name, unit) in enumerate(zip(names, places, strict=True), start=10001):
            protected = "yes" if name in PROTECTED else "no"
            yield Human(str(number), *name, "employee", unit, protected)

    def _elected(self) -> Iterable[Human]:
        boards = [unit[0] for unit in UNITS if unit[2] == "authority"]
        for number, name in enumerate(self._names(ELECTED, []), start=20001):
            yield Human(str(number), *name, "elected", boards[number % len(boards)])

    def _in(self, unit: str) -> list[str]:
        return [human.id for human in self.people if human.unit == unit]

    def _holder(self, unit: str) -> str:
        """Give the post to the first in the unit who has none yet."""
        chosen = next(human for human in self._in(unit) if human not in self.posted)
        self.posted.add(chosen)
        return chosen

    def _watch(self, unit: tuple[str, str, str, str, int]) -> tuple[str, str]:
        """Each administration watches its authority's mailbox too (clause BEVAKNING)."""
        where = unit[0]
        if unit[2] == "authority":
            where = next(other[0] for other in UNITS if other[3] == unit[0])
        staff = self._in(where)
        return staff[-1], staff[-2]

    def _pcs(self) -> Iterable[tuple[str, str, str]]:
        units = {human.id: human.unit for human in self.people}
        must = {
            *self.holders.values(),
            *(name for watch in self.watches.values() for name in watch),
        }
        must |= {human.id for human in self.people if human.protected == "yes"}
        others = [human.id for human in self.people if human.id not in must]
        self.chance.shuffle(others)
        alone = PCS - SHARED_PCS - UNOWNED_PCS
        owners = [[name] for name in sorted(must)] + [[name] for name in others]
        owners = owners[:alone]
        rest = [name for name in others if [name] not in owners]
        for _ in range(SHARED_PCS):
            first = rest.pop()
            mates = [n for n in rest if units[n] == units[first]][: self.chance.randint(1, 3)]
            owners.append([first, *(mates or [others[0]])])
        owners += [[] for _ in range(UNOWNED_PCS)]
        self.chance.shuffle(owners)
        spare = [unit[0] for unit in UNITS if unit[4]]
        for number, names in enumerate(owners, start=1):
            unit = units[names[0]] if names else self.chance.choice(spare)
            yield f"PC{number:04d}", " ".join(names), unit

    def organisation(self) -> str:
        """Give organisation.yml."""
        lines = [HEADER, "municipality: Sjövalla kommun"]
        lines += ["commissioner: kommunalrad", "executive_office: ksk", "", "units:"]
        for unit, name, kind, parent, _ in UNITS:
            watcher, deputy = self.watches[unit]
            lines += [f"  - id: {unit}", f"    name: {name}", f"    kind: {kind}"]
            lines += [f"    parent: {parent}"] if parent else []
            lines += [f'    watcher: "{watcher}"', f'    deputy: "{deputy}"']
            lines += ["    acknowledgement: standard"] if kind == "authority" else []
            lines += [f"    list: {LISTS[unit]}"] if unit in LISTS else []
        lines += ["", "positions:"]
        for position, name, unit in POSITIONS:
            lines += [f"  - id: {position}", f"    name: {name}", f"    unit: {unit}"]
            lines += [f'    holders: ["{self.holders[position]}"]']
            lines += ACKNOWLEDGEMENT if position == "registrator" else []
        return "\n".join(lines) + "\n"


def write_example(folder: Path) -> None:
    """Write the three files into a folder."""
    example = Example()
    (folder / "organisation.yml").write_text(example.organisation(), encoding="utf-8")
    columns = ["id", "given_name", "middle_name", "surname", "kind", "unit", "protected"]
    people = ([getattr(human, column) for column in columns] for human in example.people)
    _write_table(folder / "people.csv", columns, people)
    _write_table(folder / "pcs.csv", ["name", "owners", "unit"], example.pcs)


def _write_table(path: Path, columns: list[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


if __name__ == "__main__":
    write_example(Path(__file__).parent / "example")
