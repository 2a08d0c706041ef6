"""Give each test about hosts its hosts.

A module says in GROUPS which inventory groups its tests are about, and gets one `server` for each
host in them.
"""

import pytest
import servers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `server` one value per host of the module's groups."""
    if "server" in metafunc.fixturenames:
        found = servers.in_groups(metafunc.module.GROUPS)
        names = [server.name for server in found]
        metafunc.parametrize("server", found, ids=names, scope="module")
