"""The supervisory report as one HTML page without outside parts."""

from importlib.metadata import version

import jinja2

from compliance.checks.model import Result
from compliance.probes.facts import Facts
from compliance.report.texts import report_texts
from compliance.report.view import make_view
from compliance.resources import templates_dir
from compliance.texts import Language, Text, written


def render_html(facts: Facts, results: list[Result], language: Language) -> str:
    """Return the report as HTML in one language."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def read(key: str, **values: object) -> str:
        return report_texts()[key].fill(**values).read(language)

    def write(value: Text | int | str) -> str:
        return written(value, language)

    environment.globals["t"] = read
    environment.filters["w"] = write
    template = environment.get_template("report.html.j2")
    return template.render(
        view=make_view(facts, results), language=language, version=version("kommunpost")
    )
