"""Read a promptci.yml in which everything is plainly right, without its schema, whose import takes longest of all.

Whatever needs a second look, such as an unknown key, a number at its bound or a price, is left to the schema. So no
message exists twice: this module only knows values that the schema accepts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from promptci.config.durations import UNITS
from promptci.config.model import Config
from promptci.config.policy import About, GateMode, OnInconclusive, OnMissingGoldens
from promptci.config.trust import find_path_problem, is_platform_token, is_variable_name
from promptci.providers.http import endpoint
from promptci.providers.options import OPENAI_URL

_DURATION = re.compile(r"([1-9][0-9]{0,4})([smh])")


class NotPlainError(Exception):
    """The schema has to look at this value."""


Converter = Callable[[Any], Any]
"""Returns a value as the configuration holds it; raises NotPlainError where that is not plain."""


def read_plain_config(value: Mapping[str, Any]) -> Config | None:
    """Return the configuration in a parsed promptci.yml; None where the schema has to look at it."""
    config = Config()
    try:
        for name, section in value.items():
            if name == "version":
                _one_of({1: None})(section)
            else:
                config = _read_section(config, name, section)
    except NotPlainError:
        return None
    return config


def _read_section(config: Config, name: str, section: Any) -> Config:
    if name not in _SECTIONS or not isinstance(section, dict | None):
        raise NotPlainError
    values = {}
    for key, item in (section or {}).items():
        if key not in _SECTIONS[name]:
            raise NotPlainError
        field, convert = _SECTIONS[name][key]
        values[field] = convert(item)
    if name in ("explain", "traffic", "report"):  # their keys are fields of the configuration itself
        return replace(config, **values)
    if name == "run" and "repeats" in values:
        values |= {"auto_calls": None} if values["repeats"] else {"repeats": config.run.repeats}
    return replace(config, **{name: replace(getattr(config, name), **values)})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise NotPlainError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotPlainError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise NotPlainError
    return tuple(map(_text, texts))


def _map_of_texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise NotPlainError
    return {key: _text(item) for key, item in value.items()}


def _key_variable(value: Any) -> str:
    if is_platform_token(_text(value)) or (value and not is_variable_name(value)):
        raise NotPlainError
    return str(value)


def _seconds(value: Any) -> float:
    match = _DURATION.fullmatch(_text(value))
    if match is None:
        raise NotPlainError
    return float(match[1]) * UNITS[match[2]]


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value) or None


def _path(value: Any) -> str:
    if find_path_problem(_text(value)):
        raise NotPlainError
    return str(value)


def _paths(value: Any) -> tuple[str, ...]:
    return tuple(map(_path, _texts(value)))


def _address(value: Any) -> str:
    if value != OPENAI_URL and endpoint.find_address_problem(_text(value)):
        raise NotPlainError
    return str(value)


def _folder(value: Any) -> str | None:
    return None if value is False or not _text_or_none(value) else _path(value)


def _optional(convert: Converter) -> Converter:
    return lambda value: None if value is None else convert(value)


def _count(low: int, high: int) -> Converter:
    def convert(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise NotPlainError
        return value

    return convert


def _inside(low: float, high: float) -> Converter:
    """Accept a number between the bounds, which are left to the schema."""

    def convert(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low < value < high:
            raise NotPlainError
        return float(value)

    return convert


def _one_of(choices: Mapping[Any, Any]) -> Converter:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in choices:
            raise NotPlainError
        return choices[value]

    return convert


def _same(*words: str) -> Converter:
    return _one_of({word: word for word in words})


def _money(value: Any) -> Decimal:
    return Decimal(str(_inside(0, 1_000_000)(value) if isinstance(value, float) else _count(0, 1_000_000)(value)))


def _or_auto(convert: Converter) -> Converter:
    """Accept `auto`, for which the configuration holds None."""
    return lambda value: None if value == "auto" else convert(value)


_SECTIONS: dict[str, dict[str, tuple[str, Converter]]] = {
    "prompts": {"include": ("include", _paths), "goldens": ("goldens", _path)},
    "provider": {
        "kind": ("kind", _same("openai", "local", "recorded")),
        "base_url": ("base_url", _address),
        "api_key_env": ("api_key_env", _key_variable),
        "model": ("model", _optional(_text)),
        "path": ("path", _optional(_text)),
        "timeout": ("timeout_s", _seconds),
        "headers": ("headers", _map_of_texts),
        "models": ("models", _map_of_texts),
        "strip_reasoning": ("strip_reasoning", _flag),
    },
    "run": {
        "repeats": ("repeats", _or_auto(_count(1, 100))),
        "early_stop": ("early_stop", _flag),
        "batch": ("batch", _same("never", "auto", "always")),
        "concurrency": ("concurrency", _or_auto(_count(1, 1000))),
        "budget_usd": ("budget_usd", _optional(_money)),
        "deadline": ("deadline_s", _seconds),
        "assertion_time": ("assertion_time_s", _seconds),
        "cache": ("cache", _folder),
        "memory": ("memory", _folder),
    },
    "judge": {
        "model": ("model", _optional(_text)),
        "rubric": ("rubric", _optional(_path)),
        "embedding_model": ("embedding_model", _text_or_none),
        "pairwise": ("pairwise", _flag),
        "probes": ("probes", _count(0, 200)),
        "labels": ("labels", _path),
    },
    "gate": {
        "mode": ("mode", _one_of({str(mode): mode for mode in GateMode})),
        "about": ("about", _one_of({str(about): about for about in About})),
        "max_drop": ("max_drop", _inside(0.001, 1)),
        "alpha": ("alpha", _inside(0.0001, 0.5)),
        "on_inconclusive": ("on_inconclusive", _one_of({str(choice): choice for choice in OnInconclusive})),
        "on_missing_goldens": ("on_missing_goldens", _one_of({str(choice): choice for choice in OnMissingGoldens})),
        "min_quality": ("min_quality", _optional(_inside(0, 1))),
        "max_cost_increase": ("max_cost_increase", _optional(_inside(0, 1000))),
        "max_p95_increase": ("max_p95_increase", _optional(_inside(0, 1000))),
        "max_error_rate": ("max_error_rate", _inside(0, 1)),
    },
    "explain": {"calls": ("explain_calls", _count(0, 10_000))},
    "traffic": {"requests_per_day": ("requests_per_day", _optional(_inside(0, 1e12)))},
    "report": {"comment_template": ("comment_template", _optional(_path)), "full_texts": ("full_texts", _flag)},
}
"""For each section and key: the field of its dataclass, and how its value gets there."""
