"""A message as a package for the diary system: the file, what is attached, and metadata.

The metadata has the element names of CITS ERMS 2.1 (DILCIS Board), which FGS Ärendehantering 2.0 of
the Swedish National Archives is, as far as the log knows them. What only the diary system knows
(class, secrecy, retention) is left to it: by that schema the document alone is no whole delivery.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from compliance.clock import SWEDEN
from compliance.diary.number import DiaryNumber
from compliance.loglist.message import rendering
from compliance.messagelog.answers import Row
from compliance.messagelog.formats import visible

_NAMESPACE = "https://DILCIS.eu/XML/ERMS"
_DIRECTIONS = {"in": "incoming", "out": "outgoing"}
_IN_NO_NAME = re.compile(r'[\\/:*?"<>|]')
_MAX_NAME = 150  # bytes: file systems take 255 of them, of which a path takes some


@dataclass(frozen=True)
class Handover:
    """number: the diary number that the review gave the row, else empty. by: who hands over."""

    municipality: str
    unit_name: str
    number: str
    by: str
    at: datetime


def file_name(name: str, number: int) -> str:
    """Return a name that any system can store an attachment under; what ends it is kept."""
    plain = _IN_NO_NAME.sub("_", visible(name)).strip(". ")
    short = plain.encode()[-_MAX_NAME:].decode(errors="ignore").lstrip(". ")
    return short or f"{number}.bin"


def package(row: Row, raw: bytes, about: Handover) -> bytes:
    """Return a zip with `message.eml` byte by byte, `attachments/`, and `metadata.xml`."""
    files = {"message.eml": raw}
    for number, (name, content) in enumerate(rendering.attachments(raw), 1):
        files[f"attachments/{number}-{file_name(name, number)}"] = content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.xml", _metadata(row, about, list(files)))
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def _metadata(row: Row, about: Handover, paths: list[str]) -> bytes:
    root = Element("erms", {"xmlns": _NAMESPACE})
    _control(root, about, _place(row))
    if about.number:
        case = SubElement(
            SubElement(root, "aggregations"),
            "aggregation",
            {"systemIdentifier": f"case {about.number}", "aggregationType": "caseFile"},
        )
        _add(case, "objectId", _case_of(about.number))
        _record(case, row, about.number, paths)
    else:
        _record(SubElement(root, "records"), row, _place(row), paths)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _control(root: Element, about: Handover, place: str) -> None:
    control = SubElement(root, "control")
    _add(control, "identification", place, identificationType="message log")
    kept = SubElement(control, "maintenanceInformation")
    _add(kept, "maintenanceStatus", "", value="new")
    agency = SubElement(kept, "maintenanceAgency")
    _add(agency, "agencyName", f"{about.municipality}, {about.unit_name}")
    event = SubElement(SubElement(kept, "maintenanceHistory"), "maintenanceEvent")
    _add(event, "eventType", "", value="created")
    _add(event, "eventDateTime", _written(about.at))
    _add(SubElement(event, "agent", {"agentType": "creator"}), "name", about.by)


def _record(parent: Element, row: Row, number: str, paths: list[str]) -> None:
    record = SubElement(parent, "record", {"systemIdentifier": _place(row)})
    _add(record, "objectId", number)
    _add(record, "title", row["subject"])
    if kind := _DIRECTIONS.get(row["direction"]):
        _add(record, "direction", "", directionDefinition=kind)
    else:
        _add(record, "direction", "", directionDefinition="other",
             otherDirectionDefinition=row["direction"])  # fmt: skip
    agents = SubElement(record, "agents")
    for kind, name in (
        ("sender", row["from_text"] or row["envelope_sender"]),
        ("receiver", row["recipient"]),
    ):
        _add(SubElement(agents, "agent", {"agentType": kind}), "name", name)
    day = "sent" if row["direction"] == "out" else "received"
    _add(SubElement(record, "dates"), "date", _written(row["accepted_at"]), dateType=day)
    more = SubElement(record, "additionalInformation")
    for path in paths:
        SubElement(more, "appendix", {"name": path.rpartition("/")[2], "path": path})


def _add(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = visible(text)


def _place(row: Row) -> str:
    return f"{row['outbox_id']}:{row['sequence']}"


def _case_of(number: str) -> str:
    """Return the number of the case that a document's number belongs to."""
    found = DiaryNumber.read(number)
    return str(found.case) if found else number


def _written(at: datetime) -> str:
    return at.astimezone(SWEDEN).isoformat(timespec="seconds")
