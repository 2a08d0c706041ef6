"""What another program's export has and a list written by hand has not."""

import pytest

from compliance.errors import UserError
from compliance.files.table import read_table


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "export.csv"

    def read_text(text, **how):
        path.write_text(text, encoding="utf-8", newline="")
        problems = []
        rows = read_table(path, ("nr", "part"), ("datum",), problems, **how)
        return [(row.fields["nr"], row.where.rpartition(":")[2]) for row in rows], problems

    return read_text


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_field_in_quotes_may_take_several_lines(read, line_end):
    text = 'nr;part\n1;"Åsa\nÖberg\nEk"\n2;b\n3;"c\nd"'.replace("\n", line_end)
    assert read(text) == ([("1", "2"), ("2", "5"), ("3", "6")], [])


@pytest.mark.parametrize("after", ["2;b", '2;"b"', '2;"b;c"', '"2";"b"'])
def test_a_quote_left_open_spoils_its_line_alone(read, after):
    rows, problems = read(f'nr;part\n1;"a\n{after}\n3;c\n')
    assert [number for number, _ in rows] == ["2", "3"]
    assert [problem.where.rpartition(":")[2] for problem in problems] == ["2"]


def test_columns_of_another_program_are_passed_over_even_twice(read):
    assert read("x;nr;x;part\n0;1;0;a\n", others_pass=True)[0] == [("1", "2")]
    with pytest.raises(UserError, match="'x' is not a known column"):
        read("x;nr;part\n0;1;a\n")


def test_a_column_with_a_meaning_may_not_stand_twice(read):
    with pytest.raises(UserError, match="the column datum stands twice"):
        read("nr;part;datum;datum\n0;1;;\n", others_pass=True)
