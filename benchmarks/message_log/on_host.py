"""Measure on a mail host what logging costs; run there as root by `__main__.py`.

    python3 on_host.py '{"rounds": 5, "cases": [...]}'

For each variant a Postfix of its own (queue, ports, milter) is started beside the host's; all pass
what they accept to one sink. The variants take turns in each round, so that a slow moment of the
machine meets all of them. Writes a JSON object a line: one per case, round and variant, with
the seconds until the last message was accepted, until the queue was empty, and until the last was
both accepted and logged (for those that log), and the processor time of Postfix and the milter till
the queue was empty. Everything is stopped and removed at the end.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HOME = Path("/var/lib/kommunpost-benchmark")
SETTINGS = Path("/etc/kommunpost/kommunpost.yml")
KOMMUNPOST = "/opt/kommunpost/bin/kommunpost"
SINK_PORT = 20025
FIRST_PORT = 20030
FLOOR = "/usr/local/bin/kommunpost-floor"
# What the log's milter negotiates (milter_protocol.py), and the same with nothing sent at all.
ALL_THAT_IS_NEEDED, NOTHING = "0x8d3c2", "0x8d3ff"
WAIT_SECONDS = 120
SUBJECT = "=?utf-8?q?Ans=C3=B6kan_om_bygglov=2C_=C3=A4rende_KS_2026/17?="
TICKS = os.sysconf("SC_CLK_TCK")

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
showq unix n - n - - showq
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""

# What all share. Both limits of Postfix's own would hide what a variant costs; the first is put
# back for a case that is measured as Postfix is installed.
MAIN = """\
compatibility_level = 3.10
queue_directory = {home}/queue
data_directory = {home}/data
syslog_name = benchmark-{name}
myhostname = benchmark.invalid
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
local_transport = error:no local mail
relayhost = [127.0.0.1]:{sink}
smtp_host_lookup = native
smtp_tls_security_level = none
enable_long_queue_ids = yes
in_flow_delay = 0s
max_use = 10000
smtpd_client_connection_count_limit = 0
message_size_limit = 52428800
"""

# A milter that does nothing, and one that does nothing with all that the log's milter needs.
IDLE = """\
import sys
import Milter

class Idle(Milter.Base):
    def eom(self):
        return Milter.CONTINUE

class Receiving(Milter.Base):
    @Milter.noreply
    def connect(self, *_):
        return Milter.CONTINUE

    @Milter.noreply
    def envfrom(self, *_):
        return Milter.CONTINUE

    @Milter.noreply
    def envrcpt(self, *_):
        return Milter.CONTINUE

    @Milter.noreply
    def header(self, *_):
        return Milter.CONTINUE

    @Milter.noreply
    def body(self, *_):
        return Milter.CONTINUE

    def eom(self):
        self.getsymval("i")
        return Milter.CONTINUE

Milter.factory = {"idle": Idle, "receiving": Receiving}[sys.argv[1]]
Milter.runmilter(sys.argv[1], sys.argv[2], 240)
"""


@dataclass
class Variant:
    """One way to log, and the Postfix that does it."""

    name: str
    port: int
    extra: str = ""
    milter: list[str] = field(default_factory=list)  # command; its socket is {socket}
    logs: bool = False  # by the time that a message is accepted
    archive: Path | None = None  # or once its copy stands in this Maildir
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return HOME / self.name

    @property
    def socket(self) -> Path:
        return self.home / "socket/milter.sock"

    def start(self) -> None:
        """Write the configuration and start. Raises RuntimeError if it doesn't answer."""
        config = self.home / "etc"
        config.mkdir(parents=True)
        main = MAIN.format(home=self.home, name=self.name, sink=SINK_PORT) + self.extra
        if self.milter:
            self._start_milter()
            main += f"smtpd_milters = unix:{self.socket}\nmilter_default_action = tempfail\n"
        (config / "main.cf").write_text(main)
        (config / "master.cf").write_text(MASTER.format(port=self.port))
        (self.home / "queue").mkdir()
        (self.home / "data").mkdir()
        shutil.chown(self.home / "data", "postfix", "postfix")
        quiet(["postfix", "-c", config, "start"])

    def brake(self, in_flow_delay: str) -> None:
        """Let Postfix hold up what comes in while more comes than goes out, or not (0s)."""
        config = self.home / "etc"
        quiet(["postconf", "-c", config, "-e", f"in_flow_delay={in_flow_delay}"])
        quiet(["postfix", "-c", config, "reload"])

    def stop(self) -> None:
        """Stop Postfix, then the milter."""
        quiet(["postfix", "-c", self.home / "etc", "stop"], check=False)
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

    def cpu_seconds(self) -> float:
        """Processor time so far of Postfix (with what has ended under it) and the milter."""
        master = int((self.home / "queue/pid/master.pid").read_text())
        family = [process.pid for process in self.processes] + [master]
        total = sum(children_time(pid) for pid in family)
        return total + sum(own_time(pid) for pid in [*family, *descendants(family)])

    def is_drained(self) -> bool:
        queue = self.home / "queue"
        return not any(
            file.is_file() for part in ("incoming", "active") for file in (queue / part).rglob("*")
        )

    def logged(self, begin: float, accepted: float) -> dict[str, float]:
        """Return the seconds until all was accepted and logged; nothing of one that logs nothing.

        begin: as time.time() tells it, like the times of files.
        """
        if self.archive is None:
            return {"logged": accepted} if self.logs else {}
        newest = max(file.stat().st_ctime for file in (self.archive / "maildir/new").iterdir())
        return {"logged": max(accepted, newest - begin)}

    def _start_milter(self) -> None:
        folder = self.socket.parent
        folder.mkdir(parents=True)
        shutil.chown(folder, "kommunpost", "postfix")
        folder.chmod(0o2770)
        command = [part.format(socket=f"unix:{self.socket}") for part in self.milter]
        # setpriv replaces itself, so the process is the milter's own.
        runas = ["setpriv", "--reuid=kommunpost", "--regid=kommunpost", "--init-groups"]
        settings = {"KOMMUNPOST_CONFIG": str(self.home / "kommunpost.yml")}
        self.processes.append(subprocess.Popen([*runas, *command], env={**os.environ, **settings}))
        until(self.socket.is_socket, f"the milter of {self.name} does not start")
        self.socket.chmod(0o666)


def variants() -> list[Variant]:
    """Return those that are compared."""
    checks = HOME / "header_checks.regexp"
    checks.write_text("/^(subject|from|to):/ INFO\n")
    idle = HOME / "idle.py"
    idle.write_text(IDLE)
    archive = HOME / "always_bcc/archive"
    uid, gid = shutil._get_uid("kommunpost"), shutil._get_gid("kommunpost")
    bcc = (
        "always_bcc = archive@archive.invalid\n"
        "virtual_mailbox_domains = archive.invalid\n"
        "virtual_mailbox_maps = static:maildir/\nvirtual_mailbox_limit = 0\n"
        f"virtual_mailbox_base = {archive}\n"
        f"virtual_uid_maps = static:{uid}\nvirtual_gid_maps = static:{gid}\n"
    )
    made = [
        Variant("bare", FIRST_PORT),
        *(
            Variant(name, port, milter=["/usr/bin/python3", str(idle), name, "{socket}"])
            for name, port in (("idle", FIRST_PORT + 1), ("receiving", FIRST_PORT + 5))
        ),
        Variant("floor", FIRST_PORT + 6, milter=[FLOOR, "{socket}", ALL_THAT_IS_NEEDED]),
        Variant("floor_unsent", FIRST_PORT + 7, milter=[FLOOR, "{socket}", NOTHING]),
        Variant("kommunpost", FIRST_PORT + 2, milter=[KOMMUNPOST, "log", "milter"], logs=True),
        Variant(
            "header_checks", FIRST_PORT + 3, extra=f"header_checks = regexp:{checks}\n", logs=True
        ),
        Variant("always_bcc", FIRST_PORT + 4, extra=bcc, archive=archive),
    ]
    archive.mkdir(parents=True)
    shutil.chown(archive, "kommunpost", "kommunpost")
    own = next(variant for variant in made if variant.name == "kommunpost")
    (own.home / "outbox").mkdir(parents=True)
    shutil.chown(own.home / "outbox", "kommunpost", "kommunpost")
    write_settings(own)
    return made


def write_settings(own: Variant) -> None:
    """The host's own settings with another socket and outbox."""
    lines = []
    for line in SETTINGS.read_text().splitlines():
        key = line.strip().partition(":")[0]
        indent = line[: len(line) - len(line.lstrip())]
        replaced = {"socket": f"unix:{own.socket}", "outbox": f"{own.home}/outbox"}.get(key)
        lines.append(f"{indent}{key}: {replaced}" if replaced else line)
    (own.home / "kommunpost.yml").write_text("\n".join(lines) + "\n")


def measure(variant: Variant, case: dict) -> dict:
    """Send one case's messages through one variant."""
    # One recipient: in. Several, whose names smtp-source makes up: out.
    inside, outside = f"{case['mailbox']}@{domain()}", "medborgare@omvarlden.example"
    sender, recipient = (outside, inside) if case["recipients"] == 1 else (inside, outside)
    source = [
        "smtp-source", "-s", case["sessions"], "-m", case["messages"], "-l", case["bytes"],
        "-S", SUBJECT, "-f", sender, "-t", recipient,
        # It numbers recipients as soon as it is told how many, and nobody has such an address.
        *(["-r", case["recipients"]] if case["recipients"] > 1 else []),
        f"127.0.0.1:{variant.port}",
    ]  # fmt: skip
    before = variant.cpu_seconds()
    began, begin = time.time(), time.perf_counter()
    quiet(source)
    seconds = time.perf_counter() - begin
    until(variant.is_drained, f"{variant.name} does not empty its queue")
    passed = time.perf_counter() - begin
    used = variant.cpu_seconds() - before
    return {"seconds": seconds, "passed": passed, "cpu": used, **variant.logged(began, seconds)}


def domain() -> str:
    """The municipality's, as the settings say."""
    found = [line for line in SETTINGS.read_text().splitlines() if line.startswith("  domain:")]
    return found[0].partition(":")[2].strip()


def quiet(command: list, *, check: bool = True) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=600
    )
    if check and done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")


def until(is_so, complaint: str) -> None:
    for _ in range(WAIT_SECONDS * 100):
        if is_so():
            return
        time.sleep(0.01)
    raise RuntimeError(complaint)


def stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def own_time(pid: int) -> float:
    fields = stat_fields(pid)
    return sum(map(int, fields[11:13])) / TICKS if fields else 0.0


def children_time(pid: int) -> float:
    fields = stat_fields(pid)
    return sum(map(int, fields[13:15])) / TICKS if fields else 0.0


def descendants(pids: list[int]) -> list[int]:
    parents = {
        int(entry.name): int(fields[1])
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (fields := stat_fields(int(entry.name)))
    }
    return [pid for pid, parent in parents.items() if parent in pids]


def main() -> None:
    job = json.loads(sys.argv[1])
    if HOME.exists():
        raise SystemExit(f"{HOME} is there: another benchmark runs, or was cut off (remove it)")
    HOME.mkdir(mode=0o755)
    sink = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{SINK_PORT}", "1000"])
    made: list[Variant] = []
    try:
        for variant in variants():
            made.append(variant)
            variant.start()
        for case in job["cases"]:
            warm = {**case, "messages": max(case["messages"] // 10, case["sessions"])}
            for variant in made:
                variant.brake(case["in_flow_delay"])
                measure(variant, warm)
            for number in range(job["rounds"]):
                for place in range(len(made)):
                    variant = made[(place + number) % len(made)]
                    row = {"case": case["name"], "round": number, "variant": variant.name}
                    print(json.dumps({**row, **measure(variant, case)}), flush=True)
    finally:
        for variant in made:
            variant.stop()
        sink.kill()
        shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
