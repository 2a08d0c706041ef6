"""The date of adoption is read as a machine reads it."""

from datetime import date
from pathlib import Path

import pytest

from compliance.probes.web import adopted

PAGE = Path(__file__).parents[3] / "templates/strategy/index.html"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b'<p>Antagen <time datetime="2024-03-12">12 mars 2024</time>', date(2024, 3, 12)),
        (b'<time datetime="2024-03-12T10:00+01:00">', date(2024, 3, 12)),
        (b"<p>Antagen den 12 mars 2024", None),
        (b'<time datetime="i mars">mars</time>', None),
        (b"\xff\xfe\x00<time datetime", None),
    ],
)
def test_only_a_time_element_with_a_date_counts(page, expected):
    assert adopted(page) == expected


def test_the_example_strategy_has_its_date():
    assert adopted(PAGE.read_bytes()) == date(2024, 3, 12)
