"""Compare the endpoint of a promptfoo configuration with the one that promptci.yml sets."""

import json
from collections.abc import Iterator

from promptci.config.model import Config
from promptci.errors import InputError
from promptci.git.snapshot import Snapshot
from promptci.prompts.find import find_selected_files, is_vendored
from promptci.prompts.promptfoo.config import PromptfooConfig
from promptci.prompts.promptfoo.load import load_promptfoo

CONFIG_NAMES = frozenset(f"promptfooconfig.{suffix}" for suffix in ("yaml", "yml", "json"))
"""Names that promptfoo looks for."""
DATA_SUFFIXES = (".yaml", ".yml", ".json")
MAX_EXAMINED = 200
PROVIDER_HINT = (
    "write `provider: {base_url: …, api_key_env: …}`, or for a program `provider: {kind: command, run: […]}`,"
)


def dump_provider(config: PromptfooConfig) -> str:
    """Return section `provider` of promptci.yml with the endpoint of the first provider."""
    lines = ["provider:", f"  base_url: {json.dumps(config.base_url)}"]
    lines.append(f"  api_key_env: {json.dumps(config.api_key_env or '')}")
    return "\n".join(lines) + "\n"


def describe_difference(config: PromptfooConfig, settings: Config, settings_path: str) -> str | None:
    """Return which endpoint of promptfoo is not asked, which one is, and what to write; None where they are the same.

    An endpoint of `overrides` counts too: it may be that of these prompts.
    """
    if config.base_url is None:
        return None
    key = config.api_key_env or ""
    address = config.base_url.rstrip("/")
    common = settings.provider
    if any(o.kind == "openai" and o.base_url.rstrip("/") == address for o in settings.endpoints[1:]):
        return None
    described = f"the endpoint {config.base_url}{f' with the key in {key}' if key else ''}"
    asked = f"{settings_path} asks {common.label}" if settings.present else f"without {settings_path}, {common.label}"
    setting = f"{{base_url: {json.dumps(config.base_url)}, api_key_env: {json.dumps(key)}}}"
    if common.kind == "openai" and common.base_url.rstrip("/") == address:
        if not key or common.api_key_env == key:
            return None
        asked += f" with the key in {common.api_key_env}" if common.api_key_env else " without a key"
    elif not settings.present:
        asked += " is asked"
    return f"{described}: {asked}. To use promptfoo's, write `provider: {setting}` in {settings_path}"


def describe_unknown(config: PromptfooConfig, settings: Config, settings_path: str) -> str | None:
    """Return who is asked where the first provider has no endpoint that is known; None where it has."""
    if config.base_url is not None or not config.providers:
        return None
    return f"{settings.provider.label} is asked instead. To change that, {PROVIDER_HINT} in {settings_path}"


def describe_differences(snapshot: Snapshot, settings: Config, settings_path: str) -> Iterator[str]:
    """Yield a sentence for each promptfoo configuration whose endpoint is not the one that is asked."""
    selected = find_selected_files(snapshot, settings.prompts.include)
    paths = [path for path, selectors in selected.items() if path.endswith(DATA_SUFFIXES) and not selectors]
    paths += [path for path in snapshot.paths() if path.rpartition("/")[2] in CONFIG_NAMES and not is_vendored(path)]
    for path in list(dict.fromkeys(paths))[:MAX_EXAMINED]:
        try:
            config = load_promptfoo(path, snapshot.read, snapshot.glob)
        except InputError:  # an error of its own where a pattern names it
            continue
        if (text := describe_difference(config, settings, settings_path)) is not None:
            yield f"{path} names {text}"
        elif config.base_url is None and config.providers:
            name = f"{path} names the provider `{config.providers[0]}`, which promptci cannot ask: "
            yield name + str(describe_unknown(config, settings, settings_path))
