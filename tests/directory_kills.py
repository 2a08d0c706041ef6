"""`kommunpost directory apply`, killed at one of its writes, and what the next run makes of it."""

import os
import random
import subprocess
import sys
from pathlib import Path

from directory.conftest import ORGANISATION
from ldap_tap import Tap
from local_directory import LocalDirectory
from typer.testing import CliRunner

from compliance.cli import app

KOMMUNPOST = Path(sys.executable).with_name("kommunpost")
APPLY = ["directory", "apply", "--allow-closing", "100", "--allow-renaming", "100"]
HEADING = "id;given_name;surname;kind;unit;status;protected;deputy\n"
BEFORE = """\
1;Åsa;Öberg;employee;ksk;;no;
2;Bo;Ek;employee;ksk;;no;
3;Cecilia;Alm;elected;ks;;no;
4;Dag;Dal;employee;ksk;;no;
5;Eva;Ek;employee;ksk;;no;
6;Frej;Fors;employee;ks;;no;
"""
# A new name, a new unit, a leave, a protection and somebody who has left (6).
AFTER = """\
1;Åsa;Ek;employee;ksk;;no;
2;Bo;Ek;employee;ks;;no;
3;Cecilia;Alm;elected;ks;;no;
4;Dag;Dal;employee;ksk;;yes;
5;Eva;Ek;employee;ksk;on_leave;no;2
"""
NEWCOMERS = "".join(f"{100 + n};Bo;Ek;employee;ksk;;no;\n" for n in range(25))  # all namesakes


class Killing:
    """A directory in which much is to change, and how it must be in the end."""

    def __init__(self, folder: Path) -> None:
        self._directory = LocalDirectory(folder)
        self._write(folder / "before", BEFORE, "PC1;1;ksk\nPC2;2;ksk\nPC3;6;ks\n")
        self._write(folder / "after", AFTER + NEWCOMERS, "PC1;2;ksk\nPC3;;ks\nPC4;1 5;ksk\n")
        self._directory.start()
        self._run(self._directory.settings(folder / "before"))
        self._directory.stop()
        self._directory.keep()
        self._directory.start()
        tap, settings = self._tapped(lambda number: True)
        self._run(settings)
        tap.close()
        self.writes = tap.writes
        self._end = self._directory.entries()
        self._directory.stop()

    def kill_and_run_again(self, seed: int) -> None:
        """Kill it at a write that chance chooses, just before it or before its answer."""
        chance = random.Random(seed)
        at, is_written = chance.randint(1, self.writes), chance.random() < 0.5
        self._directory.restore()
        self._directory.start()
        try:
            processes: list[subprocess.Popen[bytes]] = []

            def kill(number: int) -> bool:
                if number == at:
                    processes[0].kill()
                    processes[0].wait()
                return number < at or is_written

            tap, settings = self._tapped(kill)
            environment = {**os.environ, "KOMMUNPOST_CONFIG": str(settings)}
            command = [KOMMUNPOST, *APPLY]
            processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
            processes[0].wait()
            tap.close()
            assert processes[0].returncode == -9, f"not killed at write {at}"
            self._run(self._directory.settings(self._directory.folder / "after"))
            assert self._directory.entries() == self._end, f"killed at write {at}, seed {seed}"
        finally:
            self._directory.stop()

    def _tapped(self, on_write) -> tuple[Tap, Path]:
        path = self._directory.folder / "tap"
        path.unlink(missing_ok=True)
        tap = Tap(path, self._directory.socket, on_write)
        return tap, self._directory.settings(self._directory.folder / "after", path)

    @staticmethod
    def _write(folder: Path, people: str, pcs: str) -> None:
        folder.mkdir()
        (folder / "organisation.yml").write_text(ORGANISATION, encoding="utf-8")
        (folder / "people.csv").write_text(HEADING + people, encoding="utf-8")
        (folder / "pcs.csv").write_text("name;owners;unit\n" + pcs, encoding="utf-8")

    @staticmethod
    def _run(settings: Path) -> None:
        done = CliRunner().invoke(app, APPLY, env={"KOMMUNPOST_CONFIG": str(settings)})
        assert done.exit_code == 0, done.output + str(done.exception)
