"""The audit as a table for the one who sits at the terminal."""

import io

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text as Styled

from compliance.checks.model import Result, Status, overall
from compliance.report.texts import report_texts
from compliance.safe_text import shown
from compliance.texts import Language, written

# More findings than this per control are counted; the report names them all.
_SHOWN = 12
_WIDTH = 100
_MARKS = {
    Status.PASS: ("✓", "green"),
    Status.FAIL: ("✗", "bold red"),
    Status.WARNING: ("!", "yellow"),
    Status.UNKNOWN: ("?", "magenta"),
    Status.NOT_APPLICABLE: ("–", "dim"),
    Status.WAIVED: ("–", "dim"),
}


def show(results: list[Result], language: Language, console: Console) -> None:
    """Print the table of controls, then each control's findings."""
    texts = report_texts()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for key in ("control", "clause", "what", "status"):
        table.add_column(texts[f"table.{key}"].read(language), no_wrap=key != "what")
    table.add_column(texts["table.measured"].read(language), justify="right", no_wrap=True)
    for result in results:
        figures = f"{written(result.measured, language)}/{written(result.population, language)}"
        table.add_row(
            result.control.id,
            result.control.clause,
            escape(result.control.title.read(language)),
            _status(result.status, language),
            figures,
        )
    console.print(table)
    for result in results:
        _findings(result, language, console)
    console.print(f"{texts['table.overall'].read(language)}: ", end="")
    console.print(_status(overall(results), language))


def as_text(results: list[Result], language: Language) -> str:
    """Return the same as plain text, for a file."""
    console = Console(file=io.StringIO(), width=_WIDTH, force_terminal=False)
    with console.capture() as capture:
        show(results, language, console)
    return capture.get()


def _findings(result: Result, language: Language, console: Console) -> None:
    if not result.findings:
        return
    console.print(f"[bold]{result.control.id}[/] {escape(shown(result.summary.read(language)))}")
    for finding in result.findings[:_SHOWN]:
        mark, style = _MARKS[finding.severity]
        line = Styled(f"  {mark} ", style)
        # Servers elsewhere have written parts of it; none of them steers the terminal.
        line.append(f"{shown(finding.subject)}: ", "bold")
        line.append(shown(finding.message.read(language)), "default")
        console.print(line, soft_wrap=True)
    if len(result.findings) > _SHOWN:
        rest = report_texts()["table.more"].fill(count=len(result.findings) - _SHOWN)
        console.print(f"  {rest.read(language)}", style="dim")
    console.print()


def _status(status: Status, language: Language) -> Styled:
    mark, style = _MARKS[status]
    return Styled(f"{mark} {report_texts()[f'status.{status.value}'].read(language)}", style)
