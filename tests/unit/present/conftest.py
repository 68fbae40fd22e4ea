"""The gold files as a fixture."""

import pytest
from support.gold_files import Gold


@pytest.fixture
def gold(request: pytest.FixtureRequest) -> Gold:
    return Gold(update=bool(request.config.getoption("--update-gold")))
