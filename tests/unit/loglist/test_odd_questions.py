"""However odd a question is, the answer is a page: found, not found, or told what is wrong."""

import random
import re

import pytest

from .desk import choose, register

ODD = (
    "", "0", "-1", "1", "9" * 20, "1e400", "NaN", "\x00", "å\x00ä", "\u202e", "é" * 300, "a" * 5000,
    "2026-02-30", "0000-01-01", "9999-12-31", "10000-01-01", "2026-W01", "٢٠٢٦-١١-٢٤", "𝟚𝟘𝟚𝟞",
    "'; --", "%", "%%", "_", "\\", "*", ":*", "(", "a & b", "<script>", "[]", "{}", "..", "/", "@",
    "in", "next", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
ENTRY = "/units/ks/00000000-0000-0000-0000-000000000000/1"
# A name in braces stands for a request of the desk.
ASKED = (
    "/units/ks/", "/units/ks/export.csv", "/units/ks/review/", "/units/ks/doubts/",
    "/units/ks/periods/", "/units/ks/diary/", "/units/ks/overview/", "/units/ks/absences/",
    "/units/ks/disclosures/", "{request}select", "{request}rows", "{request}preview", "/overview/",
    "/trail/", "/trail/ks/", "/questions/", "/login", "/login/single-sign-on/back", ENTRY,
)  # fmt: skip
SENT = (
    "{request}select", "{request}rows", "{request}hand-out", "{request}end", "{request}appeal",
    "/units/ks/disclosures/new", "/units/ks/review/", "/units/ks/diary/", "/units/ks/diary/take",
    "/units/ks/periods/", "/questions/1", "/login/code", "/second-step", "/password", "/language",
    f"{ENTRY}/decide", f"{ENTRY}/absence",
)  # fmt: skip
COUNT = {"get": 40, "post": 25}
# What no form shows, or only at some time.
MORE = {"after", "page", "is", "digest", "item", "outcome", "number", "take", "code", "next"}


@pytest.fixture
def asks(visit, monkeypatch):
    """A registrar's browser that sees what is answered with 500, and a request of the desk."""
    from compliance.loglist.desk import rows

    monkeypatch.setattr(rows, "_protected_addresses", frozenset)
    browser = visit("chef")
    browser.raise_request_exception = False
    return browser, choose(browser, register(browser, "ks"))


def names_on(browser, path):
    """Return the names of a page's fields and of what its links ask for, and some more."""
    answer = browser.get(path)
    text = "" if answer.streaming else answer.content.decode()
    fields, asked = re.findall(r' name="([\w-]+)"', text), re.findall(r"[?&;](\w+)=", text)
    return sorted({*fields, *asked, *MORE})


def questions(browser, path, count):
    """Yield odd questions, the same at each run: one field alone, and several together."""
    chance = random.Random(count)
    names = names_on(browser, path)
    for size in chance.choices((1, 2, 6), k=count):
        yield {name: chance.choice(ODD) for name in chance.sample(names, size)}


@pytest.mark.parametrize(
    ("method", "path"),
    [*(("get", path) for path in ASKED), *(("post", path) for path in SENT)],
)
def test_no_question_and_no_form_breaks_a_page(asks, method, path):
    browser, request = asks
    path = path.format(request=request)
    for question in questions(browser, path, COUNT[method]):
        assert getattr(browser, method)(path, question).status_code < 500, question
