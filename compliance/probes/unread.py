"""What lies unread in function mailboxes, as `kommunpost watch unread` on their host tells it."""

from compliance.errors import UserError
from compliance.probes.errors import ProbeError, first_problem
from compliance.probes.facts import Oldest, Seen, UnreadFacts, now
from compliance.probes.host import Host
from compliance.settings import MailHost
from compliance.watch.unread import from_json

# As the role `watch` has it.
_COMMAND = (
    *("env", "KOMMUNPOST_CONFIG=/etc/kommunpost/watch/settings.yml"),
    *("/opt/kommunpost/bin/kommunpost", "watch", "unread"),
)


def read(settings: MailHost) -> UnreadFacts:
    """Look now; when the host does not tell, the facts say why and hold nothing."""
    seen = Seen("kommunpost watch unread", settings.name, now())
    try:
        found = from_json(Host(settings).run(*_COMMAND), settings.name)
    except ProbeError as error:
        return UnreadFacts(Seen(seen.asked, seen.of, seen.at, str(error)))
    except UserError as error:
        return UnreadFacts(Seen(seen.asked, seen.of, seen.at, first_problem(error)))
    oldest = (Oldest(address.lower(), arrived) for address, arrived in found.oldest.items())
    return UnreadFacts(Seen(seen.asked, seen.of, found.at), tuple(oldest))
