"""The log list reaches the archive by one socket, and by it hands root nothing to run."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from rendering import ROLES, Host

TEMPLATES = ROLES / "log_list/templates"


def rendered(tmp_path: Path, name: str, **more: Any) -> str:
    return Host("log_list", tmp_path / "secrets", more).render(TEMPLATES / f"{name}.j2", {})


def settings_of(unit: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line[1:])


def test_only_the_log_lists_user_may_open_the_socket(tmp_path: Path) -> None:
    unit = settings_of(rendered(tmp_path, "kommunpost-archive.socket"))
    assert (unit["SocketUser"], unit["SocketGroup"], unit["SocketMode"]) == (
        "root", "kommunpost_web", "0660",
    )  # fmt: skip
    assert unit["Accept"] == "yes"


def test_what_root_runs_is_fixed_and_ends(tmp_path: Path) -> None:
    unit = settings_of(rendered(tmp_path, "kommunpost-archive@.service"))
    assert unit["ExecStart"] == "/opt/kommunpost/bin/kommunpost archive answer"
    assert unit["StandardInput"] == unit["StandardOutput"] == "socket"
    assert int(unit["RuntimeMaxSec"]) <= 60


def test_the_service_of_the_log_list_gains_no_right_by_it(tmp_path: Path) -> None:
    unit = settings_of(rendered(tmp_path, "kommunpost-log-list.service"))
    assert (unit["User"], unit["NoNewPrivileges"], unit["CapabilityBoundingSet"]) == (
        "kommunpost_web", "yes", "",
    )  # fmt: skip


@pytest.mark.parametrize(("stores", "has"), [(["mail"], True), (["mail2"], False)])
def test_the_archive_is_opened_only_where_it_lies_on_the_same_host(
    tmp_path: Path, stores: list[str], has: bool
) -> None:
    host = Host("log_list", tmp_path / "secrets", {})
    groups = {**host.variables["groups"], "mail_store": stores}
    text = host.render(
        TEMPLATES / "kommunpost.yml.j2", {"groups": groups, "inventory_hostname": "mail"}
    )
    assert ("archive_socket" in yaml.safe_load(text)["loglist"]) is has


def test_root_asks_the_directory_whose_mailbox_is_opened_and_the_web_is_not_asked(
    tmp_path: Path,
) -> None:
    said = yaml.safe_load(rendered(tmp_path, "archive.yml"))
    assert said["directory"]["uri"].startswith("ldaps://")
    assert said["directory"]["reader_dn"].startswith("cn=auditor,")
    assert "writer_dn" not in said["directory"]
