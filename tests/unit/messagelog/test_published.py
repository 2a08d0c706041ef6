"""What was published is evidence: no run writes over it, and none hides it."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_log import KEY, MONDAY, week

from compliance.errors import UserError
from compliance.messagelog.seal import published
from compliance.messagelog.seal.statement import Signed

LOG = week(days=5, per_day=2)
SIGNED = LOG.statements()
STAMPS = {3: b"stamp on three", 5: b"stamp on five"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "seal.pem"
    path.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture
def publish(tmp_path, key_file):
    """Publish to a folder; what lies there."""

    def run(statements=SIGNED, stamps=STAMPS):
        return published.publish(tmp_path / "logg", "Sjövalla", key_file, statements, stamps)

    return run


@pytest.fixture
def folder(publish, tmp_path):
    publish()
    return tmp_path / "logg"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_is_published_once(publish, folder):
    numbers = [f"{number:08d}.json" for number in range(1, 6)]
    assert sorted(content(folder)) == [
        *sorted([*numbers, "00000003.tsr", "00000005.tsr"]), "index.html", "nyckel.pem"
    ]  # fmt: skip
    assert published.read(folder) == SIGNED
    assert publish() == []


def test_the_days_after_are_added(publish, folder):
    was = content(folder)
    log = week(days=5, per_day=2)
    log.seal(MONDAY + timedelta(days=7))
    assert publish(log.statements()) == ["00000006.json", "00000007.json", "index.html"]
    assert {name: content(folder)[name] for name in was if name != "index.html"}.items() <= (
        was.items()
    )


def test_a_statement_taken_out_of_the_middle_leaves_its_file(publish, folder):
    """The next one must not be written into it, though its text is published too."""
    was = content(folder)
    with pytest.raises(UserError, match=r"statement 5 was published.*only 4(.|\n)*log verify"):
        publish(SIGNED[:2] + SIGNED[3:])
    assert content(folder) == was


def test_the_place_of_one_taken_away_is_not_filled_by_the_next(publish, folder):
    """The log has as many as before: a further one was made."""
    was = content(folder)
    log = week(days=5, per_day=2)
    log.seal(MONDAY + timedelta(days=6))
    more = log.statements()
    with pytest.raises(UserError, match=r"00000003.json: the log's statement 3 is another one"):
        publish(more[:2] + more[3:])
    assert content(folder) == was


@given(st.sets(st.integers(1, 5), min_size=1))
@settings(deadline=None)
def test_whatever_was_taken_from_the_log_the_folder_stays(tmp_path_factory, key_file, gone):
    folder = tmp_path_factory.mktemp("logg")
    published.publish(folder, "Sjövalla", key_file, SIGNED, STAMPS)
    was = content(folder)
    rest = [one for number, one in enumerate(SIGNED, 1) if number not in gone]
    with pytest.raises(UserError, match="leave the folder as it is"):
        published.publish(folder, "Sjövalla", key_file, rest, {})
    assert content(folder) == was


def test_a_log_without_its_last_statement_does_not_rewrite_the_page(publish, folder):
    was = content(folder)
    with pytest.raises(UserError, match=r"statement 5 was published.*only 4(.|\n)*log verify"):
        publish(SIGNED[:4], {3: STAMPS[3]})
    assert content(folder) == was
    (folder / "00000005.json").unlink()  # its time stamp tells of it too
    with pytest.raises(UserError, match="statement 5 was published"):
        publish(SIGNED[:4], {3: STAMPS[3]})


def test_a_statement_is_published_under_its_own_number_only(publish, tmp_path):
    with pytest.raises(UserError, match=r"has statement 3 where statement 2 should be"):
        publish(SIGNED[:1] + SIGNED[2:], {})
    assert not (tmp_path / "logg").exists()


def test_a_time_stamp_that_is_there_stays(publish, folder):
    assert publish(SIGNED, {3: b"another", 5: STAMPS[5]}) == []
    assert (folder / "00000003.tsr").read_bytes() == STAMPS[3]
    assert publish(SIGNED, {}) == []
    assert "00000003.tsr" in (folder / "index.html").read_text(encoding="utf-8")


def test_a_stamp_that_comes_later_is_added(publish, folder):
    assert publish(SIGNED, STAMPS | {4: b"late"}) == ["00000004.tsr", "index.html"]


def test_a_file_that_appears_meanwhile_is_not_written_over(publish, folder, monkeypatch):
    (folder / "00000005.json").write_text("as another run wrote it", encoding="utf-8")
    monkeypatch.setattr(published, "_names", lambda folder: set())
    with pytest.raises(UserError, match="cannot be published"):
        publish()
    assert (folder / "00000005.json").read_text(encoding="utf-8") == "as another run wrote it"


def file_of(one):
    return json.dumps({"text": one.text, "signature": one.signature.hex()})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (file_of(SIGNED[3]), "it is statement 4"),
        (file_of(Signed("[" * 100_000, b"")), "it is no statement"),
        ("[" * 100_000, "it is no statement"),
        ("[]", "it is no statement"),
        ("", "it is no statement"),
        (file_of(Signed('{"number": 1e999}', b"")), "it is no statement"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(publish, folder, text, why):
    """As an earlier version of the program may have left it, which wrote over files."""
    (folder / "00000003.json").write_text(text, encoding="utf-8")
    for work in (lambda: published.read(folder), publish):
        with pytest.raises(UserError, match=rf"00000003.json: .*{why}(.|\n)*put it back"):
            work()
    assert (folder / "00000003.json").read_text(encoding="utf-8") == text


def test_a_signature_that_was_changed_in_the_folder_is_told(publish, folder):
    changed = file_of(Signed(SIGNED[2].text, bytes(64)))
    (folder / "00000003.json").write_text(changed, encoding="utf-8")
    with pytest.raises(UserError, match="statement 3 is another one than the published"):
        publish()
    assert (folder / "00000003.json").read_text(encoding="utf-8") == changed


def test_a_folder_that_is_none_is_named(publish, tmp_path):
    (tmp_path / "logg").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot be read \((.|\n)*see that the folder"):
        publish()
