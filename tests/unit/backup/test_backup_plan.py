"""A plan that cannot be read says so; months are counted back over the turn of the year."""

import os
import pwd
from datetime import UTC, datetime, timedelta, timezone

import pytest

from compliance.backup import plan
from compliance.backup.repository import month_of, months_back
from compliance.backup.restoring import _give_back, _moved
from compliance.errors import UserError

AT = datetime(2026, 2, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))


def test_months_are_those_of_utc_and_go_back_over_new_year():
    assert month_of(AT) == "2026-01"
    assert list(months_back(AT, 3)) == ["2026-01", "2025-12", "2025-11"]
    assert month_of(AT.astimezone(UTC)) == "2026-01"


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "no copies of this host"), ("{", "not valid YAML"), ("host: mail", "Field required")],
    ids=["absent", "broken", "half"],
)
def test_a_plan_that_is_no_plan_is_told(tmp_path, text, says):
    path = tmp_path / "plan.yml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=says):
        plan.load(path)


def test_a_number_that_belongs_to_another_name_now_is_found(tmp_path):
    then = tmp_path / "passwd"
    then.write_text("root:x:0:0::/:\nvmail:x:5000:5000::/:\nseal:x:995:995::/:\ngone:x:990:1::/:\n")
    assert _moved(then, {"root": 0, "vmail": 5000, "seal": 990}) == {995: 990}


class _Listed:
    """A copy as restic lists it: who a file belonged to, by number."""

    def __init__(self, files):
        self._files = files

    def files(self, copy, path):
        return iter(self._files)


def test_what_is_laid_back_belongs_to_whom_it_did_by_name(tmp_path):
    """On a host made anew the same account may have another number."""
    (tmp_path / "passwd").write_text("root:x:0:0::/:\ndaemon:x:4242:4242::/:\n")
    (tmp_path / "group").write_text("root:x:0:\ndaemon:x:4343:\n")
    moved, kept = tmp_path / "moved", tmp_path / "kept"
    for path, owner in ((moved, 4242), (kept, 0)):
        path.touch(mode=0o640)
        os.chown(path, owner, 4343)
    listed = [(moved, 4242, 4343), (kept, 0, 0), (tmp_path / "gone", 4242, 4343)]
    _give_back(_Listed(listed), None, [tmp_path], tmp_path)
    daemon = pwd.getpwnam("daemon")
    assert (moved.stat().st_uid, moved.stat().st_gid) == (daemon.pw_uid, daemon.pw_gid)
    assert moved.stat().st_mode & 0o777 == 0o640
    assert (kept.stat().st_uid, kept.stat().st_gid) == (0, 0)
