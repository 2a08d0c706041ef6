"""What the log list keeps of its own, in the schema `loglist`."""

from compliance.loglist.models.absence import AbsenceRequest
from compliance.loglist.models.diary import DiaryImport, DiaryMatch, DiaryProtected, DiaryRow
from compliance.loglist.models.disclosure import Disclosure, DisclosureRow, Handout
from compliance.loglist.models.doubt import DoubtAnswer, DoubtLetter
from compliance.loglist.models.login import LoginFailure
from compliance.loglist.models.review import (
    Bookmark,
    ProtocolRow,
    ReviewDecision,
    ReviewItem,
    ReviewProtocol,
)
from compliance.loglist.models.second_factor import SecondFactor

__all__ = [
    "AbsenceRequest",
    "Bookmark",
    "DiaryImport",
    "DiaryMatch",
    "DiaryProtected",
    "DiaryRow",
    "Disclosure",
    "DisclosureRow",
    "DoubtAnswer",
    "DoubtLetter",
    "Handout",
    "LoginFailure",
    "ProtocolRow",
    "ReviewDecision",
    "ReviewItem",
    "ReviewProtocol",
    "SecondFactor",
]
