"""A file that a command writes: whole or not there, and nothing else is destroyed by it."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from compliance.errors import UserError
from compliance.output_file import opened


def write(path, data=b"new", **more):
    with opened(path, **more) as stream:
        stream.write(data)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "ks.csv"
    write(path)
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_replaced_keeps_its_mode_and_owner(tmp_path):
    path = tmp_path / "ks.csv"
    path.write_bytes(b"old and longer")
    path.chmod(0o640)
    os.chown(path, 65534, 65534)
    write(path)
    assert path.read_bytes() == b"new"
    assert (mode(path), path.stat().st_uid, path.stat().st_gid) == (0o640, 65534, 65534)


def test_what_breaks_off_leaves_what_was_there(tmp_path):
    path = tmp_path / "ks.csv"
    path.write_bytes(b"old")

    class StoppedError(Exception):
        pass

    def half():
        with opened(path) as stream:
            stream.write(b"half")
            raise StoppedError

    with pytest.raises(StoppedError):
        half()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"ks.csv": b"old"}


def test_what_looks_like_a_temporary_file_is_the_users_own(tmp_path):
    (tmp_path / "ks.csv.part").write_bytes(b"mine")
    (tmp_path / "d.part").mkdir()
    write(tmp_path / "ks.csv")
    write(tmp_path / "d")
    assert (tmp_path / "ks.csv.part").read_bytes() == b"mine"
    assert (tmp_path / "d.part").is_dir()


def test_a_symbolic_link_stays_and_what_it_points_to_is_written(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("there", "not-yet"):
        link = tmp_path / f"{name}.link"
        target = tmp_path / "folder" / name
        link.symlink_to(target)
        if name == "there":
            target.write_bytes(b"old")
        write(link)
        assert link.is_symlink()
        assert target.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write(path)
    reader.join()
    assert read == [b"new"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_device_is_written_to_and_stays(make_device):
    path = make_device("null", 1, 3)
    write(path)
    write(path, replaces=False)
    assert stat.S_ISCHR(path.stat().st_mode)


def test_the_file_behind_standard_output_is_added_to(tmp_path):
    path = tmp_path / "all.csv"
    path.write_bytes(b"before\n")
    code = (
        "from pathlib import Path\nfrom compliance.output_file import opened\n"
        f"with opened(Path({str(path)!r})) as stream:\n    stream.write(b'new')\n"
    )
    with path.open("ab") as output:
        subprocess.run([sys.executable, "-c", code], stdout=output, check=True)
    assert path.read_bytes() == b"before\nnew"


def test_a_file_that_is_not_to_be_replaced_stays(tmp_path):
    path = tmp_path / "brev.eml"
    write(path, replaces=False)
    with pytest.raises(UserError, match="File exists"):
        write(path, b"another", replaces=False)
    with pytest.raises(UserError, match="File exists"), opened(tmp_path / "x", replaces=False):
        (tmp_path / "x").write_bytes(b"came meanwhile")
    assert (path.read_bytes(), (tmp_path / "x").read_bytes()) == (b"new", b"came meanwhile")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_disk_without_hard_links_has_the_file_too(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refused)
    path = tmp_path / "brev.eml"
    write(path, replaces=False)
    with pytest.raises(UserError, match="File exists"), opened(tmp_path / "x", replaces=False):
        (tmp_path / "x").write_bytes(b"came meanwhile")
    assert (path.read_bytes(), (tmp_path / "x").read_bytes()) == (b"new", b"came meanwhile")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_leaves_nothing_and_a_retry_is_free(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "brev.eml"
    with monkeypatch.context() as during:
        during.setattr("os.fsync", full)
        with pytest.raises(UserError, match="No space left on device"):
            write(path, replaces=False)
    assert list(tmp_path.iterdir()) == []
    write(path, replaces=False)


@pytest.mark.parametrize("name", ["", "/", "file/x.csv", "none/x.csv", "å" * 300, "folder"])
def test_what_cannot_be_written_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="the file cannot be written"):
        write(Path(name))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder"]
