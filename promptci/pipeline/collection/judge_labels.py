"""Read people's labels for the prompts of a run, as the binding revision has them: no change relaxes its own judge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from promptci.errors import InputError
from promptci.git import globs
from promptci.git.snapshot import Snapshot
from promptci.goldens import labels
from promptci.goldens.labels import Label
from promptci.goldens.model import Assertion, Case
from promptci.pipeline.collection import side_files
from promptci.pipeline.collection.collect import CollectedRun
from promptci.runs.model import PromptPlan
from promptci.scoring import check_assertions
from promptci.scoring.judges import judge
from promptci.scoring.judges.calibrate import LabelledAnswer


def attach_labels(gathered: CollectedRun, base: Snapshot | None, head: Snapshot) -> CollectedRun:
    """Return the labelled answers of each prompt that a judge marks, and what is wrong with the labels.

    `base` is None where head's files bind: in a run of one revision, and where base has no configuration.

    Raises
    ------
    InputError
        With every mistake in a labels file that this change edits (or, without a base, that is there).
    """
    pattern = gathered.config.judge.labels
    there = {path for side in (base, head) if side is not None for path in side.glob(pattern.replace("{name}", "*"))}
    notes = side_files.validate_changed(base, head, sorted(there), labels.parse_labels)
    labelled: dict[str, tuple[LabelledAnswer, ...]] = {}
    distrust: dict[str, tuple[str, ...]] = {}
    plans = []
    for plan in gathered.plans:
        judged = {c.case.id: c.case for c in plan.task.cases if judge.judged_positions(c.case)}
        if not judged:
            plans.append(plan)
            continue
        found, unreadable = _read(plan, pattern, head if base is None else base)
        answers, unused = _answers(found, judged, {c.case.id for c in plan.task.cases})
        if answers or found:
            labelled[plan.name] = answers
        if unreadable:
            distrust[plan.name] = ("its labels cannot be read",)
        change = replace(plan.change, notes=(*plan.change.notes, *unreadable, *unused))
        plans.append(replace(plan, change=change))
    return replace(
        gathered,
        plans=tuple(plans),
        labelled_answers=labelled,
        distrust_reasons=distrust,
        notes=(*gathered.notes, *notes),
    )


def _read(plan: PromptPlan, pattern: str, snapshot: Snapshot) -> tuple[list[Label], list[str]]:
    """Read a prompt's labels, under the name that it had before, too: a new name must not shed them."""
    names = dict.fromkeys(prompt.name for prompt in (plan.change.base, plan.change.head) if prompt is not None)
    paths = dict.fromkeys(
        path for name in names for path in snapshot.glob(pattern.replace("{name}", globs.escape(name)))
    )
    found: list[Label] = []
    notes: list[str] = []
    for path in paths:
        try:
            found += labels.parse_labels(snapshot.read(path) or b"", path)
        except InputError as error:
            notes += [str(problem) for problem in error.problems]
    return found, notes


def _answers(
    found: Sequence[Label], judged: Mapping[str, Case], known: Iterable[str]
) -> tuple[tuple[LabelledAnswer, ...], list[str]]:
    """Put each label to the case it names; what cannot be judged so is said and not used."""
    answers, gone = [], []
    for one in found:
        case = judged.get(one.case_id) or (None if one.case_id in known else _unknown(one, judged))
        if case is not None:
            case = _for_judge(case, one)
        if case is None or check_assertions.find_problems([case]):
            gone.append(f"{one.case_id} (line {one.line})")
        else:
            answers.append(LabelledAnswer(case=case, text=one.answer, acceptable=one.passed))
    few = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
    path = found[0].path if found else ""
    notes = [f"{path}: labels of cases that are not there or not judged were not used: {few}."] if gone else []
    return tuple(answers), notes


def _unknown(one: Label, judged: Mapping[str, Case]) -> Case | None:
    """Return a case for a label that brings its own variables, where all cases are judged alike."""
    ways = {repr([a.content for a in _judged(case)]): case for case in judged.values()}
    if one.vars is None or len(ways) != 1:
        return None
    return replace(next(iter(ways.values())), id=one.case_id, expected=None)


def _for_judge(case: Case, one: Label) -> Case:
    return replace(case, vars=case.vars if one.vars is None else one.vars, assertions=_judged(case))


def _judged(case: Case) -> tuple[Assertion, ...]:
    return tuple(case.assertions[i] for i in judge.judged_positions(case))
