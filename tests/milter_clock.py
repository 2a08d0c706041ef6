"""The milter's clock, set by a test while the milter runs.

The hosts of a lab share the machine's clock, which is not a test's to set: libfaketime gives the
milter one of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MILTER = "kommunpost-milter.service"
_DROP_IN = f"/run/systemd/system/{_MILTER}.d"
_OFFSET = "/run/kommunpost-milter-clock"


@contextmanager
def milter_clock(on_host: Callable[..., str]) -> Iterator[Callable[[str], None]]:
    """For the length of a block, give a function that sets the clock: +0, -26h, -100d."""

    def mail(command: str) -> None:
        on_host("mail", command)

    def step(offset: str) -> None:
        # libfaketime looks at the file again once a second.
        mail(f"echo '{offset}' > {_OFFSET} && sleep 2")

    mail("apt-get install --yes --quiet libfaketime")
    mail(
        f"echo +0 > {_OFFSET} && mkdir -p {_DROP_IN} && printf '[Service]\\n"
        f"Environment=FAKETIME_TIMESTAMP_FILE={_OFFSET} FAKETIME_CACHE_DURATION=1"
        " FAKETIME_DONT_FAKE_MONOTONIC=1"
        " LD_PRELOAD=/usr/lib/%s-linux-gnu/faketime/libfaketimeMT.so.1\\n' $(uname -m)"
        f" > {_DROP_IN}/clock.conf && systemctl daemon-reload && systemctl restart {_MILTER}"
    )
    try:
        yield step
    finally:
        mail(f"rm -r {_DROP_IN} {_OFFSET}; systemctl daemon-reload && systemctl restart {_MILTER}")
