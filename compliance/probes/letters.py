"""Probe letters: what is sent, and how it is submitted."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib

from compliance.probe_token import TOKEN_HEADER, sign
from compliance.probes.facts import Origin, Outcome, Probe
from compliance.settings import Submission, read_secret

# Long enough for a letter that a provider holds back to be filed as a probe when it comes; the
# milter takes no token that lives longer than a day.
TOKEN_LIFE_SECONDS = 23 * 3600
# Letters per provider under way at once.
_CONNECTIONS = 4
_TIMEOUT = 60
_TLS_FROM_START = 465
# The token's header is longer than 78 characters and must not be folded; RFC 5322 2.1.1 allows 998.
_POLICY = SMTP.clone(max_line_length=998)


@dataclass(frozen=True)
class Sender:
    """One side that letters come from: the account, the run's id and the key for tokens."""

    origin: Origin
    account: Submission
    run: str
    key: bytes

    def letter(self, number: int, recipient: str) -> Probe:
        """Name the letter to one recipient, before it is sent."""
        domain = self.account.address.rpartition("@")[2]
        message_id = f"<{self.run}.{self.origin}.{number}@{domain}>"
        return Probe(self.origin, recipient, message_id, "missing")

    def write(self, probe: Probe) -> bytes:
        """Write the letter; its token holds for this envelope alone."""
        now = datetime.now(UTC)
        message = EmailMessage(policy=_POLICY)
        message["From"] = self.account.address
        message["To"] = probe.recipient
        message["Date"] = format_datetime(now)
        message["Message-ID"] = probe.message_id
        message["Subject"] = f"Kommunpost: prov av e-posten {self.run}"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers by machine
        message[TOKEN_HEADER] = sign(
            self.key,
            run=self.run,
            sender=self.account.address,
            recipient=probe.recipient,
            expires=int(time.time()) + TOKEN_LIFE_SECONDS,
        )
        message.set_content(
            "Detta brev prövar att adressen nås. Det kan tas bort.\n"
            "This letter tries whether the address is reached. It may be deleted.\n"
        )
        return message.as_bytes()


async def send_all(
    sender: Sender, probes: list[Probe], told: Callable[[Probe], None]
) -> list[Probe]:
    """Submit the letters over a few connections; `told` is called for each as it is done.

    Returns the probes in the order given, each still `missing`, or with what the server answered.
    """
    waiting = asyncio.Queue[int]()
    for index in range(len(probes)):
        waiting.put_nowait(index)
    done = list(probes)
    count = min(_CONNECTIONS, len(probes))
    await asyncio.gather(*(_work(sender, waiting, done, told) for _ in range(count)))
    return done


async def _work(
    sender: Sender, waiting: asyncio.Queue[int], done: list[Probe], told: Callable[[Probe], None]
) -> None:
    """Take letters from the queue until it is empty, on one connection as long as it holds."""
    client: aiosmtplib.SMTP | None = None
    while not waiting.empty():
        index = waiting.get_nowait()
        probe = replace(done[index], sent_at=datetime.now(UTC))
        try:
            client = client or await _connect(sender.account)
            await client.sendmail(sender.account.address, [probe.recipient], sender.write(probe))
        except aiosmtplib.SMTPRecipientsRefused as error:
            probe = _answered(probe, error.recipients[0].code, error.recipients[0].message)
        except aiosmtplib.SMTPAuthenticationError as error:
            # 4xx is the server's own trouble; 5xx says that our password is wrong, no more.
            probe = _answered(probe, error.code, error.message)
            probe = replace(probe, outcome="not_sent") if probe.outcome == "refused" else probe
            client = None
        except aiosmtplib.SMTPResponseException as error:
            probe = _answered(probe, error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            told_error = str(error) or type(error).__name__
            probe = replace(
                probe, outcome="not_sent", detail=f"{sender.account.host}: {told_error}"
            )
            client = None
        done[index] = probe
        told(probe)
    if client is not None and client.is_connected:
        await client.quit()


async def _connect(account: Submission) -> aiosmtplib.SMTP:
    context = ssl.create_default_context(cafile=account.ca_file)
    implicit = account.port == _TLS_FROM_START
    client = aiosmtplib.SMTP(
        hostname=account.host,
        port=account.port,
        use_tls=implicit,
        start_tls=not implicit,
        tls_context=context,
        timeout=_TIMEOUT,
    )
    await client.connect()
    await client.login(account.login, read_secret(account.password_file))
    return client


def _answered(probe: Probe, code: int, message: str) -> Probe:
    """Keep what a server answered: 5xx is a refusal for good, all else for now."""
    outcome: Outcome = "refused" if 500 <= code <= 599 else "delayed"
    return replace(probe, outcome=outcome, detail=_line(code, message))


def _line(code: int, message: str) -> str:
    return f"{code} {' '.join(message.split())}"
