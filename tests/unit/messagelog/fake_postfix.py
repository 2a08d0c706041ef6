"""Postfix as the milter meets it: its packets, and what stands behind the milter, in memory."""

import struct

from compliance.messagelog.capture import Capture

OUTSIDER = "<medborgare@omvarlden.example>"
ANNA = "anna.astrom@sjovalla.example"
REGISTRY = "registrator@sjovalla.example"
# What Postfix 3.10 offers: version, actions, events.
OFFER = struct.pack(">III", 6, 0x1FF, 0x1FFFFF)


class Directory:
    def unit_of(self, address):
        return "bun" if address == ANNA else None

    def is_function(self, address):
        return address == REGISTRY

    def addresses_of(self, login, sender):
        return frozenset({login})


class Outbox:
    def __init__(self):
        self.entries, self.error = [], None

    def submit(self, entries, done):
        if self.error is None:
            self.entries += entries
        done(self.error)


def make_capture(directory):
    return Capture(
        host="mail.sjovalla.example",
        domain="sjovalla.example",
        probe_key=b"k" * 32,
        directory=directory,
    )


def packet(command, *strings, data=b""):
    """A packet as Postfix makes it: strings end with a NUL, data stands as it is."""
    content = b"".join(
        (part.encode() if isinstance(part, str) else part) + b"\0" for part in strings
    )
    content += data
    return struct.pack(">I", len(content) + 1) + command.encode() + content


def macros(command, *pairs):
    if not pairs:  # then Postfix sends none
        return b""
    content = command.encode() + b"".join(word.encode() + b"\0" for word in pairs)
    return packet("D", data=content)


def connect(address="9.9.9.9", family="4", name="client.example"):
    return packet("C", name, data=family.encode() + b"\x04\xd2" + address.encode() + b"\0")


def message(
    *,
    sender=OUTSIDER,
    recipients=(f"<{ANNA}>",),
    headers=(),
    body=b"hej\r\n",
    queue_id="q1",
    login="",
    is_local=False,
):
    """The packets of one message; over SMTP its queue id comes after MAIL only."""
    early = ("i", queue_id) if is_local else ()
    yield macros("M", *early, *(("{auth_authen}", login) if login else ()))
    yield packet("M", sender, "SIZE=100")
    for recipient in recipients:
        yield packet("R", recipient)
    for name, value in headers:
        yield packet("L", name, value)
    yield macros("E", "i", queue_id)
    yield packet("E", data=body)
