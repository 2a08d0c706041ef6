"""What an outsider can reach on the municipality's hosts, tried from the lab's outside host."""

import servers
from servers import Server

GROUPS = ["lab_outside"]
# One connection after the other; a port that drops packets costs a second.
TRY = """
import socket, sys
for port in map(int, sys.argv[2:]):
    try:
        socket.create_connection((sys.argv[1], port), timeout=1).close()
        print(port)
    except OSError:
        pass
"""


def test_an_outsider_reaches_the_open_ports_only(server: Server) -> None:
    for target in servers.in_groups(servers.MUNICIPAL):
        ports = {row["port"]: row["open_to"] for row in target.expected("ports")}
        asked = " ".join(map(str, [*ports, 389, 8080]))
        reached = server.lines(f"python3 -c '{TRY}' {target.address} {asked}")
        assert sorted(map(int, reached)) == sorted(
            port for port, open_to in ports.items() if open_to == "everyone"
        )
