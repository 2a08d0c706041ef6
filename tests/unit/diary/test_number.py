"""Diary numbers are read in every form that people write them, and nothing else is."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compliance.diary.number import (
    Certainty,
    DiaryNumber,
    Owner,
    Repair,
    find_numbers,
    parse_number,
)
from compliance.diary.number_rules import NumberRules
from compliance.errors import UserError

RULES = NumberRules()
DAY = date(2024, 6, 1)


def read(text: str, rules: NumberRules = RULES) -> list[str]:
    return [str(reading.number) for reading in find_numbers(text, rules, DAY)]


FORMS = {
    "KS 2024/123": "KS 2024/123",
    "KS 2024-00123": "KS 2024/123",
    "Dnr: KS/2024:123": "KS 2024/123",
    "2024/KS0123": "KS 2024/123",
    "BUN-2024-12": "BUN 2024/12",
    "KS-2024/00123-5": "KS 2024/123-5",
    "KS/2019/0001/0009": "KS 2019/1-9",
    "2016-000003": "2016/3",
    "KS-2014/742.912": "KS 2014/742",
    "KS/2017:267": "KS 2017/267",
    "SBN 2021 00099 1": "SBN 2021/99-1",
    "P 2019-0254": "P 2019/254",
    "KS 2024–123": "KS 2024/123",
    "KS\u00a02024/123": "KS 2024/123",
    "KS 2024\u2011123": "KS 2024/123",
    "KS\u200b 2024/\u00ad123": "KS 2024/123",
    "KS 2O24/O123": "KS 2024/123",
    "D.nr KS 2024/l2": "KS 2024/12",
    "KS 24/123": "KS 2024/123",
    "KS 98/12": "KS 1998/12",
    "dnr 24/123": "2024/123",
    "KS2024/123": "KS 2024/123",
    "dnrKS2024/123": "KS 2024/123",
    "KS 2024 / 123": "KS 2024/123",
    "KS-2024 -123": "KS 2024/123",
    "KS 2024 123": "KS 2024/123",
    "KS 123/2024": "KS 2024/123",
    "KS 81/2024": "KS 2024/81",
    "dnr 123/2024": "2024/123",
    "ks 2024/123": "KS 2024/123",
    "Ks 2024/123": "KS 2024/123",
    "SV: KS 2024/123": "KS 2024/123",
    "SV: 2024/123": "2024/123",
    "Sv: [KS 2024/123]": "KS 2024/123",
    "ärendenummer 2024-0123": "2024/123",
    "Diarienummer: 2024/25": "2024/25",
    "diarienumret KS 2024/123.": "KS 2024/123",
    "Your ref: KS 2024/123": "KS 2024/123",
    "Bygglov (dnr KS 2024/123) för altan": "KS 2024/123",
    "BUN 2024/25": "BUN 2024/25",
}


@pytest.mark.parametrize(("written", "meant"), FORMS.items())
def test_forms_in_use_are_read(written, meant):
    assert read(written) == [meant]


NOT_NUMBERS = [
    *("möte 2024-05-13", "2024/05/13", "KS 2024-05-13", "2024.05.13", "24-05-13", "KS 24-05-13"),
    *("2024-05", "maj 2024-12", "12/2023", "3/12 2023", "3/12-23", "20240513", "5-2024"),
    *("kl 13:30", "KS 13:30", "13.00-15.00", "KS 13-15", "s. 10-12", "§ 24/123", "1/2", "24/7"),
    *("070-123 45 67", "08-2024 12 34", "0470-1999", "0455-2021 12 34", "KS 08-123 45 67"),
    *("+46 70 123 45 67", "tel 040-2021/12", "0046 2024 1234"),
    *("202100-1234", "20 2100-1234", "SE202100123401", "556677-8899", "2021 00-1234"),
    *(
        "19900101-1234",
        "900101-1234",
        "Dnr 000101-1980",
        "19 900101-1234",
        "2001 1224-1234",
        "900101+1234",
    ),
    *("faktura 2024-1234", "Fakturanr 20241234", "fakturanummer: 2024/118", "INV-2024-0012"),
    *("order 2024/1234", "OCR 2024-123456", "offert nr 2024-118", "skadenr 2024-123"),
    *("bokning 2024/118", "kundnummer 2024-118", "kvitto 2024-0118", "F 2024-118"),
    *("läsåret 2023/24", "läsår 2023/2024", "2023/2024", "2023-24", "budget 2024-2027"),
    *("SFS 2017:725", "lagen (2018:218)", "EU 2016/679", "prop. 2020/21:5", "SOU 2023:45"),
    *("HSLF-FS 2017:40", "RÅ 1998 ref. 44", "ISO 9001-2015", "AFS 2023:1", "mål nr 2024-118"),
    *("https://x.example/2024/123", "a.2024-123@x.example", "protokoll_2024-123.pdf"),
    *("2024-123.pdf", "SE45 5000 0000 0583 9825 7466", "KS 2050/12", "KS 1066/12", "KS 2024/0"),
    *("1234-2024-12", "2024/1/2/3/4", "KS 2024/123456789", "Sjövik 3:12", "123 45 Sjövalla"),
]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_what_only_looks_like_a_number_is_not_read(text):
    assert read(text) == []


@given(st.dates(date(1950, 1, 1), date(2030, 1, 1)), st.sampled_from("-/. "), st.booleans())
def test_no_day_is_a_number(day, sign, short):
    form = f"{'%y' if short else '%Y'}{sign}%m{sign}%d"
    assert read(f"Möte {day:{form}} om skolan") == []
    assert read(f"KS {day:{form}}") == []


@given(
    st.dates(date(1920, 1, 1), DAY),
    st.integers(0, 9999),
    st.sampled_from(["-", "+", "", " ", " -"]),
)
def test_no_personal_number_is_a_number(born, last, sign):
    for form in ("%Y%m%d", "%y%m%d"):
        for before in ("", "personnr ", "född ", "Dnr "):
            assert read(f"{before}{born:{form}}{sign}{last:04}") == []


@given(
    st.from_regex(r"(0[1-9][0-9]{0,2}-?|\+46 ?)[0-9]{2,3} ?[0-9]{2} ?[0-9]{2}", fullmatch=True),
    st.sampled_from(["", "tel ", "Tel: ", "ring "]),
)
def test_no_telephone_number_is_a_number(number, before):
    assert read(before + number) == []


@given(st.integers(10, 99), st.integers(2000, 9999), st.integers(0, 9999), st.sampled_from("- "))
def test_no_organisation_number_is_a_number(first, second, last, sign):
    assert read(f"Org.nr {first}{second}{sign}{last:04}") == []
    assert read(f"bolaget {first}{second}{sign}{last:04}") == []


@given(st.text(max_size=80))
def test_any_text_is_read_without_fault_and_told_where_it_stood(text):
    for reading in find_numbers(text, RULES, DAY):
        assert text[reading.start : reading.end] == reading.written
        assert reading.number.serial > 0
        assert RULES.first_year <= reading.number.year <= DAY.year


_number_forms = st.sampled_from(
    [
        "{a} {y}/{s}",
        "{a}-{y}-{s:05}",
        "{a}/{y}:{s}",
        "{y}/{a}{s:04}",
        "{a}{y}/{s}",
        "{a} {y}–{s:04}",
    ]
)


@given(
    st.sampled_from(sorted(RULES.authorities)),
    st.integers(1990, 2024),
    st.integers(100, 99999),
    _number_forms,
    st.sampled_from(["", "Sv: ", "dnr ", "Dnr: ", "Yttrande över remiss, ", "("]),
    st.sampled_from(["", " bygglov", ", komplettering", ".", ")", " - påminnelse"]),
)
def test_whatever_stands_around_a_number_is_read_as_itself(
    authority, year, serial, form, before, after
):
    assume(not year < serial <= year + 15)  # KS 2001-2005 may be years
    written = form.format(a=authority, y=year, s=serial)
    (reading,) = find_numbers(before + written + after, RULES, DAY)
    assert reading.number == DiaryNumber(authority, year, serial)
    assert reading.certainty is Certainty.CERTAIN
    assert reading.written == written


@given(
    st.sampled_from(sorted(RULES.authorities)),
    st.integers(1990, 2024),
    st.integers(1, 99999),
    st.one_of(st.none(), st.integers(1, 999)),
)
def test_what_a_number_is_written_as_is_read_back(authority, year, serial, document):
    number = DiaryNumber(authority, year, serial, document)
    assert parse_number(str(number), RULES) == number


@given(
    st.sampled_from(["", "MILJÖNB", "BYGGLOVN", "P"]),
    st.integers(1000, 9999),
    st.integers(1, 9_999_999),
    st.one_of(st.none(), st.integers(1, 999_999_999)),
)
def test_a_stored_number_is_read_back_whatever_the_rules(authority, year, serial, document):
    number = DiaryNumber(authority, year, serial, document)
    assert DiaryNumber.read(str(number)) == number


def test_several_numbers_are_read_in_their_order():
    assert read("Svar på KS 2024/123, KS 2024/99 och BUN-2023-9") == [
        "KS 2024/123",
        "KS 2024/99",
        "BUN 2023/9",
    ]


def test_what_is_not_seen_behind_a_number_hides_no_other():
    assert read("KS 2024/1\u200b, KS 2024/2\u00ad och BUN 2023/9") == [
        "KS 2024/1",
        "KS 2024/2",
        "BUN 2023/9",
    ]


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("text", ["2024-", "24-1", "KS 2024/1, ", "å KS 2024/1, ", "2024 / ", "1"])
def test_long_texts_are_read_in_their_length_not_in_its_square(text):
    """As long as a subject may be; it takes some seconds, or minutes."""
    find_numbers((text * 131_072)[:131_072], RULES, DAY)


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("KS 2024/123", Certainty.CERTAIN),
        ("KS 2O24/123", Certainty.LIKELY),
        ("KS 24/123", Certainty.LIKELY),
        ("KS 2024 123", Certainty.LIKELY),
        ("dnr 2024/123", Certainty.LIKELY),
        ("dnr TRV 2024/12345", Certainty.LIKELY),
        ("2024/123", Certainty.POSSIBLE),
        ("TRV 2024/12345", Certainty.POSSIBLE),
        ("KS 2024-05", Certainty.POSSIBLE),
        ("KS 2023-2025", Certainty.POSSIBLE),
    ],
)
def test_a_number_is_as_certain_as_its_form(text, certainty):
    (reading,) = find_numbers(text, RULES, DAY)
    assert reading.certainty is certainty


def test_what_was_put_right_is_told():
    (reading,) = find_numbers("KS 2O24 – 123", RULES, DAY)
    assert reading.repairs == {Repair.LETTER_FOR_DIGIT, Repair.SPACES, Repair.SIGN}
    (reading,) = find_numbers("KS 123/24 dnr 7/2024", RULES, DAY)
    assert reading.repairs == {Repair.ORDER}


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("ert dnr KS 2024/123", Owner.READERS),
        ("Er ref: 2024/123", Owner.READERS),
        ("vårt dnr 2024/123", Owner.WRITERS),
        ("Our ref: 2024/123", Owner.WRITERS),
        ("dnr 2024/123", Owner.UNSAID),
    ],
)
def test_whose_number_it_is_follows_from_the_word_before(text, owner):
    (reading,) = find_numbers(text, RULES, DAY)
    assert reading.owner is owner


def test_a_declared_pattern_is_certain_and_may_be_bare():
    rules = NumberRules(patterns=("{year}.{serial}",), dot="document")
    (reading,) = find_numbers("Svar 2021.107 om skolan", rules, DAY)
    assert (str(reading.number), reading.certainty) == ("2021/107", Certainty.CERTAIN)
    assert read("Svar 2021.107 om skolan") == []


def test_a_municipality_has_prefixes_of_its_own():
    rules = NumberRules(frozenset({"KTU"}), patterns=("{authority}{yy}-{serial}",))
    (reading,) = find_numbers("ktu24-77", rules, DAY)
    assert (str(reading.number), reading.certainty) == ("KTU 2024/77", Certainty.CERTAIN)


def test_the_dot_is_what_the_municipality_says():
    assert read("KS 2014/742.912", NumberRules(dot="document")) == ["KS 2014/742-912"]


@pytest.mark.parametrize(
    "pattern",
    ["{year}", "{serial}", "{year}{yy}/{serial}", "{year}/{serial}{nr}", "{year}{year}{serial}"],
)
def test_a_pattern_that_cannot_be_is_told(pattern):
    with pytest.raises(UserError, match="is no pattern of diary numbers"):
        NumberRules(patterns=(pattern,))


@pytest.mark.parametrize("text", ["", "KS", "se KS 2024/1", "KS 2024/1 och", "hej 2024/5 hopp"])
def test_a_cell_that_holds_more_or_less_than_a_number_is_none(text):
    assert parse_number(text, RULES) is None


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("4711/26", "2026/4711"),
        ("dnr 17/25", "2025/17"),
        ("Diarienummer: 17/25", "2025/17"),
        ("KS 17/25", "KS 2025/17"),
        ("ks17/25", "KS 2025/17"),
        ("KS 2026/12", "KS 2026/12"),
        ("KS 2026/117", "KS 2026/117"),
    ],
)
def test_a_declared_form_is_read_behind_a_marker_and_a_prefix_as_alone(written, number):
    rules = NumberRules(patterns=("{serial}/{yy}",))
    assert str(parse_number(written, rules)) == number
    (found,) = find_numbers(f"Vi svarar på {written} idag.", rules, date(2026, 11, 1))
    assert str(found.number) == number


def test_the_prefix_before_a_declared_form_without_one_is_not_lost():
    rules = NumberRules(patterns=("{year}/{serial}",))
    (found,) = find_numbers("Se KS 2026/12.", rules, date(2026, 11, 1))
    assert (str(found.number), found.written) == ("KS 2026/12", "KS 2026/12")
