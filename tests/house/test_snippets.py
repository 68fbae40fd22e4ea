"""The snippets of the documents work as they stand."""

import re
from pathlib import Path

import pytest
import yaml

from promptci.config import load as config_load
from promptci.errors import ProviderError
from promptci.providers import registry
from promptci.providers.http import endpoint

ROOT = Path(__file__).parents[2]
SNIPPET = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
ENDPOINTS = SNIPPET.findall((ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("snippet", ENDPOINTS, ids=lambda text: text.split("\n")[1].strip())
def test_a_provider_of_the_documents_loads_and_can_be_made(snippet: str, tmp_path: Path) -> None:
    config = config_load.load_config(snippet.encode(), "promptci.yml")
    options = config.provider

    assert config.present
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "recorded.jsonl").touch()
    (tmp_path / "model.gguf").touch()
    environ = {
        options.api_key_env: "canary-key-0123",
        "PROMPTCI_MODEL_FILE": str(tmp_path / "model.gguf"),
        "TEAM": "search",
    }
    if options.kind == "openai":
        endpoint.check_base_url(options.base_url, has_key=bool(options.api_key_env))
    if options.kind != "local":
        provider = registry.create_provider(options, environ, tmp_path, tmp_path)
        assert provider.name == (endpoint.host_name(options.base_url) if options.kind == "openai" else "recorded")


def test_all_that_is_promised_has_a_snippet() -> None:
    text = "\n".join(ENDPOINTS)
    expected = ("openai.azure.com/openai/v1", "openrouter.ai/api/v1", "vllm:8000", "11434", "corp.example", "local")
    assert [name for name in expected if name not in text] == []


def test_what_the_documents_say_is_refused_is() -> None:
    for base_url in ("http://vllm:8000/v1", "http://169.254.169.254/v1"):
        with pytest.raises(ProviderError):
            endpoint.check_base_url(base_url, has_key=True)


def test_the_steps_of_the_caching_page_are_pinned_and_keep_what_was_paid_for() -> None:
    settings, workflow = SNIPPET.findall((ROOT / "docs" / "caching.md").read_text(encoding="utf-8"))
    assert config_load.load_config(settings.encode(), "promptci.yml").run == config_load.load_config(None, "").run
    steps = yaml.safe_load(workflow)["steps"]
    restore, save = (step for step in steps if step["uses"].startswith("actions/cache/"))

    assert all(re.search(r"@[0-9a-f]{40}$|^promptci/", step["uses"]) for step in steps)
    assert restore["with"]["key"] == save["with"]["key"]
    assert restore["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert restore["with"]["path"] == config_load.load_config(None, "").run.cache
    assert save["if"] == "always()"


def test_local_links_of_the_security_page_lead_somewhere() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert [path for path in re.findall(r"`(tests/[\w/.]+)`", text) if not (ROOT / path).exists()] == []


def test_the_settings_of_the_batch_page_are_settings() -> None:
    (snippet,) = SNIPPET.findall((ROOT / "docs" / "batch.md").read_text(encoding="utf-8"))
    asking = config_load.load_config(snippet.encode(), "promptci.yml").run

    assert (asking.batch, asking.deadline_s) == ("auto", 5 * 3600)
