"""How the log's texts are shown."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from compliance.loglist.language import read
from compliance.loglist.models import ReviewItem
from compliance.loglist.reviews import UNDECIDED, standings
from compliance.messagelog.formats import visible
from compliance.review.decision import Outcome
from compliance.review.doubt import Kind

register = template.Library()
register.filter(read)


@register.filter
def shown(text: str | None) -> SafeString:
    """Show a text from outside: nothing unseen in it, and turning no text around it."""
    return format_html("<bdi>{}</bdi>", visible(text or ""))


@register.filter
def lines(text: str | None) -> SafeString:
    """Show a text of several lines, each as `shown` does."""
    each = ((visible(line),) for line in (text or "").splitlines())
    return format_html_join(format_html("<br>"), "<bdi>{}</bdi>", each)


@register.filter
def subject(text: str | None) -> SafeString | str:
    """Show a subject, or that there is none."""
    none: str = _("(no subject)")
    return shown(text) if text else none


@register.filter
def direction(way: str) -> str:
    """Name which way mail went."""
    names: dict[str, str] = {"in": _("In"), "out": _("Out"), "internal": _("Internal")}
    return names.get(way, way)


@register.filter
def sender(row: dict[str, Any]) -> str:
    """Return whom a message says it is from, else the envelope's sender."""
    return str(row["from_address"] or row["envelope_sender"])


@register.filter
def outcome(row: dict[str, Any]) -> str:
    """Say in a word what became of the mail: where it went to several places, the worst."""
    told: str = delivery_status(row["outcome"]) if row["outcome"] else _("Not known yet")
    return told


@register.filter
def delivery_status(status: str) -> str:
    """Name a state of delivery."""
    names: dict[str, str] = {
        "sent": _("Delivered"),
        "deferred": _("Being tried again"),
        "bounced": _("Returned"),
        "expired": _("Given up"),
        "removed": _("Removed from the queue"),
        "held": _("Held in the queue"),
        "refused": _("Refused"),
        "discarded": _("Thrown away"),
        "unknown": _("Unknown"),
    }
    return names.get(status, status)


@register.filter
def asked(wanted: dict[str, Any]) -> str:
    """Say what a filter asked for, in words."""
    labels = {
        "part": _("text"),
        "words": _("words"),
        "address": _("address"),
        "mailbox": _("mailbox"),
        "direction": _("direction"),
        "standing": _("review"),
        "since": _("from"),
        "until": _("before"),
        "probes": _("the audit's own mail too"),
        "sequence": _("number"),
        "what": _("opened"),
        "reason": _("in the holder's absence, because"),
        "agreed": _("agreed to by"),
    }
    told = []
    for key, label in labels.items():
        if key in wanted:
            value = str(wanted[key])
            if key in ("since", "until"):
                value = value[:10]
            elif key == "what":
                value = _taken(value)
            elif key == "standing":
                value = outcome_name(value)
            told.append(label if key == "probes" else f"{label}: {value}")
    return "; ".join(told)


def _taken(what: str) -> str:
    """Name what of a message was opened."""
    kind, _space, number = what.partition(" ")
    names: dict[str, str] = {
        "view": _("shown"),
        "attachment": _("attachment"),
        "eml": _("file"),
        "handover": _("package for the diary"),
        "forward": _("draft for another authority"),
        "question": _("the row, by whoever was asked about it"),
        "handed-over": _("handed over by its holder"),
    }
    return f"{names.get(kind, kind)} {number}".strip()


@register.filter
def action(what: str) -> str:
    """Name what a reader asked for."""
    names: dict[str, str] = {
        "list": _("List"),
        "entry": _("Entry"),
        "export": _("Export"),
        "count": _("Count"),
        "audit": _("Who has read"),
        "message": _("Message"),
    }
    return names.get(what, what)


@register.filter
def standing(item: ReviewItem | None) -> str:
    """Say how a row stands in the review against the diary."""
    if item is None:
        return "–"
    told: str = decided(item) if item.outcome else outcome_name(UNDECIDED)
    return told


def outcome_name(standing: str) -> str:
    """Name how rows stand that a filter asks for."""
    return standings().get(standing, standing)


@register.filter
def decided(made: Any) -> str:
    """Say what was decided of an item, or in a decision, with its number or authority."""
    told = read(Outcome(made.outcome).text)
    more = made.number or getattr(made, "authority", "")
    return f"{told}: {more}" if more else told


@register.filter
def letter_step(step: str) -> str:
    """Name a letter about a question."""
    names: dict[str, str] = {
        "question": _("Question"),
        "reminder": _("Reminder"),
        "head": _("To the head"),
    }
    return names.get(step, step)


@register.filter
def answered(answer: Any) -> str:
    """Say in a line what was answered: a `DoubtAnswer`, or a `Question` that has an answer."""
    told = read(Kind(answer.kind).text)
    return f"{told}: {answer.matter}" if answer.matter else told


@register.filter
def header_name(name: str) -> str:
    """Name a header of a message."""
    names: dict[str, str] = {
        "from": _("From, as the message says"),
        "reply-to": _("Answers go to"),
        "to": _("To, as the message says"),
        "cc": _("Copy to"),
        "date": _("Date, as the message says"),
        "subject": _("Subject"),
    }
    return names.get(name, name)
