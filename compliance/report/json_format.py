"""The audit as JSON, for other programs."""

import json

from compliance.checks.model import Result, overall
from compliance.texts import Language


def render(results: list[Result], language: Language) -> str:
    """Return the results as one JSON object with a line end; texts in one language.

    Statuses: pass, fail, warning, unknown, not_applicable, waived. A finding's severity is one
    of fail, warning, unknown; `cause` is true for what explains the other findings.
    """
    controls = [
        {
            "id": result.control.id,
            "clause": result.control.clause,
            "title": result.control.title.read(language),
            "status": result.status.value,
            "population": result.population,
            "measured": result.measured,
            "summary": result.summary.read(language),
            "findings": [
                {
                    "subject": finding.subject,
                    "message": finding.message.read(language),
                    "severity": finding.severity.value,
                    "unit": finding.unit,
                    "cause": finding.cause,
                }
                for finding in result.findings
            ],
        }
        for result in results
    ]
    document = {"controls": controls, "status": overall(results).value}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
