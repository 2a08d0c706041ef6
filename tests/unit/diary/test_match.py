"""Which letters stand in the diary, and why a registrar is told so."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.diary.explain import explain
from compliance.diary.match import Decided, Outcome, Policy, match
from compliance.diary.number import DiaryNumber
from compliance.diary.record import DiaryRecord, Message

DAY = date(2026, 3, 3)  # a Tuesday


def record(key, serial, subject, party="", document=1, day=DAY, direction="in", board="KS"):
    number = DiaryNumber(board, 2026, serial, document)
    return DiaryRecord(key, number, day, direction, party, subject)


def message(subject, key="m", day=DAY, direction="in", **rest):
    rest.setdefault("others", ("asa.oberg@post.example",))
    rest.setdefault("names", ("Åsa Öberg",))
    return Message(key, day, direction, subject=subject, **rest)


DIARY = [
    record("brygga", 123, "Strandskyddsdispens för brygga vid Sjövik 3:12", "Åsa Öberg"),
    record("svar", 123, "Begäran om komplettering", "Åsa Öberg", 2, DAY, "out"),
    record("skola", 77, "Skolskjuts till Ekuddens skola", "Nils Ek", board="BUN"),
    record("bolag", 88, "Miljörapport", "Bygg & Trä i Sjövalla AB", board="MBN"),
    *(record(f"annat {n}", 200 + n, f"Remiss {n} om trafik", f"Myndighet {n}") for n in range(30)),
]


def outcome(*messages: Message, diary=None) -> Outcome:
    return match(list(messages), diary or DIARY)[messages[-1].key]


def matched(*messages: Message, diary=None) -> list[str]:
    return [found.record.key for found in outcome(*messages, diary=diary).matched]


@pytest.mark.parametrize(
    "subject",
    ["Dnr KS 2026/123", "SV: KS-2026-00123 bryggan", "ks 26/123", "Hej, ang KS 2O26/123"],
)
def test_a_number_in_the_subject_finds_the_record(subject):
    assert matched(message(subject)) == ["brygga"]


def test_without_number_party_day_and_words_find_it():
    assert matched(message("ansökan strandskydd brygga Sjövik 3:12")) == ["brygga"]


def test_a_company_is_known_by_its_domain():
    letter = message("miljörapporten", others=("info@byggotra.example",), names=())
    found = outcome(letter)
    assert "bolag" in [item.record.key for item in (*found.matched, *found.suggestions)]


def test_a_number_whose_records_have_another_direction_is_left_to_the_reviewer():
    """A letter of thanks names the case, and stands in no diary."""
    only_out = [row for row in DIARY if row.key != "brygga"]
    found = outcome(message("SV: Begäran om komplettering KS 2026/123"), diary=only_out)
    assert not found.matched
    assert found.suggestions[0].record.key == "svar"


def test_an_answer_with_our_own_subject_may_be_thanks_and_is_left_to_the_reviewer():
    """The number in it is ours. Had it a word of its own, it would be the application."""
    ours = message("Begäran om komplettering KS 2026/123", "a", direction="out")
    answer = message("SV: Begäran om komplettering KS 2026/123", "b")
    found = outcome(ours, answer)
    assert not found.matched
    assert found.suggestions[0].record.key == "brygga"
    assert any("vara ett tack" in reason.sv for reason in explain(found.suggestions[0].pair))
    assert matched(ours, replace(answer, subject="SV: KS 2026/123 ritningen")) == ["brygga"]


def test_what_another_letter_has_is_suggested_last():
    first = message("KS 2026/123 bryggan", "a", names=("Åsa Öberg",))
    second = message("bryggan vid Sjövik", "b", authority="KS", names=("Bo Ek",))
    found = outcome(first, second)
    assert not found.matched
    assert len(found.suggestions) == 3
    assert "brygga" not in [item.record.key for item in found.suggestions]


def test_a_slip_in_the_number_is_put_right_by_party_and_day():
    assert matched(message("KS 2026/132 ritningen", authority="KS")) == ["brygga"]


def test_one_record_is_given_to_one_letter():
    first, second = message("KS 2026/123", "a"), message("KS 2026/123 igen", "b")
    found = match([first, second], DIARY)
    assert sum(len(found[key].matched) for key in "ab") <= 1
    assert found["a"].suggestions or found["b"].suggestions


def test_copies_of_a_letter_share_its_record():
    first = message("KS 2026/123", "a", message_id="<1@x>")
    found = match([first, replace(first, key="b")], DIARY)
    assert [found[key].matched[0].record.key for key in "ab"] == ["brygga", "brygga"]


def test_a_forwarded_letter_is_what_it_forwards():
    letter = message("KS 2026/123 bryggan", "a", message_id="<1@x>")
    forward = message(
        "VB: KS 2026/123 bryggan",
        "b",
        direction="internal",
        others=("per.ek@sjovalla.example",),
        names=("Per Ek",),
        references=("<1@x>",),
    )
    assert matched(letter, forward) == ["brygga"]
    assert matched(letter, replace(forward, references=())) == ["brygga"]
    assert "vidarebefordran" in explain(outcome(letter, forward).matched[0].pair)[1].sv


REGISTERED = message("KS 2026/123 bryggan", "a", message_id="<1@x>")


def reply(subject="här kommer de", **rest):
    return message(subject, "b", DAY + timedelta(7), references=("<1@x>",), **rest)


def test_the_case_of_a_letter_that_is_answered_is_suggested_and_never_decided():
    later = record("svar på begäran", 123, "Ritning", "Åsa Öberg", 3, DAY + timedelta(7))
    found = outcome(REGISTERED, reply(), diary=[*DIARY, later])
    assert not found.matched
    assert found.suggestions[0].record.key == "svar på begäran"
    told = [reason.sv for reason in explain(found.suggestions[0].pair)]
    assert "Meddelandet svarar på ett som är diariefört som KS 2026/123." in told


def test_an_answer_that_is_in_no_diary_yet_is_given_the_case_and_not_the_document():
    best = outcome(REGISTERED, reply(others=("x@y.example",), names=())).suggestions[0]
    assert best.pair.evidence.is_case_alone
    assert str(best.record.number.case) == "KS 2026/123"
    told = " ".join(reason.sv for reason in explain(best.pair))
    assert "svarar på" in told
    assert "Dagen" not in told
    assert "riktning" not in told


def test_the_answered_case_stands_above_what_is_alike_and_beneath_a_number():
    day = DAY + timedelta(7)
    alike = [record(f"lik {n}", 90 + n, "Altan vid Näset", "Åsa Öberg", day=day) for n in (1, 2)]
    sent = record("skickad", 300, "Något helt annat", direction="out", day=day)
    diary = [*DIARY, *alike, sent]
    found = outcome(REGISTERED, reply("Altan vid Näset"), diary=diary)
    cases = [item.record.number.serial for item in found.suggestions]
    assert (cases[0], set(cases[1:])) == (123, {91, 92})
    found = outcome(REGISTERED, reply("Altan vid Näset KS 2026/300"), diary=diary)
    assert [item.record.number.serial for item in found.suggestions][:2] == [300, 123]


def test_the_answered_case_is_not_lost_among_many_that_are_alike():
    day = DAY + timedelta(7)
    alike = [record(f"lik {n}", 500 + n, "Altan vid Näset", "Bo Ek", day=day) for n in range(30)]
    answer = reply("Altan vid Näset", names=("Bo Ek",), others=("bo.ek@post.example",))
    found = outcome(REGISTERED, answer, diary=[*DIARY, *alike])
    assert str(found.suggestions[0].record.number.case) == "KS 2026/123"


def test_an_answer_that_is_certain_by_itself_is_matched_whatever_it_answers():
    new = record("ny", 400, "Arrende av Sjötorpet", "Åsa Öberg", day=DAY + timedelta(7))
    answer = reply("Arrende av Sjötorpet KS 2026/400")
    assert matched(REGISTERED, answer, diary=[*DIARY, new]) == ["ny"]


def test_two_numbers_may_be_two_records():
    other = record("andra", 124, "Arrende", "Åsa Öberg")
    assert sorted(matched(message("KS 2026/123 och KS 2026/124"), diary=[*DIARY, other])) == [
        "andra",
        "brygga",
    ]


def test_the_writers_own_number_is_not_ours():
    found = outcome(message("Remissvar, vårt dnr 2026/77", authority="BUN", names=(), others=()))
    assert not found.matched


def test_a_number_without_prefix_is_of_the_diary_that_the_unit_keeps():
    letter = message("dnr 2026/77 skolskjuts", authority="BUN", names=("Nils Ek",))
    assert matched(letter) == ["skola"]
    assert "Brevlådan hör till BUN" in explain(outcome(letter).matched[0].pair)[0].sv


def test_a_slip_in_the_number_is_suggested_not_decided():
    found = outcome(message("KS 2026/132", names=(), others=("x9@post.example",)))
    assert not found.matched
    assert "brygga" in [item.record.key for item in found.suggestions]
    assert "liknar KS 2026/123" in explain(found.suggestions[0].pair)[0].sv


def test_a_diary_with_one_row_for_each_case_takes_every_letter_of_the_case():
    rows = [replace(row, number=row.number.case) for row in DIARY if row.key != "svar"]
    first = message("KS 2026/123", "a")
    later = message("SV: KS 2026/123", "b", DAY + timedelta(90), "out")
    assert matched(first, diary=rows) == ["brygga"]
    assert matched(first, later, diary=rows) == ["brygga"]


def test_unrelated_mail_is_not_matched():
    for subject in ("Lunch?", "Nyhetsbrev", "", "Faktura 2026-123"):
        letter = message(subject, names=("Butiken",), others=("noreply@butiken.example",))
        assert not outcome(letter).matched


def test_reasons_are_sentences_in_both_languages():
    reasons = explain(outcome(message("KS 2O26/123 bryggan vid Sjövik")).matched[0].pair)
    assert [reason.sv for reason in reasons] == [
        "I ärenderaden står ”KS 2O26/123”, som är läst som KS 2026/123-1.",
        "Den andra parten är densamma som i diariet: Åsa Öberg.",
        "Dagen i diariet är samma dag.",
        "Båda nämner: bryggan, Sjövik.",
    ]
    assert all(reason.en and reason.en != reason.sv for reason in reasons)


def test_a_withheld_party_and_subject_are_not_told_of():
    kept = [replace(DIARY[0], party="", subject="")]
    reasons = explain(outcome(message("KS 2026/123 bryggan"), diary=kept).matched[0].pair)
    assert [reason.sv for reason in reasons] == [
        "Diarienumret KS 2026/123-1 står i ärenderaden.",
        "Dagen i diariet är samma dag.",
    ]


YESTERDAY = Decided(
    message("KS 2026/123 bryggan", "igår", message_id="<1@x>"), frozenset({"brygga"})
)


def test_a_record_that_a_letter_has_since_yesterday_goes_to_no_other():
    today = message("KS 2026/123 bryggan", "idag")
    assert match([today], DIARY)["idag"].matched
    found = match([today], DIARY, decided=[YESTERDAY])
    assert found.keys() == {"idag"}
    assert not found["idag"].matched


def test_a_copy_of_a_letter_decided_yesterday_has_its_record():
    copy = replace(YESTERDAY.message, key="kopia", subject="[lista] KS 2026/123 bryggan")
    found = match([copy], DIARY, decided=[YESTERDAY])
    assert [item.record.key for item in found["kopia"].matched] == ["brygga"]


def test_what_forwards_a_letter_decided_yesterday_has_its_record():
    forward = message("VB: bryggan", "vb", direction="internal", references=("<1@x>",))
    found = match([forward], DIARY, decided=[YESTERDAY])
    assert [item.record.key for item in found["vb"].matched] == ["brygga"]


def test_what_answers_a_letter_decided_yesterday_has_its_case_suggested():
    later = record("ritning", 123, "Ritning", "Åsa Öberg", 3, DAY + timedelta(7))
    found = match([reply()], [*DIARY, later], decided=[YESTERDAY])
    assert not found["b"].matched
    assert found["b"].suggestions[0].record.key == "ritning"


def test_a_decision_on_records_that_are_not_at_hand_binds_nobody():
    old = replace(YESTERDAY, records=frozenset({"i ett äldre diarium"}))
    copy = replace(YESTERDAY.message, key="kopia")
    found = match([copy], DIARY, decided=[old])
    assert [item.record.key for item in found["kopia"].matched] == ["brygga"]


_subjects = st.text(max_size=40) | st.sampled_from(["KS 2026/123", "VB: KS 2026/123", "brygga"])
_messages = st.builds(
    Message,
    key=st.uuids().map(str),
    day=st.dates(DAY - timedelta(20), DAY + timedelta(20)),
    direction=st.sampled_from(["in", "out", "internal"]),
    others=st.tuples(st.text(max_size=20)),
    names=st.tuples(st.text(max_size=20)),
    subject=_subjects,
    authority=st.sampled_from(["", "KS"]),
    message_id=st.sampled_from(["", "<1@x>", "<2@x>"]),
    references=st.sampled_from([(), ("<1@x>",), ("<2@x>", "<3@x>")]),
)


@given(st.lists(_messages, max_size=8), st.permutations(range(4)))
def test_every_letter_has_an_outcome_that_does_not_contradict_itself(messages, order):
    diary = [DIARY[at] for at in order]
    found = match(messages, diary)
    assert found.keys() == {item.key for item in messages}
    for item in found.values():
        assert len(item.matched) + len(item.suggestions) <= max(3, len(item.matched))
        cases = {pair.record.number.case for pair in item.matched}
        shown = {pair.record.key for pair in item.suggestions}
        assert not shown & {pair.record.key for pair in item.matched}
        assert not cases or {pair.record.number.case for pair in item.suggestions} <= cases
        assert all(pair.confidence >= Policy().certain for pair in item.matched)
        for pair in (*item.matched, *item.suggestions):
            assert 0 <= pair.confidence <= 1
            assert explain(pair.pair)
