"""`kommunpost audit`: from probes to facts, from facts to results, from results to a report."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from compliance import settings
from compliance.checks.model import Check, Result, Status, overall
from compliance.checks.registry import choose, judge
from compliance.errors import UserError
from compliance.output_file import opened
from compliance.pdf import render_pdf
from compliance.probes.collect import collect
from compliance.probes.facts import Facts, from_json, to_json
from compliance.report import document, json_format, terminal
from compliance.report.progress import shown
from compliance.report.texts import report_texts
from compliance.texts import Language, plain

# 2 is for errors (compliance/cli.py).
_EXITS = {Status.FAIL: 1, Status.UNKNOWN: 3}


class Format(StrEnum):
    """What is printed, or written to --output."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"
    PDF = "pdf"


class Tongue(StrEnum):
    """The language of what a person reads."""

    SV = "sv"
    EN = "en"


app = typer.Typer(rich_markup_mode=None)


@app.command()
def audit(
    form: Annotated[
        Format, typer.Option("--format", help="How the results are told.")
    ] = Format.TABLE,
    lang: Annotated[Tongue, typer.Option(help="Swedish or English.")] = Tongue.SV,
    output: Annotated[
        Path | None, typer.Option(help="Write the results here, not to the terminal.")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="Only this control, e.g. B1; may be given more than once."),
    ] = None,
    facts_file: Annotated[
        Path | None,
        typer.Option("--facts", help="Judge recorded facts again, without the network."),
    ] = None,
) -> None:
    """Check how the e-mail strategy is followed, with evidence for each control.

    Exit status: 0 everything passes, 1 something fails, 2 error, 3 something was not measured.
    An audit of all controls leaves facts.json and the report (HTML and PDF) in audit.report_dir.

    \b
    Example: kommunpost audit --control B2 --format json
    """
    language: Language = lang.value
    checks = choose(control or [])
    console = Console(stderr=True)
    if form is Format.PDF and output is None and sys.stdout.isatty():
        raise UserError.of("a PDF cannot be shown here", "--format pdf", "give --output FILE")
    if facts_file:
        facts, kept = _recorded(facts_file), None
    else:
        facts, kept = _measure(checks, language, console, whole=not control)
    results = judge(facts, checks)
    _tell(form, facts, results, language, output)
    if kept and form is Format.TABLE:
        told = report_texts()["progress.written"].fill(html=plain(kept[0]), pdf=plain(kept[1]))
        console.print(told.read(language), highlight=False, soft_wrap=True)
    raise typer.Exit(_EXITS.get(overall(results), 0))


def _measure(
    checks: list[Check], language: Language, console: Console, *, whole: bool
) -> tuple[Facts, tuple[str, str] | None]:
    """Run the probes that the checks need; of a whole audit, keep the facts and the report."""
    loaded = settings.load()
    needs = frozenset[str]().union(*(check.needs for check in checks))
    audience = frozenset(check.reaches for check in checks if check.reaches)
    with shown(console, language) as progress:
        facts = collect(loaded, needs, audience, progress)
        if not (whole and loaded.audit):
            return facts, None
        progress.step("report")
        results = judge(facts, checks)
        return facts, _keep(facts, results, language, loaded.audit.report_dir)


def _recorded(path: Path) -> Facts:
    try:
        return from_json(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError.of(
            f"the facts cannot be read ({error.strerror})",
            str(path),
            "give a facts.json that `kommunpost audit` wrote",
        ) from error


def _tell(
    form: Format, facts: Facts, results: list[Result], language: Language, output: Path | None
) -> None:
    """Print or write the results in the form that was asked for."""
    if form is Format.TABLE and output is None:
        terminal.show(results, language, Console())
        return
    if form is Format.TABLE:
        content = terminal.as_text(results, language).encode()
    elif form is Format.JSON:
        content = json_format.render(results, language).encode()
    else:
        page = document.render_html(facts, results, language)
        content = render_pdf(page) if form is Format.PDF else page.encode()
    if output:
        _write(output, content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _keep(facts: Facts, results: list[Result], language: Language, folder: Path) -> tuple[str, str]:
    """Leave facts and report, and return where the HTML and the PDF are.

    They hold names and addresses, so only their owner may read them. Raises UserError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError.of(
            f"the folder cannot be made ({error.strerror})",
            str(folder),
            "name one that you may write to as audit.report_dir in the settings",
        ) from error
    name = report_texts()["file_name"].read(language)
    page = document.render_html(facts, results, language)
    html, pdf = folder / f"{name}.html", folder / f"{name}.pdf"
    _write(folder / "facts.json", to_json(facts))
    _write(html, page.encode())
    _write(pdf, render_pdf(page))
    return str(html), str(pdf)


def _write(path: Path, content: bytes) -> None:
    with opened(path) as file:
        file.write(content)
