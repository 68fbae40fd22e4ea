"""Finding: what a rule concluded, as data. The sentences are made from it in `present/finding_text`, once per rule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from promptci.lazy_dataclass import dataclass
from promptci.verdict import Verdict


class Facts(Protocol):
    """What one rule measured: a NamedTuple, because forty dataclasses would cost a start-up of 40 ms."""

    def _asdict(self) -> dict[str, Any]:
        """Return the facts by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one rule concluded about one subject, and what that alone would make the verdict."""

    rule: str
    """Stable name: `regression`, `critical`, `min-quality`, `cost`, `p95`, `error-rate`, `missing-goldens`, …"""
    verdict: Verdict
    """`no-change` for a remark."""
    subject: str
    """The prompt's name; empty for the run as a whole."""
    facts: Facts


class NoFacts(NamedTuple):
    """For rules of which the name says everything."""


class MessageFacts(NamedTuple):
    """An error in the words of the module that raised it."""

    message: str


class InterruptedRun(NamedTuple):
    """The run ended before every question was asked: `deadline`, `budget`, `assertion-time`."""

    cause: str


class PromptNames(NamedTuple):
    """The prompts that a finding about the run is about."""

    names: tuple[str, ...]


class UntestedSettings(NamedTuple):
    """What a change edits in promptci.yml that none of the answers was asked with."""

    names: tuple[str, ...]
    """Keys, such as `provider.base_url`."""


class FilteredRun(NamedTuple):
    """Only some of the prompts and cases were tested, because somebody asked for these."""

    filters: tuple[str, ...]
    """As typed, such as `--prompt order`."""
    cases: int
    """Cases that were asked."""
    all_cases: int
    """Cases that the whole run would ask."""


class NoSecrets(NamedTuple):
    """Prompts could not be tested because GitHub gives no secrets to commits from outside."""

    prompts: tuple[str, ...]
    source: str
    """Who gets none, such as `pull requests from forks`."""
    remedy: str


def remark(rule: str, subject: str, facts: Facts) -> Finding:
    """Return a finding that informs and does not change the verdict."""
    return Finding(rule=rule, verdict=Verdict.NO_CHANGE, subject=subject, facts=facts)


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """Return facts as JSON values: nested facts as objects, times in ISO 8601, unknown as null."""
    return {name: _json_value(value) for name, value in facts._asdict().items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return facts_as_json(value)
    if isinstance(value, tuple | list):
        return [_json_value(item) for item in value]
    return value
