"""The draft of a decision: what is kept back, under which section, and how to appeal."""

from datetime import UTC, date, datetime

import pytest

from compliance.disclosure.masking import Column, Section
from compliance.disclosure.refusal import Hidden, Refusal, draft

FIRST, SECOND = datetime(2026, 11, 24, 8, 5, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC)
HIDDEN = (
    Hidden(SECOND, Column.SUBJECT, Section(26, 1)),
    Hidden(FIRST, Column.SENDER, Section(26, 1)),
    Hidden(FIRST, Column.SUBJECT, Section(26, 1)),
    Hidden(FIRST, Column.RECIPIENT, Section(21, 3)),
)


def text_of(hidden=HIDDEN, handed_out=datetime(2026, 11, 26, 12, tzinfo=UTC), asked_for="Allt"):
    return draft(
        Refusal(
            municipality="Sjövalla kommun",
            unit="Barn- och utbildningsnämnden",
            asked_for=asked_for,
            received=date(2026, 11, 25),
            handed_out=handed_out,
            hidden=hidden,
        )
    )


def test_it_says_which_texts_are_kept_back_under_which_section():
    kept_back = text_of().partition("UPPGIFTER SOM INTE LÄMNAS UT")[2].partition("SKÄL")[0]
    assert kept_back.split("\n\n")[1:3] == [
        "Enligt 21 kap. 3 § OSL:\n- meddelandet den 24 november 2026 kl. 09.05: mottagare",
        "Enligt 26 kap. 1 § OSL:\n"
        "- meddelandet den 24 november 2026 kl. 09.05: avsändare, ärendemening\n"
        "- meddelandet den 24 november 2026 kl. 10.00: ärendemening",
    ]


@pytest.mark.parametrize(
    "told",
    [
        "6 kap. 3 § offentlighets- och sekretesslagen",
        "Kammarrätten i [ort] (6 kap. 7 och 8 §§ OSL)",
        "inom tre veckor från den dag då du fick del av beslutet (44 § förvaltningslagen)",
        "Lämna eller skicka överklagandet till Barn- och utbildningsnämnden, inte till",
        "som lämnades ut den 26 november 2026",
        "Begäran kom in den 25 november 2026",
    ],
)
def test_it_says_how_to_appeal_and_what_was_asked(told):
    assert told in text_of()


def test_without_an_extract_the_whole_request_is_refused():
    text = text_of(hidden=(), handed_out=None)
    assert "Barn- och utbildningsnämnden avslår begäran. " in text
    assert "[Skriv vilka uppgifter som inte lämnas ut" in text
    assert "utdrag" not in text


def test_what_somebody_asked_for_is_plain_text_in_it():
    text = text_of(asked_for="A & B <b>\u202e\nHUR DU ÖVERKLAGAR\nInte alls")
    assert "A & B <b>[U+202E] HUR DU ÖVERKLAGAR Inte alls" in text
