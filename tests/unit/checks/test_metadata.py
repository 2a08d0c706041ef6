"""Controls and frameworks agree; a misnamed control, or one without a language, fails at load."""

import pytest

from compliance.checks.model import load_control
from compliance.checks.registry import CHECKS, IDS, choose
from compliance.errors import UserError
from compliance.frameworks import strategy


def test_each_control_answers_the_one_clause_that_it_names():
    answered = [(name, clause.name) for clause in strategy() for name in clause.controls]
    assert sorted(answered) == sorted((c.control.id, c.control.clause) for c in CHECKS)


def test_a_control_under_another_name_is_refused(tmp_path):
    (tmp_path / "b9.yml").write_text("id: B1\nclause: X\n", encoding="utf-8")
    with pytest.raises(ValueError, match="the id is B1"):
        load_control(str(tmp_path / "b9.py"))


def test_a_text_in_one_language_is_refused(tmp_path):
    pair = "{sv: a, en: b}"
    (tmp_path / "b9.yml").write_text(
        f"id: B9\nclause: X\ntitle: {{sv: a}}\nrisk: {pair}\nhow: {pair}\nremedy: {pair}\n"
        f"messages: {{x: {pair}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=r"b9.yml: title\.sv"):
        load_control(str(tmp_path / "b9.py"))


def test_an_unknown_control_is_told_with_those_that_exist():
    assert [check.control.id for check in choose(["b2"])] == ["B2"]
    with pytest.raises(UserError, match=", ".join(IDS)):
        choose(["B2", "Z9"])
