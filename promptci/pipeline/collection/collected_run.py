"""CollectedRun: what a run has to test, and by which configuration."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from promptci.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from promptci.config.model import Config
    from promptci.errors import Problem
    from promptci.findings import FilteredRun
    from promptci.prompts.model import Prompt
    from promptci.providers.options import ProviderOptions
    from promptci.runs.prompt_plan import PromptPlan


class NamedJudge(NamedTuple):
    """Who scores `judge` assertions, and by what."""

    model: str | None
    rubric: str | None
    """Text of the rubric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectedRun:
    """Everything that a run needs to know before it asks."""

    config: Config
    """The binding one: base's where base has one."""
    config_source: str
    """Where it comes from, for the report."""
    plans: tuple[PromptPlan, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Mistakes in the files of some prompts. The others are tested all the same, and the verdict is `error`."""
    rubric: str | None = None
    """Text of the judge's rubric, from the revision of the configuration."""
    judges: Mapping[str, NamedJudge] = field(default_factory=dict)
    """Who scores `judge` assertions, by prompt, where that is not the judge of the configuration."""
    endpoints: Mapping[str, ProviderOptions] = field(default_factory=dict)
    """Who answers prompts that have an endpoint of their own, by the id in the prompt."""
    filtered: FilteredRun | None = None
    """Which part of the run was requested; None: all of it."""
    unmerged_config: bool = False
    """Whether only the change has a configuration: a comparison by it is no evidence that the change is harmless."""
    is_own_base: bool = False
    """Whether the version that is tested is the one that it would be compared with."""
    untested_settings: tuple[str, ...] = ()
    """Settings that the change edits and that no answer was asked with."""

    def provider_of(self, prompt: Prompt | None) -> ProviderOptions:
        """Return who answers a prompt."""
        return self.config.provider if prompt is None else self.endpoints.get(prompt.endpoint, self.config.provider)

    def judge_of(self, prompt: str) -> NamedJudge:
        """Return who scores the `judge` assertions of a prompt."""
        return self.judges.get(prompt) or NamedJudge(model=self.config.judge.model, rubric=self.rubric)
