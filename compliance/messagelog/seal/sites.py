"""What the municipality's sites show of the seal: the log is held against it as anybody could.

Each statement names the one before, so that the last one shown stands for all. The page's list may
have been cut; so the next one is asked for too, whether the page names it or not.
"""

import http.client
import re
from collections.abc import Iterator
from dataclasses import dataclass

from compliance.fetch import fetch
from compliance.messagelog.seal.published import file_name, from_json
from compliance.messagelog.seal.statement import Signed
from compliance.settings import Publication

# Below the strategy, as role publication lays it.
_FOLDER = "/logg/"
_NAME = re.compile(r'href="([0-9]{8,})\.json"')
_FOUND = 200
_NOT_FOUND = 404


@dataclass(frozen=True)
class Site:
    """One site. last: the last statement it shows, None if none. error: why it can't be read."""

    url: str
    last: Signed | None = None
    error: str | None = None

    def __str__(self) -> str:
        """Say in one line what the log was held against."""
        if self.error is not None:
            return f"not held against {self.url}, which cannot be read: {self.error}"
        if self.last is None:
            return f"{self.url} shows no statement yet"
        return f"held against the last statement that {self.url} shows"


def read(settings: Publication) -> Iterator[Site]:
    """Ask the site on the inside and the one for everyone."""
    for page in (settings.intranet_url, settings.public_url):
        url = page.rstrip("/") + _FOLDER
        try:
            yield Site(url, _last(url, settings))
        except (OSError, http.client.HTTPException, ValueError) as error:
            yield Site(url, error=str(error) or type(error).__name__)


def _last(url: str, settings: Publication) -> Signed | None:
    names = _NAME.findall(_body(url, settings).decode("utf-8", "replace"))
    number = max(map(int, names), default=0)
    following = fetch(url + file_name(number + 1), settings)
    if following[0] == _FOUND:
        return from_json(following[1], number + 1)
    if following[0] != _NOT_FOUND:
        raise ValueError(f"{url}{file_name(number + 1)} is answered with status {following[0]}")
    return from_json(_body(url + file_name(number), settings), number) if number else None


def _body(url: str, settings: Publication) -> bytes:
    status, body = fetch(url, settings)
    if status != _FOUND:
        raise ValueError(f"{url} is answered with status {status}")
    return body
