"""A configuration is read without its schema only where the schema would read the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.config.model import Config
from promptci.config.plain_config import read_plain_config
from promptci.config.schema import ConfigFile
from promptci.config.validate import validate_config
from promptci.errors import ConfigError
from promptci.files.strict_yaml import SourcePosition, YamlDocument

KEYS = {
    name: field.annotation for name, field in ConfigFile.model_fields.items() if name not in {"version", "overrides"}
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 102),
    st.sampled_from([0, 1, 1000, 1001, 100_000]),
    st.floats(-0.5, 1.5, allow_nan=False),
    st.sampled_from([0.0, 0.05, 0.3, 0.5, 1.0, 2.0, 1e-7]),
    st.sampled_from(["auto", "never", "always", "block", "warn", "advise", "error", "goldens", "inputs", "recorded"]),
    st.sampled_from(["", "90s", "45m", "0s", "1.5h", "60", "a/b", "GITHUB_TOKEN", "MY_KEY", "local", "openai"]),
    st.lists(st.sampled_from(["prompts/*.yml", "", 3]), max_size=2),
    st.dictionaries(st.sampled_from(["a", "min_kappa", "initial"]), st.sampled_from(["b", 0.5, 2, ""]), max_size=2),
)


def section(name: str) -> st.SearchStrategy[Any]:
    model: Any = KEYS[name]
    keys = st.sampled_from([*model.model_fields, "unknown"])
    return st.none() | st.dictionaries(keys, VALUES, max_size=3) | VALUES


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from([*KEYS, "unknown", "version"]), unique=True, max_size=3))
    return {name: draw(section(name) if name in KEYS else VALUES) for name in names}


def by_schema(value: dict[str, Any]) -> Config | None:
    try:
        return validate_config(YamlDocument(value, SourcePosition(1)), "promptci.yml")
    except ConfigError:
        return None


@given(files())
def test_what_is_read_plainly_is_what_the_schema_reads(value: dict[str, Any]) -> None:
    plain = read_plain_config(value)
    assert plain is None or repr(plain) == repr(by_schema(value))


@pytest.mark.parametrize("name", KEYS)
def test_every_single_value_is_read_alike(name: str) -> None:
    model: Any = KEYS[name]
    examples = [
        None,
        True,
        False,
        0,
        1,
        7,
        0.25,
        1.0,
        "auto",
        "block",
        "90s",
        "GITHUB_TOKEN",
        "",
        ["a"],
        [],
        {"a": "b"},
    ]
    for key in [*model.model_fields, "unknown"]:
        for example in examples:
            plain = read_plain_config({name: {key: example}})
            assert plain is None or repr(plain) == repr(by_schema({name: {key: example}})), (key, example)


def test_the_settings_of_most_repositories_are_plain() -> None:
    value = {
        "version": 1,
        "prompts": {"include": ["prompts/*.prompt.yml"], "goldens": "goldens/{name}.*"},
        "provider": {"base_url": "https://api.example.com/v1", "api_key_env": "MY_KEY", "timeout": "90s"},
        "run": {"repeats": 3, "concurrency": "auto", "budget_usd": 2.0, "deadline": "45m", "cache": None},
        "gate": {"mode": "advise", "max_drop": 0.03, "max_cost_increase": None},
        "traffic": {"requests_per_day": 5000},
    }
    plain = read_plain_config(value)
    assert plain is not None
    assert repr(plain) == repr(by_schema(value))
