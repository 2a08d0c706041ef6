"""What is copied from this host and whither, as the role `backup` wrote it from what roles say."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compliance.errors import Problem, UserError

PLAN = Path("/etc/kommunpost/backup/plan.yml")
_STRICT = ConfigDict(extra="forbid", frozen=True)


class Part(BaseModel):
    """What one role has on this host. Paths that are not there (yet) are passed by."""

    model_config = _STRICT
    role: str
    groups: list[str] = Field(description="Inventory groups whose hosts have the role")
    data: list[Path] = Field(default_factory=list, description="Copied, and laid back")
    keys: list[Path] = Field(
        default_factory=list, description="Copied, and laid back before the role runs again"
    )
    other: list[Path] = Field(
        default_factory=list, description="Copied for a person to look at; never laid back"
    )
    program: Path | None = Field(
        default=None, description="Does `dump`, `try` and `load` with a folder of its own"
    )
    units: list[str] = Field(
        default_factory=list, description="Stopped while the data are laid back"
    )


class Plan(BaseModel):
    """Where the copies of this host lie, and what is in them."""

    model_config = _STRICT
    host: str = Field(description="This host, as copies are marked")
    ssh_config: Path = Field(description="Says how ssh reaches the host `store`")
    password_file: Path = Field(description="The key of the copies, root's alone")
    state: Path = Field(description="A folder of root's for what a copy needs meanwhile")
    months: int = Field(ge=1, description="How many months' copies are looked for, at most")
    read_share: str = Field(description="How much of the data a trial reads, e.g. 5%")
    parts: list[Part]

    @property
    def dumps(self) -> Path:
        """The folder of what is written out for a copy; in the copy it has the same path."""
        return self.state / "dumps"


def load(path: Path = PLAN) -> Plan:
    """Read the plan. Raises UserError, also where no copies are set up."""
    try:
        return Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise UserError.of(
            "no copies of this host are set up",
            str(path),
            "name a host in the inventory's group `backup` and run playbooks/site.yml",
        ) from error
    except OSError as error:
        raise UserError.of(
            f"the plan of the copies cannot be read ({error.strerror})", str(path), "run as root"
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        if isinstance(error, ValidationError):
            places = [(item["msg"], ".".join(map(str, item["loc"]))) for item in error.errors()]
            raise UserError([Problem(what, f"{path}: {where}") for what, where in places]) from None
        raise UserError.of(
            "this is not valid YAML", str(path), "run the role backup again"
        ) from error
