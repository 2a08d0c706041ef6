"""Tell systemd how a service is (sd_notify(3)), without a library for one datagram."""

import os
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Notifier:
    """address: systemd's socket, empty when nobody asked. interval_seconds: between two alives."""

    address: str
    interval_seconds: float

    @classmethod
    def from_environment(cls) -> "Notifier":
        """Read what systemd handed over; half the watchdog's time is the interval."""
        watchdog = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
        return cls(os.environ.get("NOTIFY_SOCKET", ""), watchdog / 2 if watchdog else 60.0)

    def ready(self) -> None:
        """Say that the service is up."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """Say that the service still turns."""
        self._send(b"WATCHDOG=1")

    def _send(self, message: bytes) -> None:
        if not self.address:
            return
        # A leading @ stands for the NUL of an abstract socket.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(message, address)
