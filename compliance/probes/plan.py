"""The difference between the municipality's own lists and LDAP, by the directory room's plan."""

from compliance.clock import today
from compliance.directory.held import read_held
from compliance.directory.ldap import connect
from compliance.directory.plan import Action, make_plan
from compliance.directory.sources.configured import source_of
from compliance.directory.sources.gather import gather
from compliance.errors import UserError
from compliance.probes.errors import first_problem
from compliance.probes.facts import Pending, PlanFacts, Seen, now
from compliance.settings import Directory, Sources


def read(settings: Directory, sources: Sources, domain: str) -> PlanFacts:
    """Plan as `kommunpost directory plan` would, and keep what is not as the lists say."""
    seen = Seen("which mailboxes the lists ask for", str(sources.organisation), now())
    try:
        organisation = gather(source_of(sources))
        with connect(settings, "reader") as connection:
            held = read_held(connection, settings.base)
        plan = make_plan(
            organisation,
            domain,
            settings.base,
            held,
            today(),
            settings.answer_days,
            settings.address_pattern,
        )
    except UserError as error:
        return PlanFacts(Seen(seen.asked, seen.of, seen.at, first_problem(error)))
    pending = tuple(
        Pending(
            change.action.value,
            change.mailbox.address,
            change.mailbox.kind,
            change.mailbox.holder,
            change.reason,
        )
        for change in plan.mailboxes
        if change.action is not Action.KEEP
    )
    return PlanFacts(seen, pending)
