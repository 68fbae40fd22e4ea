"""A machine for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.machine import Machine, laid_out


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with laid_out(tmp_path) as made:
        yield made
