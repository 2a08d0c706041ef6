"""A variable that is missing or of the wrong kind shows here, before any host is booted."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from rendering import ROLES, Host, read, role_names, specification, templates

DATA = yaml.safe_load(Path(__file__).with_name("variables.yml").read_text(encoding="utf-8"))
TEMPLATES = {f"{role}/{path.name}": (role, path) for role, path in templates()}


@pytest.fixture
def host(tmp_path: Path) -> Any:
    def make(role: str) -> Host:
        return Host(role, tmp_path / "secrets", DATA["more"].get(role, {}))

    return make


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_renders_from_defaults_and_the_example(host: Any, name: str) -> None:
    role, path = TEMPLATES[name]
    on_host = host(role)
    loop = DATA["loops"].get(name)
    turns = [{loop["as"]: item} for item in on_host.value(loop["over"])] if loop else [{}]
    for variables in turns:
        assert on_host.render(path, variables).strip()


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.endswith(".service.j2")])
def test_no_line_of_a_unit_runs_into_the_next(host: Any, name: str) -> None:
    role, path = TEMPLATES[name]
    settings = [
        line for line in host(role).render(path, {}).splitlines() if not line.startswith(("#", "["))
    ]
    assert [line for line in settings if re.search(r"\S#", line)] == []


def test_a_template_with_an_unknown_variable_does_not_render(host: Any, tmp_path: Path) -> None:
    template = tmp_path / "wrong.j2"
    template.write_text("{{ base_nobody_set_this }}")
    with pytest.raises(AnsibleUndefinedVariable, match="base_nobody_set_this"):
        host("base").render(template, {})


@pytest.mark.parametrize("role", role_names())
def test_defaults_and_the_example_fit_the_specification(host: Any, role: str) -> None:
    options, on_host = specification(role), host(role)
    given = {name: on_host.value(name) for name in options if name in on_host.variables}
    result = ArgumentSpecValidator(options).validate(given)
    assert result.error_messages == []


@pytest.mark.parametrize("role", role_names())
def test_every_default_is_specified_and_every_option_has_a_value(host: Any, role: str) -> None:
    options, defaults = specification(role), read(ROLES / role / "defaults/main.yml")
    assert sorted(set(defaults) - set(options)) == []
    assert sorted(set(options) - set(host(role).variables)) == []


@pytest.mark.parametrize("role", role_names())
def test_a_default_is_said_alike_in_both_places(role: str) -> None:
    options, defaults = specification(role), read(ROLES / role / "defaults/main.yml")
    said = {name: option["default"] for name, option in options.items() if "default" in option}
    assert said == {name: defaults.get(name) for name in said}
