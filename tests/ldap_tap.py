"""A tap in front of slapd: counts the writes that pass, and asks before each."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# addRequest, modifyRequest, delRequest (RFC 4511 4.6 to 4.8): [APPLICATION 8], 6 and 10.
WRITES = {0x68, 0x66, 0x4A}


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Read a BER length (X.690 8.1.3): its value, and where what it measures begins."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    return int.from_bytes(data[at + 1 : end], "big"), end


class Tap:
    """Passes LDAP on from one socket to another, message by message.

    writes: how many writes came. on_write: asked with that number before a write is passed on, and
    says whether it is to be.
    """

    def __init__(self, path: Path, target: Path, on_write: Callable[[int], bool]) -> None:
        self.writes = 0
        self._target, self._on_write = target, on_write
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._target))
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        stream = client.makefile("rb")
        with client, server, suppress(OSError):
            while message := self._message(stream):
                if self._operation(message) in WRITES:
                    self.writes += 1
                    if not self._on_write(self.writes):
                        break
                server.sendall(message)
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)

    @staticmethod
    def _message(stream: BinaryIO) -> bytes:
        """Read one LDAPMessage (RFC 4511 4.1.1), a SEQUENCE."""
        start = stream.read(2)
        if len(start) < 2:
            return b""
        if start[1] >= 0x80:
            start += stream.read(start[1] & 0x7F)
        return start + stream.read(_length(start, 1)[0])

    @staticmethod
    def _operation(message: bytes) -> int:
        """Give the tag of what is asked, behind the message's number."""
        _, at = _length(message, 1)
        size, at = _length(message, at + 1)
        return message[at + size]
