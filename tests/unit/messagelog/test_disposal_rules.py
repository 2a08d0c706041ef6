"""What disposal.yml may say, and what a plan made from it covers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import UserError
from compliance.messagelog.seal.disposal import (
    CLASSES,
    LOG_CLASSES,
    Part,
    check_plan,
    parts_due,
    plan_code,
    read_rules,
)

TODAY = date(2026, 11, 25)
LOG_RULE = """\
  - class: message-log
    period: 1 year
    decision: KS 2026/117
    authority: Kommunstyrelsen
    decided: 2026-10-14
"""
PROBES = LOG_RULE.replace("message-log", "probe").replace("1 year", "1 month")
DECISIONS = f"disposal:\n{LOG_RULE}"


@pytest.mark.parametrize(
    ("was", "now", "line", "told"),
    [
        *(
            (value, nothing, line, f"{key}: must be a single value\n  What to do: write")
            for key, value, line in (
                ("decision", "KS 2026/117", 4),
                ("authority", "Kommunstyrelsen", 5),
            )
            for nothing in ("", "null", "Null", "~", "!!null x", "''", "'  '", '"\\t\u00a0"')
        ),
        ("    decision: KS 2026/117\n", "", 2, "decision: is missing"),
        ("1 year", "1 år", 3, "period: '1 år' is no period"),
        ("1 year", "0 years", 3, "period: '0 years' is no period"),
        ("2026-10-14", "14 oktober", 6, "decided: '14 oktober' is no day"),
        ("2026-10-14", "2027-10-14", 6, "decided: 2027-10-14 is yet to come"),
        ("message-log", "allt", 2, "class: 'allt' is no class"),
        ("authority", "myndighet", 5, "'myndighet' is not a known key"),
    ],
)
def test_what_is_wrong_with_the_decisions_is_named_by_file_and_line(tmp_path, was, now, line, told):
    path = tmp_path / "disposal.yml"
    path.write_text(DECISIONS.replace(was, now), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_rules(path, TODAY, CLASSES)
    assert f"{path}:{line}: {told}" in str(error.value)


def test_a_class_that_stands_twice_is_named_where_it_stands_again(tmp_path):
    path = tmp_path / "disposal.yml"
    path.write_text(DECISIONS + PROBES + LOG_RULE + PROBES, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_rules(path, TODAY, CLASSES)
    assert f"{path}:12: class: message-log stands twice" in str(error.value)
    assert f"{path}:17: class: probe stands twice" in str(error.value)


@pytest.mark.parametrize("text", ["", "- a", "# inget beslut än"])
def test_a_file_without_decisions_is_told_how_they_are_written(tmp_path, text):
    path = tmp_path / "disposal.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_rules(path, TODAY, CLASSES)
    assert "write it as docs/handbook/registrator-arkivarie.md does" in str(error.value)


def test_a_decision_by_the_name_of_null_is_written_in_quotes(tmp_path):
    path = tmp_path / "disposal.yml"
    path.write_text(DECISIONS.replace("Kommunstyrelsen", "'Null'"), encoding="utf-8")
    (rule,) = read_rules(path, TODAY, CLASSES)
    assert rule.decision.authority == "Null"


def test_a_period_is_kept_to_the_end_of_its_month(tmp_path):
    path = tmp_path / "disposal.yml"
    path.write_text(DECISIONS, encoding="utf-8")
    (rule,) = read_rules(path, TODAY, CLASSES)
    assert rule.before(date(2026, 11, 1)) == rule.before(date(2026, 11, 30)) == date(2025, 11, 1)
    assert rule.before(date(2026, 12, 1)) == date(2025, 12, 1)


def test_copies_kept_longer_than_their_entries_are_refused(tmp_path):
    path = tmp_path / "disposal.yml"
    archive = LOG_RULE.replace("message-log", "archive")
    path.write_text(DECISIONS + archive, encoding="utf-8")
    assert len(read_rules(path, TODAY, CLASSES)) == 2
    path.write_text(DECISIONS + archive.replace("1 year", "13 months"), encoding="utf-8")
    for classes in (LOG_CLASSES, ("archive",)):
        with pytest.raises(UserError) as error:
            read_rules(path, TODAY, classes)
        assert f"{path}:8: period: the archive's is longer" in str(error.value)


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(["probe", "mail"]), st.booleans(), st.integers(1, 3)), max_size=30
    ),
    parts=st.permutations([LOG_RULE, PROBES]),
)
def test_what_is_shown_is_what_goes_class_by_class(tmp_path_factory, kinds, parts):
    path = tmp_path_factory.mktemp("rules") / "disposal.yml"
    path.write_text("disposal:\n" + "".join(parts), encoding="utf-8")
    rules = read_rules(path, TODAY, LOG_CLASSES)
    entries = list(enumerate(kinds))

    def of(kind, month):
        return [e for e in entries if e[1][2] == month and kind in ("message-log", e[1][0])]

    def months(kind, before):
        for month in (1, 2, 3):
            held = sum(is_held for _, (_, is_held, _) in of(kind, month))
            if of(kind, month):
                yield date(2025, month, 1), len(of(kind, month)) - held, held

    due = parts_due(rules, TODAY, months)
    for part in due:
        going = [e for e in of(part.rule.decision.kind, part.when.month) if not e[1][1]]
        assert len(going) == part.count
        entries = [e for e in entries if e not in going]
    assert all(is_held for _, (_, is_held, _) in entries)
    assert sum(part.held for part in due) == len(entries)


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    earlier=st.lists(st.integers(1, 9), max_size=4),
    data=st.data(),
)
def test_a_run_that_broke_off_goes_on_by_its_plan_and_nothing_else_does(
    tmp_path_factory, counts, earlier, data
):
    path = tmp_path_factory.mktemp("rules") / "disposal.yml"
    path.write_text(DECISIONS, encoding="utf-8")
    (rule,) = rules = read_rules(path, TODAY, LOG_CLASSES)
    shown = [Part(rule, date(2025, n, 1), number, 0) for n, number in enumerate(counts, 1)]
    before = [("message-log", date(2024, n, 1), number) for n, number in enumerate(earlier, 1)]
    plan = plan_code(rules, [part.going for part in shown])
    did = data.draw(st.integers(0, len(shown)))
    check_plan(plan, rules, before + [part.going for part in shown[:did]], shown[did:])
    if did < len(shown):
        more = Part(rule, shown[-1].when, shown[-1].count + 1, 0)
        with pytest.raises(UserError, match="look again"):
            check_plan(plan, rules, before, [*shown[did:-1], more])
