"""What the tests share that take a part of the mail host away."""

import pytest


@pytest.fixture
def stopped(on_host):
    """Stop units on the mail host for the length of a test."""
    units: list[str] = []

    def stop(*names: str) -> None:
        units.extend(names)
        on_host("mail", f"systemctl stop {' '.join(names)}")

    yield stop
    on_host("mail", f"systemctl start {' '.join(units)}")
