"""Who may use a mailbox that is not their own follows the organisation, and ends with service."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.directory.groups import groups_of
from compliance.directory.model import Organisation, Right, Status
from compliance.directory.show import as_text
from compliance.directory.tree import Held
from compliance.errors import UserError

from .conftest import BASE, ORGANISATION, TODAY

MORE = ORGANISATION.replace(
    'deputy: "2"\n  - id: ksk',
    'deputy: "2"\n    readers: ["3", "1"]\n    senders: ["3"]\n  - id: ksk',
).replace('holders: ["3"]', 'holders: ["3"]\n    writers: ["2"]')


def _members(organisation: Organisation) -> Mapping[tuple[str, Right], tuple[str, ...]]:
    return {(group.holder, group.right): group.members for group in groups_of(organisation)}


def _with_status(organisation: Organisation, number: str, **changes: object) -> Organisation:
    people = tuple(
        replace(one, **changes) if one.id == number else one  # type: ignore[arg-type]
        for one in organisation.people
    )
    return replace(organisation, people=people)


def test_who_keeps_a_mailbox_read_writes_in_it_and_sends_as_it(organisation):
    assert _members(organisation) == {
        ("unit:ks", Right.WRITER): ("1", "2"),
        ("unit:ks", Right.SENDER): ("1", "2"),
        ("unit:ks", Right.REVIEWER): ("1", "2"),
        ("unit:ksk", Right.WRITER): ("1", "2"),
        ("unit:ksk", Right.SENDER): ("1", "2"),
        ("unit:ksk", Right.REVIEWER): ("1", "2"),
        ("position:kommunalrad", Right.WRITER): ("3",),
        ("position:kommunalrad", Right.SENDER): ("3",),
    }


def test_organisation_yml_lets_others_in_by_right(files):
    files.write(organisation=MORE)
    members = _members(files.read())
    assert members["unit:ks", Right.READER] == ("3",), "a writer reads already"
    assert members["unit:ks", Right.WRITER] == ("1", "2")
    assert members["unit:ks", Right.SENDER] == ("1", "2", "3")
    assert members["position:kommunalrad", Right.WRITER] == ("3", "2")
    assert members["position:kommunalrad", Right.SENDER] == ("3",)


def test_named_reviewers_review_instead_of_those_who_keep_the_mailbox(files):
    files.write(organisation=MORE.replace("senders: [", 'reviewers: ["3"]\n    senders: ['))
    members = _members(files.read())
    assert members["unit:ks", Right.REVIEWER] == ("3",)
    assert members["unit:ksk", Right.REVIEWER] == ("1", "2")


@pytest.mark.parametrize(
    ("organisation", "told"),
    [
        (MORE.replace('"3", "1"', '"9"'), "reader: there is no person 9"),
        (MORE.replace('writers: ["2"]', "writers: [8]"), "writer: there is no person 8"),
        (MORE.replace('readers: ["3", "1"]', 'readers: "3"'), "readers: must be a list"),
        (MORE.replace('"3", "1"', '"a b"'), "readers: 'a b' is no id"),
        (MORE.replace("    writers", "    reviewers"), "'reviewers' is not a known key"),
        (MORE.replace("readers:", "läsare:"), "'läsare' is not a known key"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_file_and_line(files, organisation, told):
    files.write(organisation=organisation)
    with pytest.raises(UserError, match=told) as caught:
        files.read()
    line = next(
        number
        for number, (before, after) in enumerate(
            zip(MORE.splitlines(), organisation.splitlines(), strict=True), 1
        )
        if before != after
    )
    start = {"there is no person": _item_start(organisation, line)}
    expected = next((at for words, at in start.items() if words in told), line)
    assert caught.value.problems[0].where == f"{files.folder}/organisation.yml:{expected}"


def _item_start(text: str, line: int) -> int:
    """Give the line where the unit or position of a line begins."""
    lines = text.splitlines()
    return next(n for n in range(line, 0, -1) if lines[n - 1].startswith("  - "))


def test_whoever_is_suspended_or_has_left_is_in_no_group(files, settle):
    files.write(organisation=MORE)
    whole = files.read()
    assert "2" not in str(_members(_with_status(whole, "2", status=Status.SUSPENDED)).values())
    _, held = settle(whole)
    plan, held = settle(_with_status(whole, "3", ends=TODAY - timedelta(days=1)), held)
    assert f"uid=3,ou=people,{BASE}" not in str(held.groups)
    assert {(str(notice.conflict), notice.subject) for notice in plan.notices} >= {
        ("access-left", "unit ks: reader 3"),
        ("access-left", "unit ks: sender 3"),
        ("holder-left", "position kommunalrad: holder 3"),
    }


def test_the_deputy_of_somebody_on_leave_writes_in_the_mailbox_until_the_leave_ends(
    organisation, settle
):
    away = _with_status(organisation, "3", status=Status.ON_LEAVE, deputy="2")
    assert _members(away)["person:3", Right.WRITER] == ("2",)
    assert ("person:3", Right.SENDER) not in _members(away)
    _, held = settle(away)
    assert held.groups["cn=person.3.writer,ou=groups"].attributes == {
        "cn": ("person.3.writer",),
        "member": (f"uid=2,ou=people,{BASE}",),
        "kommunpostHolder": ("person:3",),
        "kommunpostRight": ("writer",),
    }
    _, held = settle(_with_status(organisation, "3", deputy="2"), held)
    assert "cn=person.3.writer,ou=groups" not in held.groups


def test_a_plan_tells_in_one_line_who_comes_to_a_mailbox_and_who_goes(files, settle):
    plan, held = settle(files.read())
    assert not any("access  " in line for line in as_text(plan)), "new mailboxes tell it all"
    files.write(organisation=MORE.replace('watcher: "1"', 'watcher: "3"', 1))
    plan, held = settle(files.read(), held)
    told = [line for line in as_text(plan) if "access" in line]
    assert told == [
        "~ access  kommunstyrelsen@sjovalla.example  (unit:ks)  "
        "reader +1, writer +3 -1, sender +3 -1, reviewer +3 -1",
        "~ access  kommunalrad@sjovalla.example  (position:kommunalrad)  writer +2",
        told[-1],
    ]
    assert told[-1].endswith("access to 2 mailboxes changes.")
    again, _ = settle(files.read(), held)
    assert again.is_empty


def test_a_group_that_a_hand_has_changed_is_mended(organisation, settle):
    _, held = settle(organisation)
    key = "cn=unit.ks.writer,ou=groups"
    more = {**held.groups[key].attributes, "member": (f"uid=3,ou=people,{BASE}",)}
    groups = {**held.groups, key: replace(held.groups[key], attributes=more)}
    foreign = replace(held.groups[key], rdn="cn=alla,ou=groups")
    groups["cn=alla,ou=groups"] = foreign
    plan, after = settle(organisation, Held(held.entries, held.ledger, groups))
    assert not plan.is_empty
    assert after.groups == held.groups
