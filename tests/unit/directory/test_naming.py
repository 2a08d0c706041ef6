"""Names become addresses: each by rule, no two the same, and for ever."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.directory import naming
from compliance.errors import UserError
from compliance.settings import Directory

from .conftest import DOMAIN, person

LOCALS = [
    ("Åsa", "Öberg", "asa.oberg"),
    ("Jürgen", "Groß", "jurgen.gross"),
    ("Łukasz", "Wałęsiak", "lukasz.walesiak"),
    ("Søren", "Kjærgaard", "soren.kjaergaard"),
    ("Þóra", "Guðmundsdóttir", "thora.gudmundsdottir"),
    ("İpek", "Yıldız", "ipek.yildiz"),
    ("Sean", "O'Brien", "sean.obrien"),
    ("Siobhán", "O’Connor", "siobhan.oconnor"),
    ("Louise", "von der Lindenau", "louise.von-der-lindenau"),
    ("Anna-Karin", "Berg-Öhman", "anna-karin.berg-ohman"),
    ("Eva Lotta", "Lind Sjöberg", "eva-lotta.lind-sjoberg"),
    ("Олена", "Шевчук", "olena.shevchuk"),
    ("小明", "王", "xiao-ming.wang"),
    ("Ö", "Å", "o.a"),
    ("", "Suharti", "suharti"),
    ("José María", "de la Peña", "jose-maria.de-la-pena"),
    ("Carl", "af Sandhamn", "carl.af-sandhamn"),
    ("Văn Đức", "Nguyễn", "van-duc.nguyen"),
    ("Γιώργος", "Παπαδόπουλος", "giorgos.papadopoulos"),
    ("გიორგი", "ბერიძე", "giorgi.berize"),
    ("प्रिया", "शर्मा", "priyaa.shrmaa"),
    ("שרה", "כהן", "shrh.khhn"),
    ("محمد", "الأحمد", "mhmd.lhmd"),
    ("สมชาย", "ใจดี", "smchaay.aicchdii"),
    ("Дар’я", "Соловйова-Гнатюк", "daria.soloviova-gnatiuk"),
    ("Zoë\u200d", "\u200fLind\u200e", "zoe.lind"),  # signs that nobody sees
    ("Ａｎｎａ", "Ｂｅｒｇ", "anna.berg"),
    ("Anna 🙂", "Ek", "anna.ek"),
    ('Ann "Pia"', "Ek (f. Alm)", "ann-pia.ek-f-alm"),
    ("A\u030asa", "O\u0308berg", "asa.oberg"),  # letters and marks apart, as some systems save
]


@pytest.mark.parametrize(("given_name", "surname", "local"), LOCALS)
def test_a_name_is_spelt_by_rule(given_name, surname, local):
    assert _one(person(1, given_name, surname)) == local


def _one(someone) -> str:
    return _assign([naming.wish_of_person(someone)])[f"person:{someone.id}"]


def _assign(wishes, current=None, used=None) -> dict[str, str]:
    found = naming.assign(wishes, DOMAIN, current or {}, used or {})
    assert all(address.endswith(f"@{DOMAIN}") for address in found.values())
    return {holder: address.removesuffix(f"@{DOMAIN}") for holder, address in found.items()}


def test_a_name_of_no_letters_is_named_by_its_reference():
    assert _one(person(7, "", "🙂")) == "referens.7"


@pytest.mark.parametrize("number", ["10265", "A_1", "b-", "9f0c7d1e-4a55-4c1e-9d1b-3f2a6c5b7e88"])
def test_a_protected_identity_is_named_by_its_reference_alone(number):
    hidden = person(number, "Vendela", "Kvarnhammar", middle_name="Ulla", protected=True)
    assert _one(hidden) == f"referens.{number.lower()}"
    assert naming.is_valid_local_part(_one(hidden))


PATTERNS = [
    ("{given}.{surname}", ["anna.berg", "anna.k.berg"]),
    ("{surname}.{given}", ["berg.anna", "berg.anna.k"]),
    ("{given}{surname}", ["annaberg", "annakberg"]),
    ("{g}.{surname}", ["a.berg", "ak.berg"]),
    ("{surname}-{g}", ["berg-a", "berg-ak"]),
]


@pytest.mark.parametrize(("pattern", "stems"), PATTERNS)
def test_a_municipality_declares_its_own_pattern(pattern, stems):
    anna = person(1, "Anna", "Berg", middle_name="Karin")
    assert list(naming.wish_of_person(anna, pattern).stems) == stems
    assert naming.wish_of_person(person(2, "", "Suharti"), pattern).stems == ("suharti",)


@pytest.mark.parametrize("pattern", ["{given}", "{given}+{surname}", "{g}..{surname}", "{id}", ""])
def test_a_pattern_that_would_not_tell_people_apart_is_refused(pattern):
    with pytest.raises(ValidationError, match="address_pattern"):
        Directory(
            uri="ldapi:///",
            base="dc=x",
            reader_dn="cn=x",
            reader_password_file=Path("x"),
            address_pattern=pattern,
        )


def test_namesakes_get_their_initial_and_then_a_number():
    people = [
        person(1, "Anna", "Berg", middle_name="Karin"),
        person(2, "Anna", "Berg"),
        person(3, "Anna", "Berg", middle_name="Lovisa"),
        person(4, "Anna", "Berg", middle_name="Lena"),
    ]
    found = _assign(map(naming.wish_of_person, people))
    assert list(found.values()) == ["anna.berg", "anna.berg2", "anna.l.berg", "anna.berg3"]


def test_whoever_has_an_address_keeps_it_though_an_older_id_would_like_it():
    old, new = person(1, "Anna", "Berg"), person(2, "Anna", "Berg")
    found = _assign(
        map(naming.wish_of_person, [old, new]), current={"person:2": f"anna.berg@{DOMAIN}"}
    )
    assert found == {"person:1": "anna.berg2", "person:2": "anna.berg"}


def test_of_several_own_addresses_the_present_one_stays():
    used = {f"anna.berg@{DOMAIN}": "person:1", f"anna.berg2@{DOMAIN}": "person:1"}
    found = _assign(
        [naming.wish_of_person(person(1, "Anna", "Berg"))],
        current={"person:1": f"anna.berg2@{DOMAIN}"},
        used=used,
    )
    assert found == {"person:1": "anna.berg2"}


def test_long_names_are_cut_to_the_limit_and_stay_apart():
    people = [person(n, "Anna" * 10, "Lind-" * 10) for n in (1, 2)]
    found = _assign(map(naming.wish_of_person, people))
    assert found["person:1"] == "anna" * 10 + "." + "lind-" * 4 + "lin"
    assert len(found["person:1"]) == 64
    assert found["person:2"] == "anna" * 10 + "." + "lind-" * 4 + "l2"
    assert _assign(map(naming.wish_of_person, people), _addresses(found)) == found


def test_an_address_that_was_ever_used_is_never_given_away():
    found = _assign(
        [naming.wish_of_person(person(2, "Anna", "Berg"))],
        used={f"anna.berg@{DOMAIN}": "person:1"},
    )
    assert found == {"person:2": "anna.berg2"}


def test_a_changed_surname_gives_a_new_address_and_changing_back_the_old():
    used = {f"anna.berg@{DOMAIN}": "person:1", f"anna.ek@{DOMAIN}": "person:1"}
    found = _assign(
        [naming.wish_of_person(person(1, "Anna", "Berg"))],
        current={"person:1": f"anna.ek@{DOMAIN}"},
        used=used,
    )
    assert found == {"person:1": "anna.berg"}


def test_reserved_names_go_to_the_system_alone():
    found = _assign(
        [*naming.wishes_of_system(), naming.wish_of_person(person(1, "", "Postmaster"))]
    )
    assert found["system:postmaster"] == "postmaster"
    assert found["person:1"] == "postmaster2"
    assert _one(person(2, "", "Root")) == "root2"


def test_a_system_name_in_other_hands_is_told():
    with pytest.raises(UserError, match="is held by person:9"):
        _assign(naming.wishes_of_system(), used={f"abuse@{DOMAIN}": "person:9"})


def test_a_unit_wins_over_a_person_of_the_same_name():
    wishes = [
        naming.wish_of_person(person(1, "", "Biblioteket")),
        naming.wish_of_function("unit:bib", "Biblioteket"),
    ]
    assert _assign(wishes) == {"unit:bib": "biblioteket", "person:1": "biblioteket2"}


def test_a_name_that_ends_in_a_digit_is_told_from_its_number():
    wishes = [naming.wish_of_function(f"unit:{n}", "Förskola 1") for n in "ab"]
    first = _assign(wishes)
    assert first == {"unit:a": "forskola-1", "unit:b": "forskola-1-2"}
    assert _assign(wishes, current=_addresses(first)) == first


def test_a_domain_without_room_for_names_is_told():
    with pytest.raises(UserError, match="no room"):
        naming.assign([], "a" * 240 + ".example", {}, {})


def _addresses(locals_: dict[str, str]) -> dict[str, str]:
    return {holder: f"{local}@{DOMAIN}" for holder, local in locals_.items()}


names = st.text(max_size=90) | st.sampled_from(["Anna", "Åsa", "Berg", "af Ek", "root", "王", ""])
crowds = st.lists(
    st.builds(
        lambda given_name, middle, surname, protected: (given_name, middle, surname, protected),
        names, names, names, st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


def _wishes(crowd) -> list[naming.Wish]:
    people = (
        person(number, given_name, surname, middle_name=middle, protected=protected)
        for number, (given_name, middle, surname, protected) in enumerate(crowd, start=1)
    )
    return [*naming.wishes_of_system(), *map(naming.wish_of_person, people)]


@given(crowds)
def test_everybody_gets_one_valid_address_of_their_own(crowd):
    found = _assign(_wishes(crowd))
    assert len(set(found.values())) == len(found) == len(_wishes(crowd))
    assert all(naming.is_valid_local_part(local) for local in found.values())


@given(crowds, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(crowd, chance: random.Random):
    wishes = _wishes(crowd)
    shuffled = chance.sample(wishes, len(wishes))
    assert _assign(wishes) == _assign(shuffled)


@given(crowds, crowds)
def test_nobodys_address_moves_when_others_come(crowd, newcomers):
    first = _assign(_wishes(crowd))
    addresses = _addresses(first)
    later = _assign(
        _wishes(crowd + newcomers), addresses, {address: h for h, address in addresses.items()}
    )
    assert {holder: later[holder] for holder in first} == first


@given(crowds, st.sets(st.integers(0, 39)))
def test_leaving_and_returning_moves_no_address(crowd, leaving):
    first = _assign(_wishes(crowd))
    used = {address: holder for holder, address in _addresses(first).items()}
    staying = [wish for at, wish in enumerate(_wishes(crowd)) if at not in leaving]
    current = {holder: address for address, holder in used.items()}
    assert _assign(staying, current, used).items() <= first.items()
    assert _assign(_wishes(crowd), {}, used) == first


@given(st.text())
def test_a_slug_is_plain(text):
    assert naming.slug(text) == "" or naming.slug(text).replace("-", "").isalnum()
    assert naming.slug(text).isascii()
