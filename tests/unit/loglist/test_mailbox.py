"""The list by mailbox: chosen by its name, alone or beside another address."""

import re
import uuid

import pytest
from messagelog.test_formats import HOSTILE

from compliance.errors import UserError

from . import conftest
from .desk import add_mail, choose, register
from .test_isolation import text_of

DIARY, BOARD = "registrator@sjovalla.example", "namnden@sjovalla.example"
CITIZEN = "medborgare@omvarlden.example"


@pytest.fixture
def unit(monkeypatch):
    """Give a unit of its own, with a reviewer."""
    name = f"kfn-{uuid.uuid4().hex[:6]}"
    monkeypatch.setitem(conftest.UNITS, name, "Kultur- och fritidsnämnden")
    monkeypatch.setitem(
        conftest.ACCOUNTS, "granskare@sjovalla.example", conftest.account("32", name)
    )
    return name


@pytest.fixture
def directory(monkeypatch):
    """Say what the directory has: addresses with names, by unit, or an error; tell who is asked."""
    from contextlib import nullcontext

    from compliance.loglist import mailboxes

    has, asked = {}, []

    def of_unit(_connection, _base, unit):
        asked.append(unit)
        if isinstance(has.get(unit), UserError):
            raise has[unit]
        return has.get(unit, {})

    monkeypatch.setattr(mailboxes.ldap, "connect", lambda *_: nullcontext())
    monkeypatch.setattr(mailboxes.function_mailboxes, "of_unit", of_unit)
    has["asked"] = asked
    return has


@pytest.fixture
def mail(installation, entry, unit):
    """Mail to and from two mailboxes of the unit, some of it to and from the same citizen."""
    out = {"direction": "out", "sender_unit": unit, "recipient_unit": None}
    return add_mail(
        installation, entry, unit,
        {"recipient": DIARY, "subject": "Till diariet"},
        {"recipient": "Registrator@Sjovalla.example", "subject": "Till diariet skrivet stort"},
        {"recipient": BOARD, "subject": "Till nämnden"},
        {**out, "envelope_sender": DIARY, "from_address": DIARY, "recipient": CITIZEN,
         "subject": "Från diariet"},
        {**out, "envelope_sender": "studs@sjovalla.example", "from_address": DIARY,
         "recipient": "annan@omvarlden.example", "subject": "Från diariet till en annan"},
    )  # fmt: skip


def found(text):
    return set(re.findall(r"((?:Till|Från) (?:diariet|nämnden)[\w ]*)", text))


DIARYS = {"Till diariet", "Till diariet skrivet stort", "Från diariet",
          "Från diariet till en annan"}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        (f"mailbox={DIARY}", DIARYS),
        (f"mailbox={BOARD}", {"Till nämnden"}),
        (f"mailbox={DIARY}&direction=out", {"Från diariet", "Från diariet till en annan"}),
        (f"mailbox={DIARY}&address={CITIZEN}", DIARYS - {"Från diariet till en annan"}),
        (f"mailbox={BOARD}&address={DIARY}", set()),
        (f"mailbox={DIARY}&q=skrivet", {"Till diariet skrivet stort"}),
        (f"mailbox={DIARY}&standing=doubt", set()),
    ],
)
def test_the_list_the_files_and_the_desk_have_the_mail_of_the_mailbox(
    visit, unit, mail, query, subjects
):
    browser = visit("granskare")
    request = register(browser, unit)
    pages = [f"/units/{unit}/", f"/units/{unit}/export.csv", f"/units/{unit}/export.xlsx",
             f"{request}select"]  # fmt: skip
    for page in pages:
        assert found(text_of(browser.get(f"{page}?{query}"))) == subjects, page


def test_a_mailbox_stands_in_the_review_as_its_rows_do(visit, unit, mail, installation):
    import psycopg

    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO loglist.loglist_reviewitem"
            " (unit, outbox, sequence, accepted_at, direction, outcome, number, revision)"
            " SELECT %s, outbox_id, sequence, accepted_at, direction, 'private', '', 1"
            " FROM log.entry WHERE outbox_id = %s",
            [unit, mail],
        )
    text = text_of(visit("granskare").get(f"/units/{unit}/?mailbox={DIARY}&standing=private"))
    assert found(text) == DIARYS


def test_the_units_mailboxes_are_there_to_choose(visit, unit, directory):
    directory[unit] = {DIARY: "Registrator", BOARD: "Nämnden"}
    browser = visit("granskare")
    path = f"/units/{unit}/?mailbox={BOARD}"
    text = text_of(browser.get(path))
    assert f'<option value="{DIARY}">Registrator ({DIARY})</option>' in text
    assert f'<option value="{BOARD}" selected>Nämnden ({BOARD})</option>' in text
    assert "Nämnden" in text_of(browser.get(path))
    request = register(browser, unit)
    assert f'<option value="{DIARY}">' in text_of(browser.get(f"{request}select"))
    assert directory["asked"] == [unit], "what the directory said stands for a while"


def test_names_from_the_directory_are_shown_harmlessly(visit, unit, directory):
    directory[unit] = {
        f"f{number}@x.example": name.replace("\0", "") for number, name in enumerate(HOSTILE)
    }
    text = text_of(visit("granskare").get(f"/units/{unit}/?mailbox=\u202eegen@x.example"))
    assert "f0@x.example" in text
    assert "<script>alert" not in text
    labels = re.findall(r"<option[^>]*>([^<]*)</option>", text)
    assert "⟦U+202E⟧egen@x.example" in labels
    assert not set("\u202e\u2066\x1b\x85") & set("".join(labels))


def test_without_the_directory_the_page_comes_and_what_was_chosen_holds(
    visit, unit, mail, directory
):
    directory[unit] = UserError.of("the directory does not answer", "x", "y")
    browser = visit("granskare")
    for _ in range(2):
        text = text_of(browser.get(f"/units/{unit}/?mailbox={BOARD}"))
        assert found(text) == {"Till nämnden"}
        assert f'<option value="{BOARD}" selected>{BOARD}</option>' in text
    assert directory["asked"] == [unit], "no page waits for it again at once"


@pytest.mark.parametrize("query", ["", "?since=igår"])
def test_nobody_is_told_another_units_mailboxes(visit, unit, directory, query):
    directory[unit] = {DIARY: "Registrator"}
    for who in ("ks", "ingen"):
        answer = visit(who).get(f"/units/{unit}/{query}")
        assert answer.status_code == 404
        assert DIARY not in text_of(answer)
    assert directory["asked"] == []


def test_the_trail_names_the_mailbox_and_the_extract_does_not(visit, unit, mail):
    from compliance.loglist.desk.rows import _told_outside

    visit("granskare").get(f"/units/{unit}/?mailbox={BOARD}")
    assert f"brevlåda: {BOARD}" in text_of(visit("chef").get(f"/trail/{unit}/"))
    browser = visit("granskare")
    request = choose(browser, register(browser, unit), f"mailbox={BOARD}")
    assert f"brevlåda: {BOARD}" in text_of(browser.get(request))
    told = _told_outside({"unit": unit, "mailbox": BOARD})
    assert BOARD not in told
    assert told == "valda med en sökning"
