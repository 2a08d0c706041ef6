"""The milter's connections: who waits for whom. What is said over one: test_milter.py."""

import errno
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from fake_postfix import ANNA, OFFER, Directory, Outbox, connect, make_capture, message, packet

from compliance.errors import UserError
from compliance.messagelog.capture import MustAskError
from compliance.messagelog.milter_server import Server
from compliance.notify import Notifier

SILENT = Notifier("", 60.0)


@pytest.fixture
def outbox():
    return Outbox()


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


def test_a_socket_that_cannot_be_opened_is_told_in_words(tmp_path):
    capture = make_capture(Directory())
    with pytest.raises(UserError, match=r"no-folder.*the socket cannot be opened"):
        Server(capture, capture, Outbox(), tmp_path / "no-folder" / "milter.sock", SILENT)
