"""One server and one repository with a reference; each test has a copy of it and a model as at first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.changing_model import ChangingModel
from fakes.openai_server import OpenAIServer
from support.drift_shop import DriftShop, copy_template, make_template

MODEL = ChangingModel()


@pytest.fixture(scope="session")
def server() -> Iterator[OpenAIServer]:
    MODEL.reset()
    with OpenAIServer(MODEL) as running:
        yield running


@pytest.fixture(scope="session")
def template(server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("watched"), server)


@pytest.fixture
def model(template: Path) -> ChangingModel:
    assert template.exists()
    MODEL.reset()
    return MODEL


@pytest.fixture
def shop(template: Path, model: ChangingModel, tmp_path: Path) -> DriftShop:
    assert not model.broken
    return copy_template(template, tmp_path)
