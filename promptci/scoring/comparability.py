"""Whether base and head can be compared at all: what the numbers rest on, and what does not match.

A change of model or parameters in the prompt file is the change under test, and is listed. An endpoint that answers
one version with another model although both ask for the same is not: then a difference says nothing about the change.
"""

import re
from collections.abc import Iterator, Mapping

from promptci.files import canonical
from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import Prompt
from promptci.runs.prompt_plan import Arm
from promptci.scoring.prompt_run import PromptRun

UNNAMED = "not named"
_TAIL = re.compile(r"(?:[-@:](?:\d{3,8}|\d{4}-\d{2}-\d{2})|[-.]q\d\w*)$")
"""A model's date, running number or quantisation: `-2024-07-18`, `-0613`, `@20241022`, `-q4_1`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparability:
    """What the comparison of one prompt rests on."""

    parts: Mapping[str, str]
    """By name, in the order of reading; where the versions differ, both sides: `a → b`."""
    mismatches: tuple[str, ...] = ()
    """Why the versions cannot be compared, each a clause; nothing where they can."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the parts: numbers under one fingerprint can be compared."""
        return canonical.digest(dict(self.parts))


def assess_comparability(run: PromptRun) -> Comparability | None:
    """Find out what a comparison rests on; None where nothing is compared."""
    plan = run.plan
    if plan.change.base is None or plan.change.head is None or not run.pairs:
        return None
    base, head = (returned_models(run, arm) for arm in Arm)
    parts = {
        "goldens": _goldens(run),
        **plan.task.judged_by,
        "model asked": _sides(plan.change.base.model, plan.change.head.model),
        "models returned": _sides(_join_names(base), _join_names(head)),
        "parameters": _sides(_parameters(plan.change.base), _parameters(plan.change.head)),
        "response format": _sides(_response_format(plan.change.base), _response_format(plan.change.head)),
    }
    return Comparability(parts=parts, mismatches=tuple(_mismatches(plan.change.base, plan.change.head, base, head)))


def returned_models(run: PromptRun, arm: Arm) -> tuple[str, ...]:
    """Return the models that the endpoint named for the answers that are compared, sorted."""
    scored = [answer for pair in run.pairs for answer in pair.answers(arm) if answer.error is None]
    completions = [answer.answer.completion for answer in scored]
    return tuple(sorted({c.model for c in completions if c is not None and c.model}))


def find_unexpected_models(asked: str, returned: tuple[str, ...]) -> tuple[str, ...]:
    """Return the models returned that are not the one asked for.

    An alias answered by a dated model is usual, and so is a dated name echoed without its date; another date is not.
    """
    return tuple(
        model
        for model in returned
        if not (_written_names(asked) & _names(model) or _names(asked) & _written_names(model))
    )


def _mismatches(base: Prompt, head: Prompt, before: tuple[str, ...], now: tuple[str, ...]) -> Iterator[str]:
    if base.model == head.model and before and now and before != now:
        yield (
            f"different models answered: before {_join_names(before)}, after {_join_names(now)},"
            f" though both ask for {head.model}"
        )


def _goldens(run: PromptRun) -> str:
    """Name the compared cases' text and what they weigh."""
    cases = sorted((pair.case for pair in run.compared), key=lambda case: case.id)
    digest = canonical.digest([[case.id, case.digest, case.weight, case.cluster] for case in cases])
    return f"{len(cases)} compared, {digest}"


def _parameters(prompt: Prompt) -> str:
    return canonical.canonical_json(dict(prompt.parameters)) if prompt.parameters else "none"


def _response_format(prompt: Prompt) -> str:
    if prompt.json_schema is None:
        return prompt.response_format
    return f"{prompt.response_format}, {canonical.digest(dict(prompt.json_schema))}"


def _written_names(model: str) -> set[str]:
    """Return a model's name with and without its publisher; `latest` says nothing, and upper case neither."""
    whole = model.strip().lower().removesuffix(".gguf").removesuffix("-latest").removesuffix(":latest")
    return {whole, whole.rpartition("/")[2]}


def _names(model: str) -> set[str]:
    """Return the names of a model: as written, and without its date."""
    return {name for written in _written_names(model) for name in (written, _TAIL.sub("", written))}


def _join_names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or UNNAMED


def _sides(before: str, now: str) -> str:
    return now if before == now else f"{before} → {now}"
