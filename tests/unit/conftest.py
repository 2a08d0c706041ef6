"""What unit tests share."""

import pytest
from audit_town import town

from compliance.probes.facts import Facts


@pytest.fixture
def facts() -> Facts:
    """What an audit sees of a municipality that follows its strategy in everything."""
    return town()
