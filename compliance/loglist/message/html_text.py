"""HTML as plain text: what a page shows of it can't run, load or send anything.

lxml reads it (libxml2, as a stream of events: no tree to nest too deep), and only text comes out.
Where a link leads stands beside its text. Nothing of the markup is ever handed on.
"""

import re
from dataclasses import dataclass, field

from lxml import etree

# As long as tags may be, and what is read at most. Many attributes in one tag take libxml2 time
# that grows with their square; and pictures that stand within a tag fill it.
_MAX_TAG = 4_000
_MAX_HTML = 250_000
_MAX_TARGET = 500

_LONG_TAG = re.compile(rf"<[^<>]{{{_MAX_TAG},}}>?")
# libxml2 reads nothing behind them, while browsers go on: many a letter is put together of several
# documents, or has a footer put behind it on its way.
_END_OF_ALL = re.compile("</(?=(?:html|body)\\b)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_UNSHOWN = {"script", "style", "title", "template"}
_LINES = {
    "address", "article", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p",
    "pre", "section", "table", "tr", "ul",
}  # fmt: skip


def text_of(html: str) -> tuple[str, bool]:
    """Return the text of an HTML document, a line for each of its blocks; whether it is whole."""
    short = _LONG_TAG.sub("", html.replace("\0", "\ufffd"))
    endless = _END_OF_ALL.sub("</no-", short)
    target = _Text()
    parser = etree.HTMLParser(target=target, recover=True, no_network=True)
    try:
        parser.feed(endless[:_MAX_HTML])
        parser.close()
    except etree.LxmlError:
        pass  # what was read before it is shown
    return target.text(), len(endless) <= _MAX_HTML


@dataclass
class _Text:
    """Takes lxml's events."""

    _pieces: list[str] = field(default_factory=list)
    _unshown: int = 0
    _preformatted: int = 0
    _target: str = ""
    _link: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take in the beginning of an element."""
        if tag in _UNSHOWN:
            self._unshown += 1
        elif tag in _LINES:
            self._preformatted += tag == "pre"
            self._pieces.append("\n• " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self._pieces.append("  ")
        elif tag == "img" and (alternative := attributes.get("alt", "").strip()):
            self.data(f"[{alternative}]")
        elif tag == "a":
            self._target = _SPACE.sub(" ", attributes.get("href", "")).strip()
            self._link.clear()

    def end(self, tag: str) -> None:
        """Take in the end of an element."""
        if tag in _UNSHOWN:
            self._unshown = max(0, self._unshown - 1)
        elif tag in _LINES and tag not in ("br", "li"):
            self._preformatted -= tag == "pre"
            self._pieces.append("\n")
        elif tag == "a" and self._target:
            if self._target.removeprefix("mailto:") != "".join(self._link).strip():
                self._pieces.append(f" <{self._target[:_MAX_TARGET]}>")
            self._target = ""

    def data(self, text: str) -> None:
        """Take in text."""
        if self._unshown:
            return
        shown = text if self._preformatted else _SPACE.sub(" ", text)
        self._pieces.append(shown)
        if self._target:
            self._link.append(shown)

    def comment(self, text: str) -> None:
        """Leave out a comment."""

    def close(self) -> None:
        """End the document."""

    def text(self) -> str:
        """Return all lines, at most one empty one between two."""
        lines = [line.strip() for line in "".join(self._pieces).split("\n")]
        kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
        return "\n".join(kept).strip()
