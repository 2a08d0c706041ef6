"""What the message log's tests share: entries of a fictional municipality."""

from datetime import UTC, datetime

import pytest

from compliance.messagelog.entry import LogEntry


def make_entry(**changes):
    fields = {
        "accepted_at": datetime(2026, 11, 24, 9, 5, 0, 120, tzinfo=UTC),
        "host": "mail.sjovalla.example",
        "direction": "in",
        "envelope_sender": "medborgare@omvarlden.example",
        "recipient": "registrator@sjovalla.example",
        "from_address": "medborgare@omvarlden.example",
        "from_text": "Åke Medborgare <medborgare@omvarlden.example>",
        "subject": "Bygglov för altan",
        "subject_raw": b"=?utf-8?q?Bygglov_f=C3=B6r_altan?=",
        "message_id": "<1@omvarlden.example>",
        "queue_id": "4ZrX2b0Yk1z1",
        "size": 1234,
        "sender_unit": None,
        "recipient_unit": "ks",
        "label": None,
        "authenticated_user": None,
        "client_class": "public",
    }
    return LogEntry(**(fields | changes))


@pytest.fixture
def entry():
    return make_entry
