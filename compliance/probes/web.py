"""The two pages that publish the strategy, fetched over TLS as anybody would."""

import hashlib
import http.client
from datetime import date
from html.parser import HTMLParser
from typing import Literal

from compliance.fetch import address_of, fetch
from compliance.probes.facts import Page, Seen, WebFacts, now
from compliance.settings import Publication

Place = Literal["intranet", "public"]


def read(settings: Publication) -> WebFacts:
    """Fetch both pages; one that does not answer is a fact with its reason."""
    places: tuple[tuple[Place, str], ...] = (
        ("intranet", settings.intranet_url),
        ("public", settings.public_url),
    )
    return WebFacts(tuple(_page(settings, place, url) for place, url in places))


def adopted(page: bytes) -> date | None:
    """Return the date of the first `time` element with a `datetime` that is a date."""
    parser = _Dates()
    parser.feed(page.decode("utf-8", "replace"))
    return parser.first


class _Dates(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.first: date | None = None

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Take <![x[ for a comment, as HTML does (13.2.5.42); the library would give up."""
        return self.parse_bogus_comment(i, report)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        value = dict(attrs).get("datetime") if tag == "time" else None
        if value and self.first is None:
            try:
                self.first = date.fromisoformat(value[:10])
            except ValueError:
                return


def _page(settings: Publication, place: Place, url: str) -> Page:
    asked, at = f"GET {url}", now()
    address = url
    try:
        address = address_of(url, settings)
        status, body = fetch(url, settings)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Page(place, url, Seen(asked, address, at, f"{type(error).__name__}: {error}"))
    digest = hashlib.sha256(body).hexdigest()
    return Page(place, url, Seen(asked, address, at), status, digest, adopted(body))
