"""CITS ERMS, which FGS Ärendehantering 2.0 of the Swedish National Archives is: cases as XML.

Read are the elements of records that a diary needs, by the names of ERMS.xsd 2.1 (DILCIS Board,
https://citserms.dilcis.eu): objectId, runningNumber, title, otherTitle, direction, agents, dates
and restriction. Who a case's parties are is taken from its records alone. The file may be hostile:
documents with a DTD are refused, so nothing in it unfolds or is fetched (defusedxml).
"""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from compliance.diary.importers.days import read_day
from compliance.diary.importers.tabular import DOCUMENT_DIGITS, with_distinct_keys
from compliance.diary.number import DiaryNumber, parse_number
from compliance.diary.number_rules import NumberRules
from compliance.diary.record import DiaryEntry, DiaryRecord, Direction, Protected
from compliance.errors import Problem, UserError
from compliance.files.text import read_start

_NAMESPACE = "https://DILCIS.eu/XML/ERMS"
_SIZE_MAX = 300_000_000  # bytes
_CHUNK = 65536
_DEPTH_MAX = 60  # elements within each other; cases within cases take some ten
_LINE = "line"
_DIRECTIONS: dict[str, Direction] = {"incoming": "in", "outgoing": "out", "internal": "internal"}
# The day of a document is when it was received or expedited, else when it was drawn up.
_DAYS = ("received", "expedited", "sent", "originated", "created")
_SIDE = {"in": "sender", "out": "receiver"}


def is_xml(path: Path) -> bool:
    """Say whether a file is XML. Raises UserError if it cannot be read."""
    return read_start(path, 64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def read_erms(path: Path, rules: NumberRules) -> list[DiaryEntry]:
    """Read every record of every case. Raises UserError with every problem in the file."""
    root = _parse(path)
    if root.tag != f"{{{_NAMESPACE}}}erms":
        raise UserError.of(
            f"the document is {root.tag.rpartition('}')[2]!r}, not erms in the namespace "
            f"{_NAMESPACE}",
            f"{path}:{root.get(_LINE)}",
            "export the diary as FGS Ärendehantering 2.0 (CITS ERMS)",
            "Filen är XML men inte FGS Ärendehantering 2.0 (CITS ERMS). Exportera diariet så.",
        )
    problems: list[Problem] = []
    reading = _Reading(path, rules, problems)
    found = [reading.entry(record, case) for record, case in _records(root, None)]
    if not found:
        problems.append(
            Problem(
                "there is no record in the file",
                str(path),
                "export the diary's documents too",
                "Det finns ingen handling i filen. Exportera diariets handlingar också.",
            )
        )
    if problems:
        raise UserError(problems)
    return with_distinct_keys(entry for entry in found if entry)


def _parse(path: Path) -> Element:
    if path.stat().st_size > _SIZE_MAX:
        raise UserError.of(
            f"the file is larger than {_SIZE_MAX // 1_000_000} MB",
            str(path),
            "export less at a time",
        )
    builder = _Lines()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    builder.expat = parser.parser
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.feed(chunk)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UserError.of(
            "the XML declares a document type or entities, which no export needs",
            str(path),
            "do not use this file; ask whoever made it",
            "XML-filen innehåller en dokumenttyp eller entiteter, som ingen export behöver. Använd "
            "inte filen, utan fråga den som har gjort den.",
        ) from error
    except (ParseError, LookupError, ValueError) as error:
        line = getattr(error, "position", (0, 0))[0]
        raise UserError.of(
            f"this is no well-formed XML ({error})",
            f"{path}:{line}",
            "export the diary anew",
            "Filen är trasig XML. Exportera diariet på nytt.",
        ) from error
    return root


class _Lines(TreeBuilder):
    """Builds the tree and notes the line of each element."""

    expat: Any = None

    def start(self, tag: Any, attrs: dict[Any, Any], /) -> Element:
        element = super().start(tag, attrs)
        element.set(_LINE, str(self.expat.CurrentLineNumber))
        return element


def _records(element: Element, case: Element | None) -> list[tuple[Element, Element | None]]:
    """Give each record with the case that holds it; cases may hold cases."""
    found: list[tuple[Element, Element | None]] = []
    stack = [(element, case)]
    while stack:
        parent, holder = stack.pop()
        for child in reversed(parent):
            name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
            if name == "record":
                found.append((child, holder))
            elif name in ("aggregations", "records"):
                stack.append((child, holder))
            elif name == "aggregation":
                stack.append((child, child))
    found.reverse()
    return sorted(found, key=lambda pair: int(pair[0].get(_LINE, "0")))


@dataclass(frozen=True)
class _Reading:
    """A document on its way to entries."""

    path: Path
    rules: NumberRules
    problems: list[Problem]

    def entry(self, record: Element, case: Element | None) -> DiaryEntry | None:
        """Give the entry of a record; None if it had a problem, which is noted."""
        number, day = self._number(record, case), self._day(record)
        if number is None:
            return None
        direction = _direction(record)
        party = "; ".join(_parties(record, direction))
        title = _text(record, "title") or _text(record, "description")
        open_title = _other_title(record)
        face = DiaryRecord("", number, day, direction, party, title)
        restriction = _restriction(record) or (_restriction(case) if case is not None else "")
        if not restriction:
            return DiaryEntry(face, self._where(record))
        return DiaryEntry(
            replace(face, party="", subject=open_title),
            self._where(record),
            Protected(party, title, restriction),
        )

    def _where(self, element: Element) -> str:
        return f"{self.path}:{element.get(_LINE)}"

    def _problem(self, element: Element, what: str, remedy: str, swedish: str) -> None:
        self.problems.append(Problem(f"record: {what}", self._where(element), remedy, swedish))

    def _number(self, record: Element, case: Element | None) -> DiaryNumber | None:
        written = _text(record, "objectId")
        number = parse_number(written, self.rules)
        if number is None and case is not None:  # the record's own id may be a system's
            number = parse_number(_text(case, "objectId"), self.rules)
        if number is None:
            self._problem(
                record,
                f"objectId {written[:40]!r} is no diary number, nor is its case's",
                "declare its form as a pattern in the mapping",
                f"Handlingens objectId ”{written[:40]}” är inget diarienummer, och inte heller "
                "ärendets. Be it-avdelningen lägga till skrivsättet.",
            )
            return None
        running = _text(record, "runningNumber")
        is_number = running.isascii() and running.isdigit() and len(running) <= DOCUMENT_DIGITS
        if number.document is None and is_number:
            return replace(number, document=int(running))
        return number

    def _day(self, record: Element) -> date | None:
        dates = {element.get("dateType", ""): element for element in _all(record, "dates", "date")}
        for kind in _DAYS:
            element = dates.get(kind)
            text = (element.text or "").strip() if element is not None else ""
            if element is None or not text:
                continue
            day = read_day(text)
            if day is not None:
                return day
            self._problem(
                element,
                f"date {kind} {text[:40]!r} is no day",
                "write it as 2026-10-15T00:00:00",
                f"Handlingens datum {kind} ”{text[:40]}” är ingen dag. Skriv den som "
                "2026-10-15T00:00:00.",
            )
        return None


def _all(element: Element, *path: str) -> list[Element]:
    return element.findall("/".join(f"{{{_NAMESPACE}}}{name}" for name in path))


def _text(element: Element, name: str) -> str:
    found = element.find(f"{{{_NAMESPACE}}}{name}")
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def _other_title(record: Element) -> str:
    """Give the title that is meant for the public."""
    for title in _all(record, "otherTitle"):
        if title.get("titleType") == "public":
            return " ".join("".join(title.itertext()).split())
    return ""


def _direction(record: Element) -> Direction | None:
    for element in _all(record, "direction"):
        kind = element.get("directionDefinition") or ""
        if kind == "other":
            kind = element.get("otherDirectionDefinition") or ""
        return _DIRECTIONS.get(kind)
    return None


def _parties(record: Element, direction: Direction | None) -> list[str]:
    """Give whoever is on the other side, by name or organisation."""
    wanted = (_SIDE[direction],) if direction in _SIDE else ("sender", "receiver")
    found = []
    for agent in _all(record, "agents", "agent"):
        if agent.get("agentType") in (*wanted, "counterpart"):
            names = [_text(agent, "name"), _text(agent, "organisation")]
            found.append(", ".join(name for name in names if name))
    return [name for name in dict.fromkeys(found) if name]


def _restriction(element: Element) -> str:
    """Give the section under which an element is not public; empty if it is."""
    for restriction in _all(element, "restriction"):
        return (
            _text(restriction, "regulation")
            or _text(restriction, "explanatoryText")
            or restriction.get("restrictionType")
            or "restriction"
        )
    return ""
