"""Render roles as Ansible does, for one host of the example inventory, without any host."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

ROOT = Path(__file__).parents[2]
ROLES = ROOT / "roles"
init_plugin_loader()


def role_names() -> list[str]:
    """Return every role's name."""
    return sorted(specs.parent.parent.name for specs in ROLES.glob("*/meta/argument_specs.yml"))


def read(path: Path) -> dict[str, Any]:
    """Return a role's YAML file as Ansible reads it; an absent one is empty."""
    if not path.exists():
        return {}
    return DataLoader().load_from_file(str(path), trusted_as_template=True) or {}


def specification(role: str) -> dict[str, Any]:
    """Return the options of a role's entry point `main`."""
    text = (ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["argument_specs"]["main"].get("options", {})


class Host:
    """The example's host, seen from one role: defaults, inventory, the role's own variables."""

    def __init__(self, role: str, secrets: Path, more: dict[str, Any]) -> None:
        loader = DataLoader()
        loader.set_basedir(str(ROOT / "playbooks"))
        inventory = InventoryManager(loader, [str(ROOT / "inventory/example/hosts.yml")])
        manager = VariableManager(loader, inventory)
        host = inventory.get_host("mail")
        self.variables = {
            **read(ROLES / role / "defaults/main.yml"),
            **manager.get_vars(host=host),
            **read(ROLES / role / "vars/main.yml"),
            "hostvars": HostVars(inventory, manager, loader),
            "groups": inventory.get_groups_dict(),
            "playbook_dir": str(ROOT / "playbooks"),
            "role_path": str(ROLES / role),
            "secrets_dir": str(secrets),
            "ansible_managed": "Managed",
            **{name: trust(value) for name, value in more.items()},
        }
        loader.set_basedir(str(ROLES / role))
        self.templar = Templar(loader, self.variables)

    def value(self, name: str) -> Any:
        """Return a variable with everything in it resolved. Raises on what is undefined."""
        return self.templar.template(self.variables[name])

    def render(self, template: Path, more: dict[str, Any]) -> str:
        """Return a template's text. Raises on any variable that is undefined."""
        variables = {**self.variables, **more, "ansible_search_path": [str(template.parent)]}
        templar = self.templar.copy_with_new_env(
            searchpath=[str(template.parent)], available_variables=variables
        )
        text = trust_as_template(template.read_text(encoding="utf-8"))
        return templar.template(text, escape_backslashes=False)


def trust(value: Any) -> Any:
    """Mark strings in test data as Ansible's own, so that they are resolved."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trust(inner) for key, inner in value.items()}
    return [trust(inner) for inner in value] if isinstance(value, list) else value


def templates() -> Iterator[tuple[str, Path]]:
    """Return each template of each role, with the role's name."""
    for role in role_names():
        for path in sorted((ROLES / role / "templates").rglob("*.j2")):
            yield role, path
