"""Load promptfoo's configuration: its sections in order, each by its reader."""

from collections.abc import Mapping
from typing import Any

from promptci.errors import InputError, Problem
from promptci.prompts.formats.parse_context import name_key
from promptci.prompts.promptfoo.config import READ_KEYS, PromptfooConfig, Read, iterate_entries
from promptci.prompts.promptfoo.providers import get_provider_id, read_provider
from promptci.prompts.promptfoo.read_prompts import read_prompts
from promptci.prompts.promptfoo.read_tests import read_tests
from promptci.prompts.source import FindFiles, find_nothing

MAX_SHOWN_ID = 80
"""Characters of a provider's id that messages show."""


def load_promptfoo(path: str, read: Read, glob: FindFiles = find_nothing) -> PromptfooConfig:
    """Return what a configuration holds; raises InputError where it cannot be read."""
    config = PromptfooConfig(path, read, glob)
    value = config.load(path)
    if not isinstance(value, dict):
        raise InputError([Problem(path=path, message="the configuration must be a map", hint="Name another file.")])
    config.left_out += [name_key(str(key), READ_KEYS) for key in value if key not in READ_KEYS]
    read_prompts(config, value.get("prompts"))
    _read_providers(config, value)
    read_tests(config, value)
    return config


def _read_providers(config: PromptfooConfig, value: Mapping[str, Any]) -> None:
    """Take the first provider; promptci asks one model."""
    listed = list(iterate_entries(value.get("providers") or value.get("targets")))
    config.providers = [get_provider_id(item)[:MAX_SHOWN_ID] for item in listed]
    config.left_out += [f"the provider `{name}`" for name in config.providers[1:]]
    if not listed:
        return
    provider = read_provider(listed[0])
    config.model, config.parameters = provider.model, provider.parameters
    config.base_url, config.api_key_env = provider.base_url, provider.api_key_env
    config.left_out += provider.left_out
    config.every_test += provider.every_test
