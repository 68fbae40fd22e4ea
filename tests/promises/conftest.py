"""What is simulated for one test serves the others, in whichever worker they run."""

import os

import pytest
from support import shared_results


@pytest.fixture(scope="session", autouse=True)
def share_results(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    shared_results.keep_in((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "simulations")
