"""Renders what is sent to people, in Swedish, from templates/letters/."""

from functools import cache

import jinja2

from compliance.resources import templates_dir


def render(template: str, **values: object) -> tuple[str, str]:
    """Fill a template; return its first line, which is the subject, and the body."""
    subject, _, body = fill(template, **values).partition("\n")
    return subject.strip(), body.strip() + "\n"


def fill(template: str, **values: object) -> str:
    """Fill the template of a letter whose subject is made elsewhere."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "letters"),
        autoescape=False,  # noqa: S701 - plain text, in which & is &
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
