"""Files that commands write for people: there whole or not at all, and for nobody else to read."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from compliance.errors import UserError

_STANDARD_OUTPUT = 1


@contextmanager
def opened(path: Path, *, replaces: bool = True) -> Iterator[BinaryIO]:
    """Open a file to write; it appears under its name when the block has ended without error.

    A new file is its owner's alone (0600): what is written is personal data. One that is replaced
    keeps mode and owner, and what a symbolic link points to is replaced, not the link. What is no
    regular file (a pipe, a device) is written to as it is. replaces: else a file that is there is
    an error. Raises UserError if it cannot be written.
    """
    try:
        there = _stat(path)
        if there is not None and not stat.S_ISREG(there.st_mode):
            with path.open("wb") as stream:
                yield stream
        elif there is not None and not replaces:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        elif there is not None and _is_standard_output(there):
            with os.fdopen(os.dup(_STANDARD_OUTPUT), "wb") as stream:
                yield stream
        else:
            with _whole(Path(os.path.realpath(path)), there, replaces=replaces) as stream:
                yield stream
    except OSError as error:
        raise UserError.of(
            f"the file cannot be written ({error.strerror or error})",
            str(path),
            "name another, or see that you may write there and that the disk isn't full",
        ) from error


@contextmanager
def _whole(path: Path, there: os.stat_result | None, *, replaces: bool) -> Iterator[BinaryIO]:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(handle)
            if there is not None:
                with suppress(PermissionError):
                    os.fchown(handle, there.st_uid, there.st_gid)
                os.fchmod(handle, stat.S_IMODE(there.st_mode))
        if replaces:
            part.replace(path)
        else:
            _put(part, path)
    finally:
        part.unlink(missing_ok=True)


def _put(part: Path, path: Path) -> None:
    """Give a file its name, if nothing has it by now."""
    try:
        path.hardlink_to(part)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
            raise
        path.touch(mode=0o600, exist_ok=False)  # a disk without hard links, such as FAT
        part.replace(path)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is_standard_output(there: os.stat_result) -> bool:
    """Say whether a file is where standard output goes, as `--output /dev/stdout` has it."""
    with suppress(OSError):
        return os.path.samestat(there, os.fstat(_STANDARD_OUTPUT))
    return False
