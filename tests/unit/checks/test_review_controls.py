"""G3 and G7: whether units review their log lists in time, and how long rows have waited."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from audit_town import AT, told

from compliance.checks import g3, g7
from compliance.checks.model import Status
from compliance.probes import facts as f
from compliance.review.period import Regularity

# The audit looks on Tuesday 24 November 2026.
MONDAY = date(2026, 11, 2)


def review(facts: f.Facts, *units: f.UnitReview, **change: object) -> f.Facts:
    return replace(facts, review=replace(facts.review, units=units or facts.review.units, **change))


def test_g3_names_the_unit_whose_period_is_not_closed_in_time(facts):
    """The week of 2 November was to be closed by Friday 13th; that is seven working days ago."""
    late = f.UnitReview("plan", MONDAY, 12, AT)
    result = g3.judge(review(facts, late, f.UnitReview("ks", date(2026, 11, 16))))
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert (finding.subject, finding.unit) == ("plan", "plan")
    assert finding.message.sv == (
        "Planavdelningen: perioden 2 november 2026 till 8 november 2026 skulle ha avslutats senast"
        " den 13 november 2026. Arbetsdagar sedan dess: 7. Rader som ingen har beslutat om,"
        " i alla öppna perioder: 12."
    )
    assert "I 1 av 6 enheter" in result.summary.sv


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (date(2026, 11, 9), Status.FAIL),  # to be closed by Friday 20th
        (date(2026, 11, 16), Status.PASS),  # by Friday 27th
        (date(2026, 11, 24), Status.PASS),
    ],
)
def test_g3_gives_five_working_days_after_a_period(facts, begin, status):
    assert g3.judge(review(facts, f.UnitReview("ks", begin))).status is status


def test_g3_takes_the_regularity_that_the_municipality_has_set(facts):
    late = f.UnitReview("ks", MONDAY, 12, AT)
    monthly = g3.judge(review(facts, late, regularity=Regularity.MONTHLY))
    assert monthly.status is Status.PASS
    assert "varje månad" in monthly.evidence[0].sv
    assert "förval" not in monthly.evidence[0].sv
    assert "förval" in g3.judge(facts).evidence[0].sv


@pytest.mark.parametrize(
    ("days", "status"),
    [(0, Status.PASS), (1, Status.PASS), (4, Status.WARNING)],  # today, Monday, Friday
)
def test_g7_counts_swedish_working_days_from_the_next_one_on(facts, days, status):
    result = g7.judge(review(facts, f.UnitReview("plan", MONDAY, 3, AT - timedelta(days=days))))
    assert result.status is status
    assert "praxis" in result.evidence[0].sv
    if status is Status.WARNING:
        assert "Planavdelningen" in told(result)
        assert "kom den 20 november 2026. Arbetsdagar sedan dess: 2." in told(result)


def test_g7_has_nothing_against_a_unit_without_undecided_rows(facts):
    assert g7.judge(review(facts, f.UnitReview("plan", MONDAY))).status is Status.PASS


@pytest.mark.parametrize("control", [g3, g7])
def test_what_is_not_known_passes_nothing(facts, control):
    silent = replace(facts.review.seen, error="permission denied")
    for facts_then, words in (
        (replace(facts, review=None), "Underlaget saknas"),
        (review(facts, seen=silent), "permission denied"),
        (review(facts, taken_in=None), "Ingen loggningslista har läst hela loggen"),
        (review(facts, taken_in=AT - timedelta(hours=2)), "24 november 2026 klockan 07.30"),
    ):
        result = control.judge(facts_then)
        assert (result.status, result.measured) == (Status.UNKNOWN, 0)
        assert words in told(result)
    unnamed = replace(facts, directory=None)
    assert control.judge(unnamed).status is Status.UNKNOWN


@pytest.mark.parametrize("control", [g3, g7])
def test_a_unit_without_mail_to_review_has_nothing_overdue(facts, control):
    result = control.judge(replace(facts, review=replace(facts.review, units=())))
    assert (result.status, result.population) == (Status.PASS, 6)


@pytest.mark.parametrize("control", [g3, g7])
def test_a_unit_that_the_directory_no_longer_has_counts_while_rows_of_it_are_left(facts, control):
    gone = f.UnitReview("nedlagd", MONDAY, 1, AT - timedelta(days=20))
    assert "nedlagd: " in told(control.judge(review(facts, gone)))
    done = control.judge(review(facts, replace(gone, left=0, oldest=None)))
    assert (done.status, done.population) == (Status.PASS, 6)
