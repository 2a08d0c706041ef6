"""Letters carry a token for their own envelope, and a common fault stops the rest."""

import time
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from compliance.probe_token import TOKEN_HEADER, verify
from compliance.probes import arrival as module
from compliance.probes import letters
from compliance.probes.facts import Probe
from compliance.probes.letters import Sender
from compliance.settings import Submission

KEY = b"k" * 32
TO = [f"p{number}@sjovalla.example" for number in range(5)]


def sender(origin: str) -> Sender:
    address = f"audit@{origin}.example"
    account = Submission(host="127.0.0.1", address=address, login="x", password_file=Path("/none"))
    return Sender(origin, account, "run-1", KEY)


class Quiet:
    def __init__(self) -> None:
        self.total = self.done = 0

    def step(self, key: str, total: int = 0) -> None:
        self.total += total

    def advance(self, count: int = 1) -> None:
        self.done += count


class Watch:
    """Settles each letter as the test says."""

    def __init__(self, fates: dict[str, tuple[str, str]]) -> None:
        self._fates = fates

    def settle(self, probes: list[Probe], settled) -> list[Probe]:
        done = []
        for probe in probes:
            outcome, detail = self._fates.get(probe.recipient, ("arrived", ""))
            done.append(replace(probe, outcome=outcome, detail=detail))
            settled(done[-1])
        return done


@pytest.fixture
def attempt(monkeypatch):
    """Letters that any server takes, from both sides."""

    async def taken(_, probes, told):
        for probe in probes:
            told(probe)
        return probes

    monkeypatch.setattr(module, "send_all", taken)

    def make(**fates: tuple[str, str]):
        by_address = {f"{name}@sjovalla.example": fate for name, fate in fates.items()}
        sides = [sender("internal"), sender("external")]
        return module._Attempt(sides, Watch(by_address), Quiet())

    return make


def test_a_token_holds_for_its_own_envelope_alone():
    side = sender("external")
    letter = message_from_bytes(side.write(side.letter(7, TO[0])))
    assert letter["Message-ID"] == "<run-1.external.7@external.example>"
    assert letter["To"] == TO[0]
    now = time.time()
    held = {"sender": "audit@external.example", "recipient": TO[0], "now": now}
    assert verify(KEY, letter[TOKEN_HEADER], **held) == "run-1"
    assert verify(KEY, letter[TOKEN_HEADER], **{**held, "recipient": TO[1]}) is None
    late = now + letters.TOKEN_LIFE_SECONDS + 60
    assert verify(KEY, letter[TOKEN_HEADER], **{**held, "now": late}) is None


def test_everybody_is_tried_from_both_sides(attempt):
    made = attempt()
    probes, stopped = made.try_all(TO)
    assert stopped is None
    assert sorted((p.origin, p.recipient) for p in probes) == sorted(
        (side, address) for side in ("internal", "external") for address in TO
    )
    assert len({p.message_id for p in probes}) == len(probes)
    assert made._progress.done == made._progress.total == 4 * len(TO)


def test_a_fault_that_all_the_first_meet_stops_the_rest(attempt):
    fault = ("delayed", "451 4.7.1 <{}>: try again later")
    probes, stopped = attempt(p0=fault, p1=fault, p2=fault).try_all(TO)
    assert stopped == fault[1]
    assert [p.outcome for p in probes].count("delayed") == 6
    assert [p.outcome for p in probes].count("not_sent") == 4


def test_one_who_is_reached_among_the_first_lets_the_rest_be_tried(attempt):
    fault = ("missing", "")
    probes, stopped = attempt(p0=fault, p1=fault).try_all(TO)
    assert stopped is None
    assert [p.outcome for p in probes].count("arrived") == 6


def test_a_municipality_of_one_is_tried(attempt):
    probes, stopped = attempt(p0=("missing", "")).try_all(TO[:1])
    assert len(probes) == 2
    assert stopped == "missing"
