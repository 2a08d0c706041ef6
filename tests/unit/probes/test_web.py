"""The date of adoption is read as a machine reads it."""

from datetime import date
from pathlib import Path

import pytest

from compliance.probes.web import adopted, read
from compliance.settings import Publication

PAGE = Path(__file__).parents[3] / "templates/strategy/index.html"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b'<p>Antagen <time datetime="2024-03-12">12 mars 2024</time>', date(2024, 3, 12)),
        (b'<time datetime="2024-03-12T10:00+01:00">', date(2024, 3, 12)),
        (b"<p>Antagen den 12 mars 2024", None),
        (b'<time datetime="i mars">mars</time>', None),
        (b"\xff\xfe\x00<time datetime", None),
        (b'<![if x]><![foo[]]><time datetime="2024-03-12">', date(2024, 3, 12)),
        (b"<![foo", None),
    ],
)
def test_only_a_time_element_with_a_date_counts(page, expected):
    assert adopted(page) == expected


def test_the_example_strategy_has_its_date():
    assert adopted(PAGE.read_bytes()) == date(2024, 3, 12)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:99999/",
        "https://127.0.0.1:x/",
        "https://[::1/",
        f"https://{'a' * 64}.example/",
        "https://www..example/",
    ],
)
def test_an_address_that_is_none_is_told_of_its_page_and_the_other_is_asked(url):
    settings = Publication(intranet_url=url, public_url="https://127.0.0.1:1/")
    intranet, public = read(settings).pages
    assert intranet.seen.error
    assert public.seen.error
    assert "refused" in public.seen.error
