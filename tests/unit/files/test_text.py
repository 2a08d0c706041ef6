"""A text is read as it was written, or not at all: a name in the wrong letters is an address."""

import pytest

from compliance.errors import UserError
from compliance.files.text import read_text

NAMES = "Björn Sjöberg\nKajsa Räf\nMåns Ek\n"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "people.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-1"])
def test_the_letters_are_those_that_were_written(file, encoding):
    file.write_text(NAMES, encoding=encoding, newline="")
    assert read_text(file) == NAMES


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "cp437"])
@pytest.mark.parametrize("names", [NAMES, "Björn Ek\nAnna Ek\n"])
def test_the_letters_of_an_old_mac_or_of_dos_are_not_taken_for_others(file, encoding, names):
    file.write_bytes(names.encode(encoding))
    with pytest.raises(UserError, match="Macintosh or MS-DOS") as caught:
        read_text(file)
    (problem,) = caught.value.problems
    assert problem.where == f"{file}:1"
    assert problem.remedy == "save the file as UTF-8"


@pytest.mark.parametrize(
    "names",
    ["Goran Šaric\nSean O’Brien\n", "Jašar Öst\n", "Dušan Ek\nMiloš Boškovic\n", "100 € – ”ja”…\n"],
)
def test_other_letters_of_windows_are_letters(file, names):
    file.write_bytes(names.encode("cp1252"))
    assert read_text(file) == names
