"""The supervisory report as one HTML page without outside parts, and as a tagged PDF of it."""

import logging
from importlib.metadata import version
from typing import Any

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


def render_pdf(html: str) -> bytes:
    """Return a PDF of the page, tagged and with its language set, so that it can be read aloud.

    WeasyPrint's PDF/UA variant makes the tags; its claim of conformity is taken away again, since
    no validator has confirmed it.
    """
    # Loaded here alone: it takes a second and a half, which no other command should wait for, and
    # the hosts that only log mail do without it.
    import weasyprint

    # The font subsetter remarks on dates inside fonts, which nobody who runs an audit can mend.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    return bytes(
        weasyprint.HTML(string=html).write_pdf(pdf_variant="pdf/ua-1", finisher=_withdraw_claim)
    )


def _withdraw_claim(_document: Any, pdf: Any) -> None:
    """Drop the XMP metadata, which holds nothing but the claim and what the info dictionary has."""
    pdf.catalog.pop("Metadata", None)
