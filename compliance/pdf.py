"""HTML as PDF that can be read aloud; between the rooms."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def render_pdf(html: str) -> bytes:
    """Return a PDF of a page, tagged and with its language set.

    Nothing is fetched, from the network or from files: a page has all its parts within it.
    WeasyPrint's PDF/UA variant makes the tags; its claim of conformity is taken away again, since
    no validator has confirmed it.
    """
    # Loaded here alone: it takes a second and a half, which no other command should wait for, and
    # the hosts that only log mail do without it.
    import weasyprint

    # The font subsetter remarks on dates inside fonts, which nobody who runs an audit can mend.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    page = weasyprint.HTML(string=html, url_fetcher=_refuse)
    with _nothing_collected():
        return bytes(page.write_pdf(pdf_variant="pdf/ua-1", finisher=_withdraw_claim))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Let Python look for no garbage: a page's many boxes are none, and a third of the time goes.

    Laying out takes no more memory for it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _refuse(url: str, *_arguments: object, **_more: object) -> Any:
    raise ValueError(f"a page fetches nothing, not {url[:80]}")


def _withdraw_claim(_document: Any, pdf: Any) -> None:
    """Drop the XMP metadata, which holds nothing but the claim and what the info dictionary has."""
    pdf.catalog.pop("Metadata", None)
