"""How a diary's records are shown, and what is wrong with an export of it."""

from django import template
from django.utils.translation import get_language

from compliance.errors import Problem
from compliance.loglist.language import read
from compliance.loglist.models import DiaryMatch
from compliance.texts import Text

register = template.Library()


@register.filter
def told(problem: Problem) -> str:
    """Tell a problem in the reader's language, as far as it has one."""
    if problem.swedish and get_language() != "en":
        return problem.swedish
    return f"{problem.what}. {problem.remedy}" if problem.remedy else problem.what


@register.filter
def diary_number(match: DiaryMatch) -> str:
    """Write the number that a row is registered under with a match."""
    return str(match.number)


@register.filter
def reasons(match: DiaryMatch) -> list[str]:
    """Give the reasons for a match in the reader's language."""
    return [read(Text(reason["sv"], reason["en"])) for reason in match.reasons]
