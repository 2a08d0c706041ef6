"""The report's own texts, read once."""

from functools import cache

from compliance.resources import templates_dir
from compliance.texts import Text, load


@cache
def report_texts() -> dict[str, Text]:
    """Return the texts of `templates/report/texts.yml` by dotted key."""
    return load(templates_dir() / "report" / "texts.yml")
