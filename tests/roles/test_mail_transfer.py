"""What an address is to Postfix is what the milter takes it for."""

from pathlib import Path

import pytest
import yaml
from rendering import ROLES, Host

MORE = yaml.safe_load(Path(__file__).with_name("variables.yml").read_text(encoding="utf-8"))["more"]


@pytest.mark.parametrize("name", ["allow_percent_hack", "swap_bangpath"])
def test_only_an_at_sign_makes_a_domain(tmp_path: Path, name: str) -> None:
    host = Host("mail_transfer", tmp_path / "secrets", MORE.get("mail_transfer", {}))
    lines = host.render(ROLES / "mail_transfer/templates/main.cf.j2", {}).splitlines()
    assert f"{name} = no" in lines


def test_what_has_no_domain_is_of_the_municipality(tmp_path: Path) -> None:
    host = Host("mail_transfer", tmp_path / "secrets", MORE.get("mail_transfer", {}))
    lines = host.render(ROLES / "mail_transfer/templates/main.cf.j2", {}).splitlines()
    assert "myorigin = $mydomain" in lines
