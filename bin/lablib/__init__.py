"""The lab's machinery: image, network, hosts. Standard library only."""

import subprocess
from pathlib import Path

CACHE = Path("/var/cache/kommunpost-lab")  # shared by all checkouts, never needed
STATE = Path("/var/lib/kommunpost-lab")  # one folder per lab, gone with `down`


class LabError(Exception):
    """Something that the person at the terminal can mend; the text says what to do."""


def run(*command: str | Path, check: bool = True) -> str:
    """Run a program and return what it printed; raise LabError with its last words."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise LabError(f"{command[0]} is not installed: run bin/setup first") from error
    if check and done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-5:]
        line = " ".join(str(word) for word in command)
        raise LabError(f"`{line}` failed ({done.returncode}): " + " / ".join(words))
    return done.stdout


def say(text: str) -> None:
    """Tell what is happening, at once, also into a pipe."""
    print(text, flush=True)
