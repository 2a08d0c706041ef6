"""What the report's template is given: results arranged by clause and administration."""

from dataclasses import dataclass

from compliance.checks.model import Finding, Result, Share, Status, overall, severity
from compliance.checks.people import Register
from compliance.frameworks import Clause, strategy
from compliance.probes.facts import Facts, SealFacts
from compliance.report.texts import report_texts
from compliance.texts import Text, clock, day, plain

# Names stand from 0, then come the bars, and their figures from here on; in the SVG's own units.
_FIGURES_AT = 580
_NAMES = (270, 420)  # from where on bars stand: as far out as the longest name asks for
_LETTER = 7  # as wide as a letter of a name is, on the average
# The picture's lines share this height, so that it stays on the first page of the PDF.
_PICTURE_HEIGHT = 270
_ROW_HEIGHTS = range(16, 35)
_FIVE = 5


@dataclass(frozen=True)
class Group:
    """The findings of one administration."""

    name: Text
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Item:
    """One control with its findings split into causes and the rest, per administration."""

    result: Result
    causes: tuple[Finding, ...]
    groups: tuple[Group, ...]

    @property
    def needs_action(self) -> bool:
        """Tell whether the reader must be told why it matters and what to do."""
        return self.result.status is not Status.PASS


@dataclass(frozen=True)
class Section:
    """A clause of the strategy with its controls."""

    clause: Clause
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Bar:
    """One line of the picture; lengths in the SVG's own units.

    name: as much of it as there is room for.
    """

    share: Share
    name: Text
    good: float
    bad: float
    untried: float


@dataclass(frozen=True)
class View:
    """The whole report, ready to be laid out."""

    municipality: str
    run: str
    status: Status
    headline: Text
    lead: Text
    day: Text
    sentences_title: Text
    sentences: tuple[Result, ...]
    results: tuple[Result, ...]
    sections: tuple[Section, ...]
    untried: tuple[Clause, ...]
    bars: tuple[Bar, ...]
    bars_at: int
    picture_text: Text
    seal: Text | None

    @property
    def row_height(self) -> int:
        """Return the height of a line of the picture, in the SVG's own units."""
        wanted = _PICTURE_HEIGHT // max(1, len(self.bars))
        return min(max(wanted, _ROW_HEIGHTS[0]), _ROW_HEIGHTS[-1])


def make_view(facts: Facts, results: list[Result]) -> View:
    """Arrange one run's results; reads only names of units and times from the facts."""
    texts = report_texts()
    status = overall(results)
    headline = texts[f"headline.{_headline(status)}"].fill(
        municipality=facts.municipality,
        bad=sum(result.status is Status.FAIL for result in results),
        all=len(results),
    )
    shares = [share for result in results for share in result.shares]
    bars_at = _bars_at(shares)
    bars = _bars(shares, bars_at)
    chosen = first_page(results)
    title = "sentences_title" if len(chosen) == _FIVE else "sentences_title_other"
    return View(
        municipality=facts.municipality,
        run=facts.run,
        status=status,
        headline=headline,
        lead=texts["lead"].fill(
            day=day(facts.started), start=clock(facts.started), end=clock(facts.finished)
        ),
        day=day(facts.started),
        sentences_title=texts[title],
        sentences=chosen,
        results=tuple(results),
        sections=_sections(facts, results),
        untried=tuple(clause for clause in strategy() if not clause.controls),
        bars=bars,
        bars_at=bars_at,
        picture_text=_picture_text(bars),
        seal=_seal(facts.seal) if facts.seal else None,
    )


def first_page(results: list[Result]) -> tuple[Result, ...]:
    """Choose the five controls whose sentences the chief reads: the worst, then in their order."""
    worst = sorted(results, key=lambda result: severity(result.status))[:_FIVE]
    return tuple(result for result in results if result in worst)


def _headline(status: Status) -> str:
    known = (Status.PASS, Status.FAIL, Status.WARNING)
    return status.value if status in known else Status.UNKNOWN.value


def _sections(facts: Facts, results: list[Result]) -> tuple[Section, ...]:
    by_id = {result.control.id: result for result in results}
    register = Register(facts.directory) if facts.directory else None
    return tuple(
        Section(
            clause,
            tuple(_item(by_id[name], register) for name in clause.controls if name in by_id),
        )
        for clause in strategy()
        if any(name in by_id for name in clause.controls)
    )


def _item(result: Result, register: Register | None) -> Item:
    groups: dict[str, list[Finding]] = {}
    names: dict[str, Text] = {}
    for finding in result.findings:
        if finding.cause:
            continue
        home = register.administration(finding.unit) if register else None
        key = home.name if home else ""
        names[key] = plain(home.name) if home else report_texts()["findings.elsewhere"]
        groups.setdefault(key, []).append(finding)
    return Item(
        result,
        tuple(finding for finding in result.findings if finding.cause),
        tuple(Group(names[key], tuple(groups[key])) for key in sorted(groups)),
    )


def _bars_at(shares: list[Share]) -> int:
    """Say where the bars begin, so that none covers a name."""
    longest = max((len(share.name.sv) for share in shares), default=0)
    return min(max(_NAMES[0], (longest + 1) * _LETTER), _NAMES[1])


def _bars(shares: list[Share], bars_at: int) -> tuple[Bar, ...]:
    """Scale each administration's bar to the largest one."""
    largest = max((share.population for share in shares), default=0)
    if not largest:
        return ()
    scale = (_FIGURES_AT - bars_at) / largest
    room = bars_at // _LETTER - 1
    return tuple(
        Bar(
            share,
            Text(_short(share.name.sv, room), _short(share.name.en, room)),
            good=share.good * scale,
            bad=(share.measured - share.good) * scale,
            untried=(share.population - share.measured) * scale,
        )
        for share in sorted(shares, key=lambda share: -share.population)
    )


def _short(name: str, room: int) -> str:
    return name if len(name) <= room else name[: room - 1].rstrip(" -,") + "…"


def _seal(seal: SealFacts) -> Text:
    """Tell what the log was last sealed with, so that the report itself holds the log to it."""
    texts = report_texts()
    if seal.seen.error:
        return texts["about.seal_unknown"]
    if seal.number is None or seal.day is None:
        return texts["about.seal_none"]
    return texts["about.seal"].fill(
        day=seal.day, number=seal.number, entries=seal.entries, sha256=seal.sha256
    )


def _picture_text(bars: tuple[Bar, ...]) -> Text:
    texts = report_texts()
    rows = [
        texts["picture.alt_row"].fill(
            name=bar.share.name, good=bar.share.good, population=bar.share.population
        )
        for bar in bars
    ]
    joined = Text(" ".join(row.sv for row in rows), " ".join(row.en for row in rows))
    return texts["picture.alt"].fill(rows=joined)
