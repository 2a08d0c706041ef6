"""The letters of reminder."""

from compliance.letters import render
from compliance.post import Letter
from compliance.texts import plain
from compliance.watch.reminders import Reminder


def write(reminder: Reminder, municipality: str) -> Letter:
    """Write the letter that a reminder asks for. municipality: its name, as signature."""
    subject, body = render(
        f"reminder-{reminder.keeper}.txt.j2",
        mailbox=reminder.mailbox,
        to=reminder.to,
        arrived=plain("{day}").fill(day=reminder.arrived).sv,
        age=reminder.age,
        municipality=municipality,
    )
    return Letter(reminder.to.address, subject, body)
