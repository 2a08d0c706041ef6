"""The copy of each unit's list for the day when the web is down."""

from datetime import UTC, datetime

import pytest

from loglist.conftest import UNITS


@pytest.fixture
def copied(installation, tmp_path, monkeypatch):
    """Copy the lists to a folder, on the day after the traffic of the tests."""
    from django.utils import timezone

    from compliance.loglist.copies import write_copies
    from compliance.loglist.work import worker

    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 25, 2, tzinfo=UTC))

    def copy(names=UNITS):
        with worker() as reader:
            write_copies(reader, names, tmp_path)
        return {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}

    return copy


def test_each_unit_has_a_file_with_its_own_rows(copied, visit):
    files = copied()
    assert set(files) == {f"{unit}.html" for unit in UNITS}
    for unit, other in (("ks", "bun"), ("bun", "ks")):
        assert f"<h1>{UNITS[unit]}</h1>" in files[f"{unit}.html"]
        assert UNITS[other] not in files[f"{unit}.html"]
    assert "Bygglov för altan" in files["ks.html"]
    assert "Bygglov för altan" not in files["bun.html"]


def test_a_copy_needs_nothing_from_elsewhere_and_runs_nothing(copied):
    text = copied()["ks.html"]
    assert "href=" not in text
    assert "src=" not in text
    assert "default-src 'none'" in text


def test_the_copy_of_a_unit_that_is_no_more_goes(copied):
    copied()
    assert set(copied({"ks": UNITS["ks"]})) == {"ks.html"}


def test_a_run_that_breaks_off_leaves_the_old_copies(copied, tmp_path, monkeypatch):
    from compliance.loglist import copies

    before = copied()

    def breaks(*_arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(copies.os, "fsync", breaks)
    with pytest.raises(OSError, match="No space"):
        copied()
    after = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
    assert after == before


def test_a_unit_with_very_many_rows_gets_the_newest_and_is_told(copied, monkeypatch):
    from compliance.loglist import copies

    monkeypatch.setattr(copies, "MOST_ROWS", 1)
    text = copied()["ks.html"]
    assert text.count('<th scope="row">') == 1
    assert "Här står bara de senaste 1 raderna" in text
