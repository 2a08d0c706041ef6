"""The milter, spoken to in bytes as Postfix speaks to it. Postfix itself is met by the stories."""

import errno
import socket
import struct
import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import probe_token
from compliance.errors import UserError
from compliance.messagelog import milter_protocol
from compliance.messagelog.capture import Capture, MustAskError
from compliance.messagelog.milter_server import Server
from compliance.messagelog.milter_session import Conversation
from compliance.messagelog.outbox import OutboxUnavailableError
from compliance.notify import Notifier

OUTSIDER = "<medborgare@omvarlden.example>"
ANNA = "anna.astrom@sjovalla.example"
REGISTRY = "registrator@sjovalla.example"
# What Postfix 3.10 offers: version, actions, events.
OFFER = struct.pack(">III", 6, 0x1FF, 0x1FFFFF)
CONTINUE = [b"c"]
SILENT = Notifier("", 60.0)


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


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def capture():
    return make_capture(Directory())


def make_capture(directory):
    return Capture(
        host="mail.sjovalla.example",
        domain="sjovalla.example",
        probe_key=b"k" * 32,
        directory=directory,
    )


class Session:
    """One connection's conversation, with all that is to be answered answered at once."""

    def __init__(self, capture, outbox):
        self.capture, self.outbox, self.said = capture, outbox, Conversation(capture)

    def answer(self, command, data):
        if command != milter_protocol.END:
            return self.said.take(command, data)
        outcome, errors = self.said.end(data).outcome(self.capture), []
        self.outbox.submit(outcome.entries, errors.append)
        return outcome.unlogged() if errors[0] else outcome.answer


@pytest.fixture
def session(capture, outbox):
    return Session(capture, outbox)


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


def answers(session, stream):
    """The packets that come back, without their lengths."""
    written = b"".join(
        session.answer(command, data)
        for command, data in milter_protocol.Packets().feed(b"".join(stream))
    )
    found = []
    while written:
        length = int.from_bytes(written[:4], "big")
        found.append(written[4 : 4 + length])
        written = written[4 + length :]
    return found


def send(session, headers=(), **more):
    return answers(session, [connect(), *message(headers=headers, **more)])


def test_an_accepted_message_is_logged_with_its_queue_id_and_size(session, outbox):
    assert send(session, [("Subject", "Hej")]) == CONTINUE
    (entry,) = outbox.entries
    assert (entry.queue_id, entry.subject, entry.client_class) == ("q1", "Hej", "public")
    assert entry.size == len(b"Subject: Hej\r\n\r\nhej\r\n")


def test_a_body_in_parts_counts_whole(session, outbox):
    long = b"x" * 65_535
    stream = [*message(body=b"end\r\n")]
    stream[-2:-2] = [packet("B", data=long)] * 3
    assert answers(session, [connect(), *stream]) == CONTINUE
    assert outbox.entries[0].size == 2 + 3 * len(long) + len(b"end\r\n")


def test_mail_of_the_host_itself_has_its_queue_id_from_the_start(session, outbox):
    local = message(sender=ANNA, recipients=[ANNA], is_local=True)
    assert answers(session, [connect("127.0.0.1", name="localhost"), *local]) == CONTINUE
    entry = outbox.entries[0]
    assert (entry.client_class, entry.direction, entry.queue_id) == ("local", "internal", "q1")


@pytest.mark.parametrize(
    ("client", "wanted"),
    [
        (connect("IPv6:2a00:1450::1", "6"), "public"),
        (connect("2a00:1450::1", "6"), "public"),
        (connect("10.1.2.3"), "private"),
        (connect("::1", "6"), "loopback"),
        (packet("C", "unknown", data=b"U"), "local"),
        (packet("C", "localhost", data=b"L\0\0/run/x\0"), "local"),
    ],
)
def test_a_client_is_classed_by_its_address(session, outbox, client, wanted):
    assert answers(session, [client, *message()]) == CONTINUE
    assert outbox.entries[0].client_class == wanted


def test_a_message_of_a_function_mailbox_gets_one_more_recipient(session, outbox):
    asked = send(session, recipients=[f"<{REGISTRY}>", f"<{ANNA}>"])
    day = outbox.entries[0].accepted_at.date()
    assert asked == [f"2<archive+{day}@archive.invalid>\0NOTIFY=NEVER\0".encode(), *CONTINUE]
    assert [entry.recipient for entry in outbox.entries] == [REGISTRY, ANNA]


def test_messages_of_one_connection_do_not_mix(session, outbox):
    send(session, [("Subject", "ett")])
    abandoned = [*message(headers=[("Subject", "aldrig")])][:-2]
    second = message(headers=[("From", "x@omvarlden.example")], queue_id="q2")
    assert answers(session, [*abandoned, packet("A"), *second]) == CONTINUE
    assert [(entry.subject, entry.queue_id) for entry in outbox.entries] == [
        ("ett", "q1"),
        ("", "q2"),
    ]


def test_a_login_does_not_outlive_its_message(session, outbox):
    own = [("From", ANNA)]
    send(session, own, sender=f"<{ANNA}>", login=ANNA)
    answers(session, message(headers=own, queue_id="q2"))
    assert [entry.authenticated_user for entry in outbox.entries] == [ANNA, None]


def test_a_connection_that_goes_to_the_next_client_keeps_nothing(session, outbox):
    abandoned = [*message(headers=[("Subject", "förra")])][:-2]
    answers(session, [connect("127.0.0.1"), *abandoned, packet("K")])
    assert answers(session, [connect("9.9.9.9"), *message()]) == CONTINUE
    assert [(one.subject, one.client_class) for one in outbox.entries] == [("", "public")]


def test_forged_verdicts_go_from_the_last_to_the_first_before_the_true_one_comes(session):
    token = probe_token.sign(
        b"k" * 32,
        run="r",
        sender="medborgare@omvarlden.example",
        recipient=ANNA,
        expires=int(time.time()) + 60,
    )
    forged = ("X-Kommunpost-Probe", "verified")
    assert send(session, [forged, ("X-Kommunpost-Probe-Token", token), forged]) == [
        b"m\0\0\0\x02X-Kommunpost-Probe\0\0",
        b"m\0\0\0\x01X-Kommunpost-Probe\0\0",
        b"hX-Kommunpost-Probe\0verified\0",
        *CONTINUE,
    ]


def test_forging_another_sender_is_refused_and_not_logged(session, outbox):
    forged = [("From", "chef@sjovalla.example")]
    (answer,) = send(session, forged, sender=f"<{ANNA}>", login=ANNA)
    assert answer.startswith(b"y550 5.7.1 ")
    assert b"must be your own address" in answer
    assert answer.endswith(b"\0")
    assert outbox.entries == []


def test_what_cannot_be_logged_is_put_off_and_the_milter_lives(session, outbox):
    outbox.error = OutboxUnavailableError("full")
    (answer,) = send(session)
    assert answer.startswith(b"y451 4.3.0 ")
    outbox.error = None
    assert send(session, queue_id="q2") == CONTINUE


def test_what_cannot_be_handled_is_put_off_and_the_milter_lives(session, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Directory, "unit_of", lambda *_: 1 / 0)
        (answer,) = send(session)
    assert answer.startswith(b"y451 4.3.0 ")
    assert send(session, queue_id="q2") == CONTINUE


def test_an_end_without_a_message_is_put_off(session):
    begun = [*message()]
    (answer,) = answers(session, [connect(), *begun[:2], packet("A"), begun[-1]])
    assert answer.startswith(b"y451 4.3.0 ")


def test_only_the_end_of_a_message_waits_and_only_what_is_read_is_sent(session):
    (answer,) = answers(session, [packet("O", data=OFFER)])
    version, actions, events = struct.unpack_from(">III", answer, 1)
    assert (version, actions) == (6, 0x1 | 0x4 | 0x10 | 0x80 | 0x100)
    no_reply = 0x80 | 0x1000 | 0x4000 | 0x8000 | 0x80000
    assert events == no_reply | 0x2 | 0x40 | 0x100 | 0x200
    assert b"\0\0\0\x02i {auth_authen}\0" in answer
    assert b"\0\0\0\x05i\0" in answer
    # An empty list Postfix takes for its own, of which nothing is read.
    assert all(bytes([0, 0, 0, stage]) + b"{none}\0" in answer for stage in (0, 1, 3, 4, 6))


@pytest.mark.parametrize(
    "offer",
    [
        OFFER[:11],
        struct.pack(">III", 2, 0x1FF, 0x1FFFFF),
        struct.pack(">III", 6, 0x1FF & ~0x80, 0x1FFFFF),
        struct.pack(">III", 6, 0x1FF, 0x1FFFFF & ~0x1000),
    ],
)
def test_a_side_that_offers_too_little_is_told_off(session, offer):
    with pytest.raises(milter_protocol.ProtocolError):
        answers(session, [packet("O", data=offer)])


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\0\0\0\0A",
        b"\xff\xff\xff\xffB",
        packet("Z"),
        packet("L", data=b"Subject\0Hej"),
        packet("M", data=b"<a@b.example>"),
        packet("D", data=b"Mi"),
    ],
)
def test_what_is_no_milter_protocol_ends_the_connection(session, nonsense):
    with pytest.raises(milter_protocol.ProtocolError):
        answers(session, [connect(), *[*message()][:2], nonsense])


@given(st.lists(st.integers(1, 2_000), max_size=60))
def test_however_the_bytes_come_in_pieces_the_same_is_understood(sizes):
    stream = b"".join([connect(), *message(headers=[("Subject", "å" * 500)], body=b"x" * 3000)])
    whole = list(milter_protocol.Packets().feed(stream))
    packets, found = milter_protocol.Packets(), []
    for size in [*sizes, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        found += packets.feed(piece)
    assert found == whole


@given(st.binary(max_size=200), st.sampled_from("ABCDELMORK"))
def test_no_packet_of_any_content_is_an_accident(data, command):
    session = Session(make_capture(Directory()), Outbox())
    try:
        for packet_ in [connect(), *[*message()][:2], packet(command, data=data)]:
            answers(session, [packet_])
    except milter_protocol.ProtocolError:
        pass  # said in so many words; anything else fails the test


class Forgetful(Directory):
    """A directory that has nobody in memory."""

    def unit_of(self, address):
        raise MustAskError

    is_function = addresses_of = unit_of


@contextmanager
def serving(outbox, path, *, at_once=None, directory=None, notifier=SILENT):
    """Serve for the length of a block, by default with a directory that knows all at once."""
    capture = make_capture(directory or Directory())
    made = Server(capture, make_capture(at_once) if at_once else capture, outbox, path, notifier)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made, path, thread
    finally:
        made.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def server(outbox, tmp_path):
    with serving(outbox, tmp_path / "milter.sock") as made:
        yield made


def dial(path):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(10)
    made.connect(str(path))
    return made


def test_postfix_is_served_on_a_socket_of_its_group(server, outbox):
    _, path, _ = server
    assert path.stat().st_mode & 0o777 == 0o660
    with dial(path) as postfix:
        postfix.sendall(packet("O", data=OFFER))
        assert postfix.recv(1000)[4:5] == b"O"
        for number in range(3):
            postfix.sendall(b"".join([connect(), *message(queue_id=str(number))]))
            assert postfix.recv(1000)[4:] == b"c"
        postfix.sendall(packet("Q"))
        assert postfix.recv(1000) == b""
    assert [entry.queue_id for entry in outbox.entries] == ["0", "1", "2"]


def test_nonsense_on_one_connection_leaves_the_others_alone(server, outbox):
    _, path, _ = server
    with dial(path) as good, dial(path) as bad:
        bad.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert bad.recv(1000) == b""
        good.sendall(b"".join([connect(), *message()]))
        assert good.recv(1000)[4:] == b"c"
    assert len(outbox.entries) == 1


def test_a_host_that_is_short_of_files_for_a_moment_loses_no_milter(server, outbox, monkeypatch):
    made, path, _ = server

    class Short:
        """The listening socket while the process has as many files open as it may."""

        def __init__(self, listener, times):
            self._listener, self._left = listener, times

        def accept(self):
            if self._left:
                self._left -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return self._listener.accept()

        def __getattr__(self, name):
            return getattr(self._listener, name)

    monkeypatch.setattr(made, "_listener", Short(made._listener, 2))
    with dial(path) as first, dial(path) as second:
        for number, postfix in enumerate((first, second)):
            postfix.sendall(b"".join([connect(), *message(queue_id=str(number))]))
            assert postfix.recv(1000)[4:] == b"c"
    assert [entry.queue_id for entry in outbox.entries] == ["0", "1"]


def test_a_stop_lets_a_message_that_is_being_logged_have_its_answer(server, outbox, monkeypatch):
    made, path, thread = server
    begun, go_on = threading.Event(), threading.Event()

    def slowly(entries, done):
        def work():
            begun.set()
            go_on.wait(10)
            outbox.entries += entries
            done(None)

        threading.Thread(target=work).start()

    monkeypatch.setattr(outbox, "submit", slowly)
    with dial(path) as busy, dial(path) as idle:
        busy.sendall(b"".join([connect(), *message()]))
        assert begun.wait(10)
        made.stop()
        assert idle.recv(1000) == b""
        go_on.set()
        assert busy.recv(1000)[4:] == b"c"
    thread.join(10)
    assert not thread.is_alive()


def test_while_one_message_waits_for_a_slow_directory_others_go_on(outbox, tmp_path):
    asked, answers_ = threading.Event(), threading.Event()

    class Slow(Directory):
        def unit_of(self, address):
            asked.set()
            answers_.wait(10)
            return super().unit_of(address)

    class Memory(Directory):
        def unit_of(self, address):
            if address == ANNA:
                raise MustAskError

    path = tmp_path / "milter.sock"
    with serving(outbox, path, at_once=Memory(), directory=Slow()), dial(path) as new:
        new.sendall(b"".join([connect(), *message(queue_id="new")]))
        assert asked.wait(10)
        with dial(path) as known:
            known.sendall(b"".join([connect(), *message(recipients=["<bo@x.example>"])]))
            assert known.recv(1000)[4:] == b"c"
        answers_.set()
        assert new.recv(1000)[4:] == b"c"
    assert [(one.queue_id, one.recipient_unit) for one in outbox.entries] == [
        ("q1", None),
        ("new", "bun"),
    ]


def test_a_message_that_the_directory_is_asked_about_is_judged_as_any_other(outbox, tmp_path):
    path = tmp_path / "milter.sock"
    multipart = ("Content-Type", 'multipart/mixed; boundary="b"')
    file = b'--b\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\n%PDF\r\n--b--\r\n'
    with serving(outbox, path, at_once=Forgetful()), dial(path) as postfix:
        for number in range(3):
            postfix.sendall(
                b"".join(
                    [connect(), *message(headers=[multipart], body=file, queue_id=f"q{number}")]
                )
            )
            assert postfix.recv(1000)[4:] == b"c"
    found = [(one.queue_id, one.recipient_unit, one.attachments) for one in outbox.entries]
    assert found == [("q0", "bun", 1), ("q1", "bun", 1), ("q2", "bun", 1)]
    assert {one.size for one in outbox.entries} == {outbox.entries[0].size}


def test_whoever_does_not_wait_for_the_answer_gets_them_in_order(server, outbox, monkeypatch):
    _, path, _ = server
    waiting = []

    def hold(entries, done):
        outbox.entries += entries
        waiting.append(done)

    monkeypatch.setattr(outbox, "submit", hold)
    with dial(path) as postfix:
        begun = b"".join([connect(), *message(queue_id="q1")])
        postfix.sendall(begun + b"".join(message(queue_id="q2")))
        until(lambda: len(waiting) == 1)
        postfix.sendall(b"".join(message(queue_id="q3")) + packet("Q"))
        for number in range(3):
            until(lambda count=number: len(waiting) > count)
            waiting[number](None)
            assert postfix.recv(1000) == b"\0\0\0\1c"
        assert postfix.recv(1000) == b""
    assert [entry.queue_id for entry in outbox.entries] == ["q1", "q2", "q3"]


def test_systemd_is_told_that_it_is_there_and_that_it_still_turns(outbox, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        notifier = Notifier(str(tmp_path / "notify"), 0.01)
        with serving(outbox, tmp_path / "milter.sock", notifier=notifier):
            assert [systemd.recv(100) for _ in range(3)] == [
                b"READY=1",
                b"WATCHDOG=1",
                b"WATCHDOG=1",
            ]


def test_who_hangs_up_before_the_answer_ends_nobody_elses_connection(server, outbox, monkeypatch):
    _, path, _ = server
    waiting = []
    monkeypatch.setattr(outbox, "submit", lambda entries, done: waiting.append(done))
    with dial(path) as other:
        with dial(path) as gone:
            gone.sendall(b"".join([connect(), *message()]))
            until(lambda: waiting)
        other.sendall(b"".join([connect(), *message(queue_id="q2")]))
        until(lambda: len(waiting) == 2)
        for done in waiting:
            done(None)
        assert other.recv(1000)[4:] == b"c"


def until(is_so):
    """Wait for what another thread does."""
    for _ in range(1_000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it does not happen")


def test_a_socket_that_cannot_be_opened_is_told_in_words(capture, tmp_path):
    with pytest.raises(UserError, match=r"no-folder.*the socket cannot be opened"):
        Server(capture, capture, Outbox(), tmp_path / "no-folder" / "milter.sock", SILENT)
