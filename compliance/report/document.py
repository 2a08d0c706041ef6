"""The supervisory report as one HTML page without outside parts."""

from importlib.metadata import version

import jinja2
from markupsafe import Markup

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
    environment.filters["css"] = _css_string
    template = environment.get_template("report.html.j2")
    return template.render(
        view=make_view(facts, results), language=language, version=version("kommunpost")
    )


def _css_string(text: str) -> Markup:
    """Write a text as a string of CSS (css-syntax-3, 4.3.5), as `style` knows no HTML entities."""
    signs = (f"\\{ord(sign):x} " if sign in '"\\<\n' else sign for sign in text)
    return Markup(f'"{"".join(signs)}"')  # noqa: S704 - what could end the string is written out
