"""What the disclosure desk's tests share: requests, and rows to choose for them."""

import json
import re
import uuid

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.messagelog.entry import first_chain, link, to_json

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = (KEY.public_key().public_bytes_raw(),)
HOST = "mail.sjovalla.example"


def add_mail(installation, entry, unit, *mails):
    """Put mail to a unit into the log; each is what is changed of an entry."""
    outbox = uuid.uuid4()
    chain, records = first_chain(outbox), []
    for number, changes in enumerate(mails, 1):
        record = link(
            chain, number, entry(**{"recipient_unit": unit, **changes}), uuid.uuid4().bytes * 2
        )
        chain = record.chain
        records.append(to_json(record))
    with psycopg.connect(installation("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [outbox, HOST, json.dumps(records)])
    return outbox


def register(browser, unit="ks", **changes):
    """Register a request; return its page's address."""
    asked = {"asked_for": "E-post den 24 november", "received_on": "2026-11-25"}
    answer = browser.post(f"/units/{unit}/disclosures/new", {**asked, **changes})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def choose(browser, request, query=""):
    """Choose the rows that a filter finds."""
    answer = browser.post(f"{request}select?{query}")
    assert answer.status_code == 302, answer.content.decode()
    return request


def fields_of(browser, request, page=1):
    """Return the names of the masking page's inputs, row by row, and what stands in them."""
    text = browser.get(f"{request}rows?page={page}").content.decode()
    return dict(re.findall(r'name="((?:sender|recipient|subject)-\d+)"\s+value="([^"]*)"', text))


def mask(browser, request, column, section, *, row=0):
    """Mask one cell of the first page."""
    fields = fields_of(browser, request)
    name = [field for field in fields if field.startswith(column)][row]
    answer = browser.post(f"{request}rows", {**fields, name: section})
    assert answer.status_code == 302, answer.content.decode()
