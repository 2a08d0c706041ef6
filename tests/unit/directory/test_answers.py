"""What a mailbox answers by itself, in whose words, and where else to write."""

from dataclasses import replace

import pytest

from compliance.directory.model import Organisation, Status
from compliance.directory.plan import Action
from compliance.directory.sources.values import TEXT_MAX
from compliance.directory.tree import Held
from compliance.errors import UserError

from .conftest import DOMAIN, ORGANISATION, TODAY, person
from .test_lifecycle import DAY, TWO, _with, _without

KSK = "ou=ksk,ou=units"
POST = "cn=kommunalrad,ou=positions"


def _answer(held: Held, rdn: str = TWO) -> str:
    """Give an answer as one line, since where a line is broken says nothing."""
    return " ".join(held.entries[rdn].first("kommunpostAnswer").split())


def _instead(held: Held, rdn: str = TWO) -> str:
    return held.entries[rdn].first("kommunpostInstead")


def test_whoever_writes_to_somebody_who_has_left_is_told_where_to_write(organisation, settle):
    _, held = settle(organisation)
    assert _answer(held) == ""
    gone = _without(organisation, "2")
    _, held = settle(gone, held)
    told = _answer(held)
    assert f"Den som hade adressen finns inte längre hos {organisation.municipality}." in told
    assert f"Kommunstyrelsekontoret: kommunstyrelsekontoret@{DOMAIN}" in told
    assert f"Please write to kommunstyrelsekontoret@{DOMAIN} instead." in told
    assert "Bo Ek" not in told
    assert _instead(held) == ""
    _, held = settle(gone, held, TODAY + 90 * DAY)
    assert _answer(held) == ""
    assert _instead(held) == f"kommunstyrelsekontoret@{DOMAIN}"
    _, held = settle(organisation, held, TODAY + 91 * DAY)
    assert (_answer(held), _instead(held)) == ("", "")


def test_of_somebody_suspended_nothing_is_said_but_that_nobody_reads(organisation, settle):
    _, held = settle(_with(organisation, "2", status=Status.SUSPENDED))
    told = _answer(held)
    assert "Brevlådan läses inte just nu." in told
    assert "finns inte längre" not in told
    assert f"kommunstyrelsekontoret@{DOMAIN}" in told


def test_an_answer_follows_the_unit_that_it_names(organisation, settle):
    gone = _without(organisation, "2")
    _, held = settle(gone)
    _, held = settle(organisation, held)
    _, held = settle(gone, held)
    renamed = replace(
        gone,
        units=tuple(
            replace(unit, name="Kansliet") if unit.id == "ksk" else unit for unit in gone.units
        ),
    )
    plan, held = settle(renamed, held, TODAY + DAY)
    (change,) = (change for change in plan.changes if change.mailbox.rdn == TWO)
    assert (change.action, change.reason) == (Action.UPDATE, "changed: kommunpostAnswer")
    assert f"Kansliet: kansliet@{DOMAIN}" in _answer(held)
    assert not plan.leaving
    assert settle(renamed, held, TODAY + DAY)[0].is_empty


@pytest.mark.parametrize(
    ("gone", "instead"),
    [({"ksk"}, "kommunstyrelsen"), ({"ks"}, "kommunstyrelsekontoret"), ({"ks", "ksk"}, "")],
)
def test_where_a_unit_is_no_more_the_one_above_is_named(organisation, settle, gone, instead):
    """Then the executive office; then nobody. Units that close say so themselves."""
    unit = "ks" if gone == {"ks"} else "ksk"
    people = (*organisation.people, person(9, "Eva", "Al", unit=unit))
    _, held = settle(replace(organisation, people=people))
    left = replace(
        organisation,
        units=tuple(one for one in organisation.units if one.id not in gone),
        positions=(),
    )
    _, held = settle(left, held)
    told = _answer(held, "uid=9,ou=people")
    if instead:
        assert f": {instead}@{DOMAIN}" in told
        assert all(_instead(held, f"ou={one},ou=units") == f"{instead}@{DOMAIN}" for one in gone)
    else:
        assert "någon av de adresser som finns på kommunens webbplats" in told
        assert _instead(held, KSK) == ""


def _read(files, top: str = "", unit: str = "", post: str = "") -> Organisation:
    text = ORGANISATION.replace("units:", f"{top}units:", 1)
    text = text.replace("    parent: ks\n", f"    parent: ks\n{unit}")
    files.write(organisation=text + post)
    return files.read()


STANDARD = "acknowledgement: standard\n"


@pytest.mark.parametrize(
    ("top", "unit", "post", "answering"),
    [
        ("", "", "", set()),
        ("", f"    {STANDARD}", "", {KSK}),
        ("", "", f"    {STANDARD}", {POST}),
        (STANDARD, "", "", {"ou=ks,ou=units", KSK, POST}),
        (STANDARD, "    acknowledgement: none\n", "", {"ou=ks,ou=units", POST}),
    ],
)
def test_a_function_mailbox_confirms_what_comes_in_if_it_is_to(
    files, settle, top, unit, post, answering
):
    _, held = settle(_read(files, top, unit, post))
    assert {rdn for rdn in held.entries if _answer(held, rdn)} == answering
    assert settle(_read(files, top, unit, post), held)[0].is_empty


def test_the_standard_words_say_who_has_got_it_and_that_it_is_public(files, settle):
    _, held = settle(_read(files, unit=f"    {STANDARD}"))
    told = _answer(held, KSK)
    assert "har kommit in till Kommunstyrelsekontoret, Sjövalla kommun." in told
    assert "allmän handling" in told
    assert "In English: we have received your message." in told


def test_own_words_stand_within_the_letter(files, settle):
    words = "    acknowledgement: |\n      Vi svarar inom tre dagar.\n\n      Ring 0123-45 67 89.\n"
    _, held = settle(_read(files, unit=words))
    told = held.entries[KSK].first("kommunpostAnswer")
    assert "Vi svarar inom tre dagar.\n\nRing 0123-45 67 89.\n" in told
    assert "har kommit in till Kommunstyrelsekontoret" in told
    assert "varje arbetsdag" not in told


def test_no_line_is_longer_than_mail_programs_show(files, settle):
    words = f"    acknowledgement: {'ordet ' * 60}\n"
    _, held = settle(_read(files, unit=words))
    assert max(map(len, held.entries[KSK].first("kommunpostAnswer").splitlines())) <= 76


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("å" * (TEXT_MAX // 2 + 1), f"the text has {TEXT_MAX + 2} bytes"),
        ('"Hej %{user}"', r"%\{ or \$\{"),
        ('"Hej ${from}"', r"%\{ or \$\{"),
        (r'"Hej\e"', r"the unseen sign U\+001B"),
        ("[ett, två]", "must be a single value"),
    ],
)
def test_words_that_cannot_be_sent_are_told_with_their_line(files, words, told):
    with pytest.raises(UserError, match=told) as error:
        _read(files, unit=f"    acknowledgement: {words}\n")
    assert "organisation.yml:14" in str(error.value)
