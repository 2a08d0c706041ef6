"""Bad input is told with file, line, what, and what to write instead; all of it in one run."""

import pytest

from compliance.directory.model import Status
from compliance.errors import UserError

from .conftest import ORGANISATION, PCS, PEOPLE, Files


def _problems(files: Files) -> list[str]:
    with pytest.raises(UserError) as caught:
        files.read()
    for problem in caught.value.problems:
        assert problem.what
        assert problem.remedy, f"no remedy: {problem}"
    told = [
        f"{p.where.removeprefix(str(files.folder) + '/')}: {p.what}" for p in caught.value.problems
    ]
    assert all(told), told
    return told


def test_sound_files_are_read(organisation):
    assert [person.id for person in organisation.people] == ["1", "2", "3"]
    assert organisation.people[1].middle_name == "Erik"
    assert organisation.pcs[1].owners == ("1", "2")
    assert organisation.pcs[2].owners == ()
    assert organisation.units[1].watch.deputy == "2"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_tables_are_read_as_offices_save_them(files, encoding, delimiter, line_end):
    text = PEOPLE.replace(";", delimiter).replace("\n", line_end)
    (files.folder / "people.csv").write_bytes(text.encode(encoding))
    assert files.read().people[0].display_name == "Åsa Öberg"


def test_columns_may_stand_in_any_order_and_quotes_hold_delimiters(files):
    files.write(people='surname,id,kind,unit,given_name\n"Ek, af",1,employee,ksk,A\n', pcs=PCS)
    with pytest.raises(UserError):  # the others are gone, but the line itself was read
        files.read()
    assert files.source.people()[0].value.surname == "Ek, af"


def test_a_suspended_person_is_read_as_such(files):
    files.write(people=PEOPLE.replace("ksk;;", "ksk;suspended;"))
    assert files.read().people[1].status is Status.SUSPENDED


BAD_PEOPLE = {
    "a person twice": (
        PEOPLE + "1;Ann;;Al;employee;ksk;;\n",
        ["people.csv:5: the person 1 stands twice, first at FOLDER/people.csv:2"],
    ),
    "an unknown unit": (
        PEOPLE.replace("Ek;employee;ksk", "Ek;employee;kks"),
        ["people.csv:3: there is no unit kks"],
    ),
    "too few fields": (
        PEOPLE.replace("2;Bo;Erik;Ek;employee;ksk;;", "2;Bo;Ek"),
        ["people.csv:3: there are 3 fields, but the heading has 8"],
    ),
    "a quote left open": (
        PEOPLE.replace("2;Bo;", '2;"Bo;'),
        ["people.csv:3: the line cannot be read as CSV (unexpected end of data)"],
    ),
    "a missing column": (
        PEOPLE.replace("surname", "efternamn"),
        [
            "people.csv:1: the column surname is missing",
            "people.csv:1: 'efternamn' is not a known column",
        ],
    ),
    "a kind that is none": (
        PEOPLE.replace("Öberg;employee", "Öberg;anställd"),
        ["people.csv:2: column kind: 'anställd' is not known"],
    ),
    "no surname": (
        PEOPLE.replace("Öberg", ""),
        ["people.csv:2: column surname: a name is missing"],
    ),
    "a personal identity number as id": (
        PEOPLE.replace("\n2;", "\n19811218-9876;"),
        ["people.csv:3: column id: the id is a personal identity number"],
    ),
    "an id that LDAP would take for syntax": (
        PEOPLE.replace("\n2;", "\n2,ou=x;"),
        ["people.csv:3: column id: '2,ou=x' is no id"],
    ),
    "an unseen sign": (
        PEOPLE.replace("Öberg", "Ö\u202eberg"),
        ["people.csv:2: column surname: a name holds the unseen sign U+202E"],
    ),
    "protected by an unknown word": (
        PEOPLE.replace("active;no", "active;maybe"),
        ["people.csv:2: column protected: 'maybe' is not known"],
    ),
    "two faults in one file": (
        PEOPLE.replace("Öberg", "").replace("2;Bo;", "2;Bo"),
        [
            "people.csv:3: there are 7 fields, but the heading has 8",
            "people.csv:2: column surname: a name is missing",
        ],
    ),
    "an empty file": ("", ["people.csv: the file is empty"]),
    "a heading alone": (PEOPLE.split("\n")[0], ["people.csv: there is nobody in the file"]),
    "a NUL": (
        PEOPLE.replace("Bo", "B\0"),
        ["people.csv:3: there is a NUL byte; this is no text file"],
    ),
}


@pytest.mark.parametrize(("people", "told"), BAD_PEOPLE.values(), ids=BAD_PEOPLE)
def test_bad_people_are_told(files, people, told):
    files.write(people=people)
    assert _problems(files) == [line.replace("FOLDER", str(files.folder)) for line in told]


BAD_PCS = {
    "an unknown unit": (PCS.replace("PC3;;ks", "PC3;;xx"), ["pcs.csv:4: there is no unit xx"]),
    "a PC twice, in other letters": (
        PCS.replace("PC3", "pc1"),
        ["pcs.csv:4: the PC pc1 stands twice, first at FOLDER/pcs.csv:2"],
    ),
    "no name": (PCS.replace("PC3", ""), ["pcs.csv:4: column name: '' is no id"]),
}  # fmt: skip


@pytest.mark.parametrize(("pcs", "told"), BAD_PCS.values(), ids=BAD_PCS)
def test_bad_pcs_are_told(files, pcs, told):
    files.write(pcs=pcs)
    assert _problems(files) == [line.replace("FOLDER", str(files.folder)) for line in told]


DEPARTMENTS = """\
  - {id: a, name: A, kind: department, parent: b, watcher: 1, deputy: 2}
  - {id: b, name: B, kind: department, parent: a, watcher: 1, deputy: 2}
positions:
"""
TWINS = """\
  - {id: a, name: A, kind: department, parent: ksk, watcher: 1, deputy: 2}
  - {id: a, name: B, kind: department, parent: ksk, watcher: 1, deputy: 2}
positions:
"""
BAD_ORGANISATIONS = {
    "no YAML": (
        ORGANISATION.replace("    kind: authority", "   kind: authority"),
        ["organisation.yml:7: this is not valid YAML: expected <block end>, but found"],
    ),
    "a list instead of keys": ("- a\n", [
        "organisation.yml:1: the file must hold the keys municipality, commissioner, "
        "executive_office, units, positions"
    ]),
    "an empty file": ("", [
        "organisation.yml:1: the file must hold the keys municipality, commissioner, "
        "executive_office, units, positions"
    ]),
    "a missing watcher": (
        ORGANISATION.replace('    watcher: "1"\n', "", 1),
        ["organisation.yml:5: watcher: is missing"],
    ),
    "an unknown watcher": (
        ORGANISATION.replace('watcher: "1"', "watcher: 8", 1),
        ["organisation.yml:5: watcher: there is no person 8"],
    ),
    "a deputy of oneself": (
        ORGANISATION.replace('deputy: "2"', "deputy: 1", 1),
        ["organisation.yml:5: unit ks: watcher and deputy are the same person"],
    ),
    "an unknown holder": (
        ORGANISATION.replace('"3"', '"30"'),
        ["organisation.yml:17: holder: there is no person 30"],
    ),
    "an empty post of the commissioner": (
        ORGANISATION.replace('["3"]', "[]"),
        ["organisation.yml:2: commissioner: the position kommunalrad has no holder"],
    ),
    "an unknown commissioner": (
        ORGANISATION.replace("commissioner: kommunalrad", "commissioner: radet"),
        ["organisation.yml:2: commissioner: there is no position radet"],
    ),
    "an authority as executive office": (
        ORGANISATION.replace("office: ksk", "office: ks"),
        ["organisation.yml:3: executive_office: there is no administration ks"],
    ),
    "an unknown kind": (
        ORGANISATION.replace("kind: administration", "kind: office"),
        ["organisation.yml:12: kind: 'office' is not known"],
    ),
    "an unknown key": (
        ORGANISATION.replace("    parent:", "    over:"),
        ["organisation.yml:13: 'over' is not a known key"],
    ),
    "an unknown parent": (
        ORGANISATION.replace("parent: ks", "parent: kf"),
        ["organisation.yml:10: there is no unit kf"],
    ),
    "no parent": (
        ORGANISATION.replace("    parent: ks\n", ""),
        ["organisation.yml:10: unit ksk of the kind administration needs a parent"],
    ),
    "a parent of the wrong kind": (
        ORGANISATION.replace("parent: ks", "parent: ksk"),
        ["organisation.yml:10: unit ksk: its parent ksk is of the kind administration"],
    ),
    "parents in a circle": (
        ORGANISATION.replace("positions:\n", DEPARTMENTS),
        [
            "organisation.yml:16: unit a: following its parents leads back to itself",
            "organisation.yml:17: unit b: following its parents leads back to itself",
        ],
    ),
    "a head of something else than an administration": (
        ORGANISATION.replace(" authority\n", " authority\n    head: kommunalrad\n"),
        ["organisation.yml:5: unit ks of the kind authority has a head"],
    ),
    "a head from elsewhere": (
        ORGANISATION.replace("    parent: ks\n", "    parent: ks\n    head: kommunalrad\n"),
        ["organisation.yml:10: unit ksk: its head kommunalrad is no position in it"],
    ),
    "a unit twice": (
        ORGANISATION.replace("positions:\n", TWINS),
        ["organisation.yml:17: the unit a stands twice, first at FOLDER/organisation.yml:16"],
    ),
    "a key twice": (
        ORGANISATION.replace("    kind: authority\n", "    kind: authority\n    kind: authority\n"),
        ["organisation.yml:8: kind stands twice"],
    ),
    "a word instead of a list": (
        ORGANISATION.replace('["3"]', "3"),
        ["organisation.yml:20: holders: must be a list"],
    ),
    "a list instead of a word": (
        ORGANISATION.replace("name: Kommunstyrelsen\n", "name: [a]\n"),
        ["organisation.yml:6: name: must be a single value"],
    ),
    "nothing instead of a word": (
        ORGANISATION.replace("name: Kommunstyrelsen\n", "name: null\n").replace('["3"]', "[~]"),
        [
            "organisation.yml:6: name: must be a single value",
            "organisation.yml:20: holders: an item must be a single value",
        ],
    ),
    "a control sign": (
        ORGANISATION.replace("Kommunalråd", "Kommunal\x07råd"),
        ["organisation.yml: this is not valid YAML: unacceptable character #x0007"],
    ),
    "nested without end": ("[" * 5000, ["organisation.yml: the YAML is nested too deeply"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("organisation", "told"), BAD_ORGANISATIONS.values(), ids=BAD_ORGANISATIONS
)
def test_a_bad_organisation_is_told(files, organisation, told):
    files.write(organisation=organisation)
    found = _problems(files)
    assert len(found) == len(told)
    for line, expected in zip(found, told, strict=True):
        assert line.startswith(expected.replace("FOLDER", str(files.folder)))


@pytest.mark.parametrize("name", ["Enhet ${user}", "Enhet %{home}"])
def test_a_unit_is_not_called_what_dovecot_would_fill_in(files, name):
    """Its name stands in what its mailbox answers."""
    files.write(organisation=ORGANISATION.replace("name: Kommunstyrelsen", f'name: "{name}"'))
    (told,) = _problems(files)
    assert told.startswith("organisation.yml:6: name: the text holds %{ or ${")


def test_all_files_are_told_in_one_run(files):
    files.write(organisation="a: [", people=PEOPLE.replace("Öberg", ""), pcs="")
    assert [line.partition(":")[0] for line in _problems(files)] == [
        "organisation.yml",
        "people.csv",
        "pcs.csv",
    ]


@pytest.mark.parametrize("name", ["organisation.yml", "people.csv", "pcs.csv"])
def test_a_folder_or_a_missing_file_is_told(files, name):
    (files.folder / name).unlink()
    assert _problems(files) == [f"{name}: the file cannot be read (No such file or directory)"]
    (files.folder / name).mkdir()
    folder = {"people.csv": "there is no full list of people"}  # of people it may be deliveries
    assert _problems(files) == [
        f"{name}: {folder.get(name, 'the file cannot be read (Is a directory)')}"
    ]


def test_bytes_that_are_no_text_are_told(files):
    (files.folder / "people.csv").write_bytes(b"id\n\xff\x81\n")
    assert _problems(files) == ["people.csv:2: the byte 0x81 is neither UTF-8 nor Windows-1252"]
    (files.folder / "people.csv").write_bytes("id\n".encode("utf-16") + b"\x00")
    assert _problems(files) == ["people.csv:2: the byte 0x00 is no UTF-16"]


def test_no_problem_tells_the_name_of_anyone(files):
    """P1: a message may end in a log or a screen that others see."""
    files.write(people=PEOPLE + "1;Vendela;;Kvarnhammar;employee;xx;;yes\n")
    assert "Kvarnhammar" not in "".join(_problems(files))
