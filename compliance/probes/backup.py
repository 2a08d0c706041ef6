"""How a host is copied, as `kommunpost backup state` on it tells, which asks the backup host."""

from pydantic import AwareDatetime, BaseModel, ValidationError

from compliance.probes.errors import ProbeError
from compliance.probes.facts import BackupFacts, Seen, now
from compliance.probes.host import Host
from compliance.settings import MailHost

_COMMAND = ("/opt/kommunpost/bin/kommunpost", "backup", "state")


class _State(BaseModel):
    at: AwareDatetime
    set_up: bool
    copied: AwareDatetime | None = None
    tried: AwareDatetime | None = None
    trial_error: str | None = None


def read(settings: MailHost) -> BackupFacts:
    """Ask now; when the host does not tell, the facts say why and hold nothing."""
    seen = Seen("kommunpost backup state", settings.name, now())
    try:
        state = _State.model_validate_json(Host(settings).run(*_COMMAND))
    except ProbeError as error:
        return BackupFacts(settings.name, Seen(seen.asked, seen.of, seen.at, str(error)))
    except ValidationError:
        told = "it is not known how the host is copied"
        return BackupFacts(settings.name, Seen(seen.asked, seen.of, seen.at, told))
    return BackupFacts(
        settings.name,
        Seen(seen.asked, seen.of, state.at),
        state.set_up,
        state.copied,
        state.tried,
        state.trial_error,
    )
