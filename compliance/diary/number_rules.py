"""How a municipality writes its diary numbers: prefixes, declared patterns, and words around them.

The vocabulary is of Swedish official usage; what a municipality has of its own is a setting.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from compliance.errors import Problem, UserError


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


PREFIX_LETTERS = 8  # that a prefix has at most

# Prefixes in common use for boards, committees and the audit of a municipality.
COMMON_AUTHORITIES = _words(
    "KS KF KSN KSF KFN KFTN KFU KUN KN BUN BN BIN UBN UN UAN GVN GSN FSN FN SN SON SOC ON VON VN",
    "VÅN ÄN ÄON AN AMN IFN IFO MN MBN MHN MSN MTN BMN MRN BYGG BLN SBN SHBN SBF TN TEN TFN GTN TSN",
    "PLAN VA NTN NN LN KTN KLN ÖFN REV VAL ÖFK",
)

# What looks like a diary number but names a law, a report, a standard, a court's case or a bill.
FOREIGN_SERIES = _words(
    "SFS SOU DS PROP BET DIR RSKR SKR EU EG EES EC FS AFS BFS BBR ISO EN SS IEC DIN NFS RÅ HFD NJA",
    "RH MÖD MIG AD JO JK ARN FFS LVFS SOSFS MSBFS TSFS PTSFS KIFS SJVFS HVMFS TVFS COVID AB ABT HB",
    "F FAKT INV INC ORDER OCR REF BEST OFFERT SO PO TICKET ID REQ CVE NR NO ART",
)

# Before a subject, and no part of it.
REPLY_MARKS = _words("SV RE AW VB FW FWD VS TR ANG")

_TOKENS = {
    "year": r"(?P<year>[12]\d{3})",
    "yy": r"(?P<yy>\d\d)",
    "serial": r"(?P<serial>\d{1,7})",
    "document": r"(?P<document>\d{1,4})",
    "plan": r"[\d.]{1,9}",
}
_PLACE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class NumberRules:
    """What a municipality's diary numbers look like.

    authorities: prefixes of its own diaries, in upper case. patterns: declared forms such as
    `{authority} {year}/{serial}-{document}`, with the places authority, year, yy, serial, document
    and plan. dot: what stands after a dot behind the serial. first_year: of the oldest diary.
    Raises UserError for a pattern that cannot be.
    """

    authorities: frozenset[str] = COMMON_AUTHORITIES
    patterns: tuple[str, ...] = ()
    dot: Literal["document", "plan"] = "plan"
    first_year: int = 1980

    def __post_init__(self) -> None:
        """Find out at once whether the patterns can be read."""
        _ = self.declared

    @cached_property
    def declared(self) -> tuple[re.Pattern[str], ...]:
        """The declared patterns as regular expressions over folded text."""
        problems: list[Problem] = []
        compiled = [_compiled(pattern, self.authorities, problems) for pattern in self.patterns]
        if problems:
            raise UserError(problems)
        return tuple(pattern for pattern in compiled if pattern)


def _compiled(
    pattern: str, authorities: Iterable[str], problems: list[Problem]
) -> re.Pattern[str] | None:
    """Compile a declared pattern; a space in it may be missing or doubled."""
    tokens = {**_TOKENS, "authority": f"(?P<authority>{'|'.join(sorted(authorities))})"}
    places = _PLACE.findall(pattern)
    if (
        set(places) - set(tokens)
        or len(set(places)) < len(places)
        or "serial" not in places
        or ("year" in places) == ("yy" in places)
    ):
        problems.append(
            Problem(
                f"{pattern!r} is no pattern of diary numbers",
                "numbers.patterns",
                "write it with each of {serial} and {year} or {yy} once, and perhaps {authority}, "
                "{document} and {plan}, as in {authority} {year}/{serial}",
            )
        )
        return None
    parts = _PLACE.split(pattern)
    expression = "".join(
        tokens[part] if at % 2 else re.escape(part).replace(r"\ ", " {0,2}")
        for at, part in enumerate(parts)
    )
    if "authority" not in places:  # a prefix that people write all the same belongs to the number
        expression = rf"(?:(?P<prefix>{'|'.join(sorted(authorities))}) {{0,2}})?{expression}"
    return re.compile(rf"(?<![\w.:/-]){expression}(?![\w])(?![-./:]\d)", re.IGNORECASE)
