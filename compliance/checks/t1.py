"""T1: every host with data has a fresh copy, and a restore of one was tried with success."""

from datetime import timedelta

from compliance.checks.model import Check, Finding, Result, Status, gap, load_control
from compliance.checks.reach import COMMON
from compliance.probes.facts import BackupFacts, Facts
from compliance.texts import Text, clock, day, plain

CONTROL = load_control(__file__)

# A night's copy may begin an hour later than the last and take its time; a week's trial likewise.
FRESH = timedelta(hours=26)
TRIED = timedelta(days=8)


def judge(facts: Facts) -> Result:
    """Judge each host; one that did not tell is unknown."""
    hosts = facts.backups or ()
    if not hosts:
        finding = Finding(facts.domain, COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)
        return Result(CONTROL, 0, 0, (finding,), CONTROL.message("summary.unknown"))
    told = [host for host in hosts if host.seen.error is None]
    findings = [
        gap(host.name, CONTROL.messages["no_answer"], host.seen.error)
        for host in hosts
        if host.seen.error is not None
    ]
    bad = [found for host in told if (found := _host(host))]
    findings += [Finding(name, text) for name, text in bad]
    key = "fail" if bad else "unknown" if len(told) < len(hosts) else "pass"
    return Result(
        CONTROL,
        len(hosts),
        len(told),
        tuple(findings),
        CONTROL.message(f"summary.{key}", count=len(hosts), bad=len(bad)),
        tuple(_evidence(host) for host in told if host.copied and host.tried),
    )


def _host(host: BackupFacts) -> tuple[str, Text] | None:
    """Say what is wrong with a host's copies, the worst first."""
    if not host.set_up:
        text = CONTROL.message("not_set_up")
    elif host.copied is None:
        text = CONTROL.message("no_copy")
    elif host.seen.at - host.copied > FRESH:
        text = CONTROL.message("old", day=day(host.copied), time=clock(host.copied))
    elif host.tried is None:
        text = CONTROL.message("untried")
    elif host.trial_error is not None:
        text = CONTROL.message("failed", day=day(host.tried), error=plain(host.trial_error))
    elif host.seen.at - host.tried > TRIED:
        text = CONTROL.message("tried_long_ago", day=day(host.tried))
    else:
        return None
    return host.name, text


def _evidence(host: BackupFacts) -> Text:
    copied, tried = host.copied or host.seen.at, host.tried or host.seen.at
    return CONTROL.message(
        "evidence", host=host.name, day=day(copied), time=clock(copied), tried=day(tried)
    )


CHECK = Check(CONTROL, frozenset({"backups"}), judge)
