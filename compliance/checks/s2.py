"""S2: the strategy is published on the intranet and the public site, the same bytes, dated."""

from compliance.checks.model import Check, Finding, Result, Status, load_control
from compliance.checks.reach import COMMON
from compliance.probes.facts import Facts, Page
from compliance.texts import Text, plain

CONTROL = load_control(__file__)
_OK = 200
_PLACES = 2


def judge(facts: Facts) -> Result:
    """Judge the two pages; a page that answers wrongly fails, one that was not asked is unknown."""
    pages = facts.web.pages if facts.web else ()
    if not pages:
        finding = Finding(facts.domain, COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)
        return Result(CONTROL, _PLACES, 0, (finding,), CONTROL.message("summary.unknown"))
    findings = [found for page in pages if (found := _page(page))]
    sums = {page.sha256 for page in pages if page.sha256}
    if not findings and len(sums) > 1:
        urls = " ≠ ".join(page.url for page in pages)
        findings.append(Finding(urls, CONTROL.message("differ")))
    adopted = next((page.adopted for page in pages if page.adopted), None)
    if findings or adopted is None:
        summary = CONTROL.message("summary.fail")
    else:
        summary = CONTROL.message("summary.pass", adopted=adopted)
    evidence = tuple(_evidence(page) for page in pages if page.sha256)
    return Result(CONTROL, _PLACES, len(pages), tuple(findings), summary, evidence)


def _page(page: Page) -> Finding | None:
    """Say what is wrong with one page by itself."""
    place = CONTROL.messages[f"place.{page.place}"]
    if page.seen.error:
        text = CONTROL.message("no_answer", place=place, error=plain(page.seen.error))
    elif page.status != _OK:
        text = CONTROL.message("status", place=place, status=str(page.status))
    elif page.adopted is None:
        text = CONTROL.message("undated", place=place)
    else:
        return None
    return Finding(page.url, text)


def _evidence(page: Page) -> Text:
    place = CONTROL.messages[f"place.{page.place}"]
    digest = (page.sha256 or "")[:16]
    return CONTROL.message(
        "evidence", place=place, url=page.url, digest=digest, adopted=page.adopted or "-"
    )


CHECK = Check(CONTROL, frozenset({"web"}), judge)
