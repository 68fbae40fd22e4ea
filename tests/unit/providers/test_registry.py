from pathlib import Path

import pytest
from fakes.openai_server import OpenAIServer

from promptci.errors import InputError, ProviderError
from promptci.providers import registry
from promptci.providers.base import Completion, Provider, Request
from promptci.providers.cache import AnswerCache
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.local.provider import LocalModel
from promptci.providers.options import ProviderOptions
from promptci.providers.replay import ReplayProvider

HERE = Path("/nowhere")
REQUEST = Request(model="m", messages=({"role": "user", "content": "hi"},))


def make(
    options: ProviderOptions, environ: dict[str, str] | None = None, *, root: Path = HERE, home: Path = HERE
) -> Provider:
    return registry.create_provider(options, environ or {}, root, home)


def test_the_default_is_openai_with_the_key_of_the_environment() -> None:
    provider = make(ProviderOptions(), {"OPENAI_API_KEY": "sk-something"})

    assert isinstance(provider, OpenAIProvider)
    assert provider.name == "api.openai.com"


def test_at_a_terminal_a_missing_key_comes_with_the_command_to_type() -> None:
    with pytest.raises(ProviderError) as caught:
        make(ProviderOptions(api_key_env="MY_KEY"))

    assert str(caught.value).startswith(
        "`MY_KEY` is not set, and the endpoint requires a key. Run `export MY_KEY=…` first."
    )
    assert "workflow" not in str(caught.value)


def test_in_a_workflow_a_missing_key_comes_with_the_line_to_add() -> None:
    with pytest.raises(ProviderError) as caught:
        make(ProviderOptions(api_key_env="MY_KEY"), {"GITHUB_ACTIONS": "true"})

    assert "`MY_KEY` is not set, and the endpoint requires a key" in str(caught.value)
    assert "`MY_KEY: ${{ secrets.MY_KEY }}`" in str(caught.value)
    assert "fork" in str(caught.value)


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_a_blank_key_is_a_missing_one(key: str) -> None:
    with pytest.raises(ProviderError, match="is not set"):
        make(ProviderOptions(), {"OPENAI_API_KEY": key})


@pytest.mark.parametrize("key", ["sk-CANARY\nX-Evil: 1", "sk-CANARY two", "sk-CANARY-é", "sk-CANARY\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ProviderError) as caught:
        make(ProviderOptions(), {"OPENAI_API_KEY": key})

    assert "CANARY" not in str(caught.value)
    assert "OPENAI_API_KEY" in str(caught.value)


async def test_the_newline_after_a_pasted_key_is_cut_off() -> None:
    with OpenAIServer() as server:
        provider = make(ProviderOptions(base_url=server.base_url), {"OPENAI_API_KEY": "sk-something\n"})
        await provider.complete(REQUEST, replicate=0)
        await provider.aclose()

    assert server.calls[0].headers["authorization"] == "Bearer sk-something"


def test_an_endpoint_on_this_machine_needs_no_key() -> None:
    assert make(ProviderOptions(base_url="http://localhost:8000/v1")).name == "localhost"


def test_an_endpoint_elsewhere_needs_no_key_where_none_is_named() -> None:
    assert make(ProviderOptions(base_url="https://models.example/v1", api_key_env="")).name == "models.example"


def test_an_address_that_exposes_the_key_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ProviderError, match="overheard"):
        make(ProviderOptions(base_url="http://models.example/v1"), {"OPENAI_API_KEY": "sk-something"})


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProviderError, match="Use one of openai, local, recorded"):
        make(ProviderOptions(kind="anthropic"))


def test_the_embedded_model_without_its_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="promptci demo --set-up"):
        make(ProviderOptions(kind="local"), home=tmp_path)


def test_the_embedded_model_s_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF")

    assert isinstance(make(ProviderOptions(kind="local"), {"PROMPTCI_MODEL_FILE": str(file)}), LocalModel)
    with pytest.raises(ProviderError, match="PROMPTCI_MODEL_FILE names"):
        make(ProviderOptions(kind="local"), {"PROMPTCI_MODEL_FILE": str(file) + ".not"})


def test_recorded_answers_are_found_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text("")

    assert isinstance(make(ProviderOptions(kind="recorded", path="answers.jsonl"), root=tmp_path), ReplayProvider)
    with pytest.raises(ProviderError, match=r"there is no file other\.jsonl"):
        make(ProviderOptions(kind="recorded", path="other.jsonl"), root=tmp_path)
    with pytest.raises(ProviderError, match=r"provider\.path is missing"):
        make(ProviderOptions(kind="recorded"), root=tmp_path)


def test_a_recording_that_cannot_be_read_names_its_lines(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text("\n{}\n")

    with pytest.raises(InputError, match=r"answers\.jsonl:2: `key`"):
        make(ProviderOptions(kind="recorded", path="answers.jsonl"), root=tmp_path)


def cache(folder: Path, base_url: str, key: str) -> AnswerCache:
    opened = registry.open_answer_cache(ProviderOptions(base_url=base_url), {"OPENAI_API_KEY": key}, folder)
    assert opened is not None
    return opened


def test_a_cache_serves_the_endpoint_and_key_it_was_filled_with(tmp_path: Path) -> None:
    first = cache(tmp_path, "https://a.example/v1", "sk-one")
    first.store(REQUEST, 0, Completion(text="answer"))
    first.close()

    def has_answer(base_url: str, key: str) -> bool:
        return cache(tmp_path, base_url, key).lookup(REQUEST, 0) is not None

    assert has_answer("https://a.example/v1/", "sk-one")
    assert not has_answer("https://b.example/v1", "sk-one")
    assert not has_answer("https://a.example/v1", "sk-two")


def test_recorded_answers_are_not_cached(tmp_path: Path) -> None:
    assert registry.open_answer_cache(ProviderOptions(kind="recorded"), {}, tmp_path) is None
