"""A workflow file that runs the Action: its triggers, and its jobs with their promptci step."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.files.strict_yaml import YamlDocument
from promptci.lazy_dataclass import dataclass
from promptci.publish.runner.inputs import DEFAULTS

_PROMPTCI_ACTION = re.compile(r"(?:^|/)promptci(?P<composite>/composite)?(?:[@:]|$)")


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def as_text(value: Any) -> str:
    """Return a scalar as GitHub renders it; empty for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workflow:
    """One file."""

    path: str
    document: YamlDocument

    @property
    def value(self) -> Mapping[str, Any]:
        """The content of the file."""
        return as_mapping(self.document.value)

    @property
    def triggers(self) -> set[str]:
        """Names of the events that start it."""
        on = self.value.get("on")
        return set(on) if isinstance(on, Mapping | list) else {as_text(on)}

    def jobs(self) -> Iterator["PromptciJob"]:
        """Yield the jobs that run promptci."""
        for name, job in as_mapping(self.value.get("jobs")).items():
            steps = as_mapping(job).get("steps")
            known = [as_mapping(step) for step in steps] if isinstance(steps, list) else []
            index = next((i for i, step in enumerate(known) if _tests_prompts(step)), None)
            if index is not None:
                yield PromptciJob(workflow=self, name=name, value=as_mapping(job), steps=known, step_index=index)


def _tests_prompts(step: Mapping[str, Any]) -> bool:
    """Return whether a step tests prompts; a step with `from` only posts the report of another run."""
    return not as_mapping(step.get("with")).get("from") and bool(
        _PROMPTCI_ACTION.search(as_text(step.get("uses")).partition("@")[0] + "@")
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptciJob:
    """A job that runs promptci."""

    workflow: Workflow
    name: str
    value: Mapping[str, Any]
    steps: list[Mapping[str, Any]]
    step_index: int
    """Index of the promptci step."""

    @property
    def step(self) -> Mapping[str, Any]:
        """The promptci step."""
        return self.steps[self.step_index]

    @property
    def is_composite(self) -> bool:
        """Whether the step runs on the runner itself, and not in the Action's container."""
        match = _PROMPTCI_ACTION.search(as_text(self.step.get("uses")))
        return match is not None and match["composite"] is not None

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs that the step sets."""
        return as_mapping(self.step.get("with"))

    def input(self, name: str) -> str:
        """Return an input of the step, its default where the step does not set it."""
        return as_text(self.inputs.get(name, DEFAULTS[name]))

    def setting(self, key: str) -> tuple[Any, bool]:
        """Return a key of the job, or else of the workflow, and whether it is the job's own."""
        own = self.value.get(key)
        return (self.workflow.value.get(key), False) if own is None else (own, True)

    def line_of(self, *path: str | int) -> int:
        """Return the line of a key of the job."""
        return self.workflow.document.line_of(("jobs", self.name, *path))
