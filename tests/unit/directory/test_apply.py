"""A plan is written in an order in which a crash at any point does no harm."""

from dataclasses import replace
from typing import Any

import pytest
from ldap3.core.exceptions import LDAPEntryAlreadyExistsResult

from compliance.directory.apply import writes_of
from compliance.directory.plan import MailboxPlan, make_plan
from compliance.directory.tree import Held
from compliance.errors import UserError

from .conftest import ANSWER_DAYS, BASE, DOMAIN, TODAY


class Recorder:
    """Stands where a bound connection stands, and notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.taken: set[str] = set()

    def add(self, dn: str, classes: Any, attributes: dict[str, list[str]]) -> None:
        if dn in self.taken:
            raise LDAPEntryAlreadyExistsResult
        self.asked.append(("add", dn))

    def modify(self, dn: str, changes: dict[str, Any]) -> None:
        self.asked.append(("modify", dn))

    def delete(self, dn: str) -> None:
        self.asked.append(("delete", dn))


def _carry_out(recorder: Recorder, plan: MailboxPlan) -> None:
    for write in writes_of(recorder, BASE, plan):
        write()


def _write(plan: MailboxPlan) -> list[tuple[str, str]]:
    recorder = Recorder()
    _carry_out(recorder, plan)
    return recorder.asked


def test_every_address_is_in_the_ledger_before_any_mailbox_has_it(organisation):
    asked = _write(make_plan(organisation, DOMAIN, BASE, Held(), TODAY, ANSWER_DAYS))
    is_record = [dn.endswith(f",ou=addresses,{BASE}") for _, dn in asked]
    assert is_record == sorted(is_record, reverse=True)
    assert any(is_record)
    assert not all(is_record)


def test_an_apply_that_was_cut_off_anywhere_is_made_up_for_by_the_next(organisation, settle):
    """Each prefix of the writes is a directory that a crash may leave behind."""
    whole, end = settle(organisation)
    records = list(whole.records.items())
    changes = [*whole.changes, *whole.groups]
    for done in range(len(records) + len(changes)):
        left = [change.mailbox for change in changes[: max(0, done - len(records))]]
        groups = {entry.rdn.lower(): entry for entry in left if "member" in entry.attributes}
        entries = {entry.rdn.lower(): entry for entry in left if "member" not in entry.attributes}
        held = Held(entries, dict(records[:done]), groups)
        assert settle(organisation, held)[1] == end


def test_only_what_changes_is_written(organisation, settle):
    _, held = settle(organisation)
    people = (replace(organisation.people[0], unit="ks"), *organisation.people[1:])
    changed = replace(organisation, people=people, pcs=organisation.pcs[1:])
    assert _write(make_plan(changed, DOMAIN, BASE, held, TODAY, ANSWER_DAYS)) == [
        ("modify", f"uid=1,ou=people,{BASE}"),
        ("delete", f"cn=PC1,ou=devices,{BASE}"),
    ]


def test_a_group_is_written_after_the_mailbox_and_removed_with_its_last_member(
    organisation, settle
):
    whole, held = settle(organisation)
    first = next(n for n, (_, dn) in enumerate(_write(whole)) if ",ou=groups," in dn)
    assert all(",ou=groups," in dn for _, dn in _write(whole)[first:])
    vacant = replace(organisation.positions[0], holders=())
    plan, _ = settle(replace(organisation, positions=(vacant,)), held)
    assert _write(plan) == [
        ("modify", f"cn=kommunalrad,ou=positions,{BASE}"),
        ("delete", f"cn=position.kommunalrad.writer,ou=groups,{BASE}"),
        ("delete", f"cn=position.kommunalrad.sender,ou=groups,{BASE}"),
    ]


def test_an_address_that_another_run_took_meanwhile_stops_this_one(organisation):
    recorder = Recorder()
    recorder.taken.add(f"kommunpostAddress=bo.ek@{DOMAIN},ou=addresses,{BASE}")
    plan = make_plan(organisation, DOMAIN, BASE, Held(), TODAY, ANSWER_DAYS)
    with pytest.raises(UserError, match="somebody else took"):
        _carry_out(recorder, plan)
    assert all("ou=people" not in dn for _, dn in recorder.asked)
