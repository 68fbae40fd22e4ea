"""The rubric of `judge` assertions: the file that promptci.yml names, as the binding revision has it."""

from collections.abc import Collection, Sequence

from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8
from promptci.git.snapshot import Snapshot
from promptci.pipeline.collection.binding_config import BindingConfig
from promptci.runs.prompt_plan import PromptPlan
from promptci.wording import join_names

MAX_NAMES = 3


def load_rubric(snapshot: Snapshot, path: str | None) -> str | None:
    """Return the text of the judge's rubric; raise InputError where the file that promptci.yml names is missing."""
    if path is None:
        return None
    data = snapshot.read(path)
    if data is None:
        message = f"`judge.rubric` names this file, which does not exist at {snapshot.label}"
        raise InputError([Problem(path=path, message=message, hint="Commit it, or correct `judge.rubric`.")])
    return decode_utf8(data, path)


def split_unjudged(
    plans: Sequence[PromptPlan], binding: BindingConfig, config_path: str
) -> tuple[tuple[PromptPlan, ...], list[Problem]]:
    """Return the plans that can be scored, and a problem for those that need a judge which only the change sets."""
    base, head = binding.base.judge, binding.head.judge
    if not binding.base.present or (base.model and base.rubric) or not (head.model and head.rubric):
        return tuple(plans), []
    judged = [plan for plan in plans if _needs_judge(plan)]
    if not judged:
        return tuple(plans), []
    names = join_names([f"`{plan.name}`" for plan in judged], MAX_NAMES)
    message = f"the base revision's {config_path} sets no judge, which decides about {names}"
    hint = f"Merge {config_path} and {head.rubric} first, in a pull request of their own."
    problem = Problem(path=config_path, message=message, hint=hint)
    return tuple(plan for plan in plans if plan not in judged), [problem]


def _needs_judge(plan: PromptPlan) -> bool:
    assertions = (assertion for planned in plan.task.cases for assertion in planned.case.assertions)
    return any(each.type == "judge" and not each.options.get("rubric") for each in assertions)


def note_edited_rubric(binding: BindingConfig, head: Snapshot, touched: Collection[str]) -> tuple[str, ...]:
    """Return a note on a rubric that the change edits and that does not decide about it.

    Raises
    ------
    InputError
        Where the change removes the rubric that its own configuration names.
    """
    path = binding.config.judge.rubric
    if path not in touched or not binding.base.present:
        return ()
    load_rubric(head, binding.head.judge.rubric)
    return (f"This change edits {path}. The base revision's rubric decides; the new one counts once it is merged.",)
