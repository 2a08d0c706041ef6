"""How a plan looks: for a person, change by change; for a program, every mailbox."""

import json
from collections.abc import Iterable, Iterator

from compliance.directory.model import Conflict, Notice
from compliance.directory.plan import Action, Change, MailboxPlan
from compliance.texts import counted

_MARKS = {
    Action.CREATE: "+",
    Action.RENAME: "~",
    Action.MOVE: "~",
    Action.UPDATE: "~",
    Action.SUSPEND: "!",
    Action.CLOSE: "-",
}

# What a conflict means, and what to do about it.
_CONFLICTS = {
    Conflict.OWNER_LEFT: (
        "the owner has left",
        "name a new owner in the list of PCs, or remove the PC there",
    ),
    Conflict.OWNER_UNKNOWN: (
        "the owner is nobody that we know",
        "mend the id in the list of PCs, or add the person",
    ),
    Conflict.PC_WITHOUT_OWNER: (
        "nobody owns the PC",
        "name the owner in the list of PCs; if several share it, leave it so",
    ),
    Conflict.WATCH_LEFT: (
        "who is to keep the mailbox read has left",
        "name somebody else in organisation.yml",
    ),
    Conflict.HOLDER_LEFT: (
        "the holder has left",
        "name the new holder in organisation.yml, or nobody while the post is vacant",
    ),
    Conflict.ACCESS_LEFT: (
        "who may use the mailbox has left",
        "take the id away in organisation.yml",
    ),
    Conflict.LEAVE_WITHOUT_DEPUTY: (
        "on leave, and nobody in service sees the mailbox",
        "name the deputy in the list of people",
    ),
    Conflict.NOT_IN_ACCOUNTS: (
        "in the list of people, but without an account that has the id",
        "make an account, or write the id in the account that there is",
    ),
    Conflict.NOT_IN_HR: (
        "an account with an id that the list of people does not have; it gets no mailbox",
        "close the account if its holder has left, else mend the id",
    ),
    Conflict.ACCOUNT_WITHOUT_ID: (
        "an account without an id; it gets no mailbox",
        "write the id in the account, or leave such accounts out by people_filter",
    ),
}


def as_text(plan: MailboxPlan) -> Iterator[str]:
    """Give a line for each change, none for what is kept, the notices, and a line that counts."""
    for change in plan.changes:
        if change.action is not Action.KEEP:
            yield _line(change)
    yield from _access(plan)
    yield from notices(plan.notices)
    yield summary(plan)


def _access(plan: MailboxPlan) -> Iterator[str]:
    """Give one line for each mailbox that other people come to or go from.

    Of a mailbox that comes or closes itself it goes without saying.
    """
    mailboxes = {change.mailbox.holder: change for change in plan.mailboxes}
    for holder, rights in _changed_groups(plan).items():
        change = mailboxes.get(holder)
        if change and change.action not in {Action.CREATE, Action.CLOSE}:
            yield f"~ access  {change.mailbox.address}  ({holder})  {', '.join(rights)}"


def _changed_groups(plan: MailboxPlan) -> dict[str, list[str]]:
    """Give what happens to each right, by the holder of the mailbox."""
    found: dict[str, list[str]] = {}
    for change in plan.groups:
        if change.action is not Action.KEEP:
            right = f"{change.mailbox.first('kommunpostRight')} {change.reason}"
            found.setdefault(change.mailbox.holder, []).append(right)
    return found


def notices(found: Iterable[Notice]) -> Iterator[str]:
    """Give one line for each kind of conflict with everything that it is about, and one remedy."""
    subjects: dict[Conflict, list[str]] = {}
    for notice in found:
        subjects.setdefault(notice.conflict, []).append(notice.subject)
    for conflict, about in subjects.items():
        what, remedy = _CONFLICTS[conflict]
        yield f"? {conflict} ({len(about)}): {what}: {'; '.join(about)}"
        yield f"  What to do: {remedy}"


def _line(change: Change) -> str:
    entry = change.mailbox
    who = entry.address or entry.name
    holder = entry.holder or entry.kind
    return f"{_MARKS[change.action]} {change.action:<8}{who}  ({holder})  {change.reason}"


def summary(plan: MailboxPlan) -> str:
    """Count the changes, those of PCs included, in one line."""
    if plan.is_empty:
        return f"Nothing to change: {len(plan.mailboxes)} mailboxes are as the sources say."
    counts = plan.counts()
    listed = ", ".join(f"{counts[action]} to {action}" for action in Action if counts[action])
    records = counted(len(plan.records), "new record")
    mailboxes = counted(len(_changed_groups(plan)), "mailbox", "mailboxes")
    return f"Plan: {listed}; {records} in the ledger of addresses; access to {mailboxes} changes."


def as_json(plan: MailboxPlan) -> str:
    """Give a JSON list of every mailbox, those kept included."""
    return json.dumps(
        [
            {
                "address": change.mailbox.address,
                "kind": change.mailbox.kind,
                "holder": change.mailbox.holder,
                "name": change.mailbox.name,
                "unit": change.mailbox.first("kommunpostUnit"),
                "status": change.mailbox.first("kommunpostStatus"),
                "action": change.action,
                "reason": change.reason,
            }
            for change in plan.mailboxes
        ],
        ensure_ascii=False,
        indent=1,
    )
