"""The protocol of a period as a page, and as the PDF that is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import jinja2

from compliance.clock import SWEDEN
from compliance.pdf import render_pdf
from compliance.resources import templates_dir
from compliance.review.decision import Decision, review_texts
from compliance.review.lag import label
from compliance.review.protocol import Protocol
from compliance.safe_text import shown
from compliance.texts import Language, Text, clock, day, load


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of the protocol stands in the log, and the name of whoever decided it.

    Not its subject or party: those may be secret, and a protocol is for anybody to read.
    """

    received: datetime
    direction: str
    sequence: int
    reviewer: str


def to_html(
    protocol: Protocol, places: Mapping[str, Place], municipality: str, language: Language
) -> str:
    """Give the protocol as a page with all its parts within it. places: by row."""
    texts = _texts()
    signature = protocol.signature
    period = texts["through"].fill(first=protocol.period.first, last=protocol.period.last)
    signed = texts["signature"].fill(
        name=shown(signature.name), day=day(signature.at), clock=clock(signature.at)
    )
    reasons = {reason.id: reason.text for reason in protocol.negligible}

    def told(decision: Decision) -> str:
        """Say a decision in a line, with its number, authority or reason."""
        reason = reasons.get(decision.reason, decision.reason)
        more = str(decision.number or "") or decision.authority or reason
        outcome = decision.outcome.text.read(language)
        return shown(f"{outcome}: {more}" if more else outcome)

    return (
        _environment()
        .get_template("protocol.html.j2")
        .render(
            language=language,
            municipality=municipality,
            protocol=protocol,
            period=period.read(language),
            signature=signed.read(language),
            default_regularity=review_texts()["regularity.is-default"].read(language),
            limit=label(protocol.limit).read(language),
            late=[(places[lag.row], lag.days) for lag in protocol.late],
            rows=[
                (places[decision.row], told(decision), decision.at) for decision in protocol.rows
            ],
            settled=[
                (shown(doubt.question), shown(doubt.answer), told(doubt.decision))
                for doubt in protocol.settled
            ],
            t=lambda key: texts[key].read(language),
        )
    )


def to_pdf(
    protocol: Protocol, places: Mapping[str, Place], municipality: str, language: Language
) -> bytes:
    """Give the protocol as a tagged PDF."""
    return render_pdf(to_html(protocol, places, municipality, language))


def _minute(time: datetime) -> str:
    return f"{time.astimezone(SWEDEN):%Y-%m-%d %H:%M}"


@cache
def _texts() -> dict[str, Text]:
    return load(templates_dir() / "review" / "texts.yml")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "review"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(minute=_minute, shown=shown)
    return made
