"""How a plan looks: for a person, change by change; for a program, every mailbox."""

import json
from collections.abc import Iterator

from compliance.directory.plan import Action, Change, MailboxPlan

_MARKS = {
    Action.CREATE: "+",
    Action.RENAME: "~",
    Action.MOVE: "~",
    Action.UPDATE: "~",
    Action.SUSPEND: "!",
    Action.CLOSE: "-",
}


def as_text(plan: MailboxPlan) -> Iterator[str]:
    """Give a line for each change, none for what is kept, and a last line that counts."""
    for change in plan.changes:
        if change.action is not Action.KEEP:
            yield _line(change)
    yield summary(plan)


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
    return f"Plan: {listed}; {len(plan.records)} new records in the ledger of addresses."


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
