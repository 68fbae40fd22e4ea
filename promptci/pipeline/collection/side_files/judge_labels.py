"""Attach people's labels to prompts, as the binding revision has them: no change can relax its own judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from promptci.errors import InputError
from promptci.git import globs
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection.side_files import edited_files
from promptci.wording import join_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from promptci.git.snapshot import Snapshot
    from promptci.goldens import labels
    from promptci.goldens.labels import Label, LabelledAnswer
    from promptci.goldens.model import Assertion, Case
    from promptci.pipeline.collection.collected_run import CollectedRun
    from promptci.runs.prompt_plan import PromptPlan
else:
    labels = lazy_import("promptci.goldens.labels")


def attach_labels(collected: CollectedRun, base: Snapshot | None, head: Snapshot) -> CollectedRun:
    """Return the run with the labelled answers of each prompt that a judge scores, and notes on unused labels.

    `base` is None where head's files bind: in a run of one revision, and where base has no configuration.

    Raises
    ------
    InputError
        With every mistake in a labels file that this change edits (or, without a base, that exists).
    """
    pattern = collected.config.judge.labels
    snapshots = [side for side in (base, head) if side is not None]
    paths = {path for side in snapshots for path in side.glob(pattern.replace("{name}", "*"))}
    notes = edited_files.validate_changed(base, head, sorted(paths), labels.parse_labels) if paths else []
    plans = tuple(_attach(plan, pattern, head if base is None else base) for plan in collected.plans)
    return replace(collected, plans=plans, notes=(*collected.notes, *notes))


def _attach(plan: PromptPlan, pattern: str, binding: Snapshot) -> PromptPlan:
    from promptci.scoring.judges import judge

    judged = {c.case.id: c.case for c in plan.task.cases if judge.judged_positions(c.case)}
    if not judged:
        return plan
    prompt_labels, unreadable = _read(plan, pattern, binding)
    answers, unused = _match_labels(prompt_labels, judged, {c.case.id for c in plan.task.cases})
    return replace(
        plan,
        task=replace(
            plan.task,
            labelled=answers if prompt_labels else None,
            judge_distrust=("its labels cannot be read",) if unreadable else (),
        ),
        change=replace(plan.change, notes=(*plan.change.notes, *unreadable, *unused)),
    )


def _read(plan: PromptPlan, pattern: str, snapshot: Snapshot) -> tuple[list[Label], list[str]]:
    """Read a prompt's labels, under the name that it had before, too: a new name must not shed them."""
    names = dict.fromkeys(prompt.name for prompt in (plan.change.base, plan.change.head) if prompt is not None)
    paths = dict.fromkeys(
        path for name in names for path in snapshot.glob(pattern.replace("{name}", globs.escape(name)))
    )
    prompt_labels: list[Label] = []
    notes: list[str] = []
    for path in paths:
        try:
            prompt_labels += labels.parse_labels(snapshot.read(path) or b"", path)
        except InputError as error:
            notes += [str(problem) for problem in error.problems]
    return prompt_labels, notes


def _match_labels(
    prompt_labels: Sequence[Label], judged: Mapping[str, Case], case_ids: Iterable[str]
) -> tuple[tuple[LabelledAnswer, ...], list[str]]:
    """Match labels to cases; return the labelled answers and a note on labels that cannot be used."""
    from promptci.scoring import check_assertions

    answers, unused = [], []
    for label in prompt_labels:
        case = judged.get(label.case_id) or (None if label.case_id in case_ids else _standalone_case(label, judged))
        if case is not None:
            case = _case_for_judge(case, label)
        if case is None or check_assertions.find_problems([case]):
            unused.append(f"{label.case_id} (line {label.line})")
        else:
            answers.append(labels.LabelledAnswer(case=case, text=label.answer, acceptable=label.passed))
    if not unused:
        return tuple(answers), []
    names = join_names(unused, limit=3)
    note = f"{prompt_labels[0].path}: labels of cases that do not exist or are not judged were not used: {names}."
    return tuple(answers), [note]


def _standalone_case(label: Label, judged: Mapping[str, Case]) -> Case | None:
    """Return a case for a label that brings its own variables, where all cases are judged alike."""
    kinds = {repr([assertion.content for assertion in _judged_assertions(case)]): case for case in judged.values()}
    if label.vars is None or len(kinds) != 1:
        return None
    return replace(next(iter(kinds.values())), id=label.case_id, expected=None)


def _case_for_judge(case: Case, label: Label) -> Case:
    variables = case.vars if label.vars is None else label.vars
    return replace(case, vars=variables, assertions=_judged_assertions(case))


def _judged_assertions(case: Case) -> tuple[Assertion, ...]:
    from promptci.scoring.judges import judge

    return tuple(case.assertions[i] for i in judge.judged_positions(case))
