"""What unit tests share."""

import pytest
from audit_town import town
from hypothesis import settings

from compliance.probes.facts import Facts

# How long an example takes says how busy the machine is.
settings.register_profile("kommunpost", deadline=None)
settings.load_profile("kommunpost")


@pytest.fixture
def facts() -> Facts:
    """What an audit sees of a municipality that follows its strategy in everything."""
    return town()
