"""Stands in for Dovecot's imap, which only a deployed archive has: speaks IMAP over its pipes.

Reads FOLDER/DAY/*.eml, where FOLDER is its first argument. Run for a user (`-u`) who has a folder
of that name, it reads what lies below that one.
"""

import shutil
import sys
from pathlib import Path


def say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\r\n")
    sys.stdout.buffer.flush()


def main() -> None:
    root, messages = Path(sys.argv[1]), []
    if (root / sys.argv[-1]).is_dir():
        root /= sys.argv[-1]
    say(b"* PREAUTH ready")
    for line in sys.stdin.buffer:
        tag, verb, *words = line.split()
        said = b"OK"
        if verb == b"CAPABILITY":
            say(b"* CAPABILITY IMAP4REV1")
        elif verb == b"NAMESPACE":
            say(b'* NAMESPACE (("" "/")) (("Delade brevl&AOU-dor/" "/")) NIL')
        elif verb == b"LIST":
            for folder in sorted(root.rglob("*")):
                if folder.is_dir():
                    name = str(folder.relative_to(root)).encode()
                    say(b'* LIST (\\HasNoChildren) "/" "%s"' % name)
        elif verb == b"EXAMINE":
            folder = root / b" ".join(words).strip(b'"').decode()
            messages = sorted(folder.glob("*.eml"))
            said = b"OK" if folder.is_dir() else b"NO"
            say(b"* %d EXISTS" % len(messages))
        elif verb == b"CREATE":
            folder = root / words[0].strip(b'"').decode()
            said = b"NO" if folder.is_dir() else b"OK"
            folder.mkdir(exist_ok=True)
        elif verb == b"APPEND":
            say(b"+ go on")
            folder = root / words[0].strip(b'"').decode()
            raw = sys.stdin.buffer.read(int(words[-1].strip(b"{}")))
            sys.stdin.buffer.readline()
            (folder / f"{len(list(folder.iterdir()))}-added.eml").write_bytes(raw)
        elif verb == b"DELETE":
            folder = root / words[0].strip(b'"').decode()
            said = b"OK" if folder.is_dir() else b"NO"
            shutil.rmtree(folder, ignore_errors=True)
        elif verb == b"SEARCH":
            wanted = words[-1].strip(b'"')
            found = [n for n, path in enumerate(messages, 1) if wanted in path.read_bytes()]
            say(b"* SEARCH" + b"".join(b" %d" % n for n in found))
        elif verb == b"FETCH":
            raw = messages[int(words[0]) - 1].read_bytes()
            say(b"* %s FETCH (BODY[] {%d}" % (words[0], len(raw)))
            sys.stdout.buffer.write(raw)
            say(b")")
        say(b"%s %s done" % (tag, said))
        if verb == b"LOGOUT":
            return


main()
