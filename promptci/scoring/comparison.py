"""Compare the versions of a prompt: its scored answers paired by case, and the effect measured on them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from promptci.compare import effect as effects
from promptci.compare.effect import Effect
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.runs.prompt_plan import Arm, PromptPlan
from promptci.scoring.comparability import assess_comparability
from promptci.scoring.model import ScoredCase
from promptci.scoring.paired_case import PairedCase
from promptci.scoring.prompt_run import PromptRun
from promptci.scoring.version_summary import summarize_version


def compare_versions(run: PromptRun, *, alpha: float, margin: float = 0.05) -> PromptRun:
    """Return the run with its scored answers paired by case, and the difference between the versions measured.

    Parameters
    ----------
    run
        A prompt with scored answers of both versions, every replicate, in any order. All of them count.
    alpha
        One-sided error rate; the interval is two-sided at 1 - 2 alpha, so that it and the test agree.
    margin
        Drop worth blocking for.
    """
    return compare_cases(run, pair_cases(run.plan, run.scored), alpha=alpha, margin=margin)


def compare_cases(run: PromptRun, cases: tuple[PairedCase, ...], *, alpha: float, margin: float) -> PromptRun:
    """Return the run with these cases, and the difference between the versions measured on them."""
    plan = run.plan
    design = plan_design(plan, cases, alpha=alpha, margin=margin)
    samples, worst_case = build_samples(cases, design, plan.name)
    compared = replace(
        run,
        cases=cases,
        samples=samples,
        worst_case=worst_case,
        effect=None if samples is None else measure(samples, plan),
        base=None if plan.change.base is None else summarize_version(cases, Arm.BASE, graded=design.graded),
        head=None if plan.change.head is None else summarize_version(cases, Arm.HEAD, graded=design.graded),
    )
    compared.comparability = assess_comparability(compared)
    return compared


def pair_cases(plan: PromptPlan, scored: Iterable[ScoredCase]) -> tuple[PairedCase, ...]:
    """Return every case of a plan with the scored answers of both versions, each version's in the order of asking."""
    answers: dict[tuple[str, Arm], list[ScoredCase]] = defaultdict(list)
    for answer in sorted(scored, key=lambda answer: answer.replicate):
        answers[answer.case.id, answer.arm].append(answer)
    return tuple(
        PairedCase(
            case=planned.case,
            change=planned.change,
            excluded_reason=planned.excluded_reason or (None if planned.case.weight > 0 else "weight 0"),
            base=tuple(answers[planned.case.id, Arm.BASE]),
            head=tuple(answers[planned.case.id, Arm.HEAD]),
        )
        for planned in plan.task.cases
    )


def plan_design(plan: PromptPlan, cases: Sequence[PairedCase], *, alpha: float, margin: float) -> Design:
    """Return how a plan's answers are collected and what they are compared by."""
    return Design(
        graded=any(case.case.is_graded for case in cases if case.excluded_reason is None),
        initial=plan.task.first_repeats,
        adaptive=plan.task.adaptive,
        alpha=alpha,
        margin=margin,
        rounds=plan.task.rounds,
    )


class CaseSamples(NamedTuple):
    """What is compared."""

    complete: SamplePair | None
    """The cases that both versions answered; None for no such case."""
    worst_case: SamplePair | None
    """With each missing answer right at base and wrong at head; None where none is missing."""


def build_samples(cases: Sequence[PairedCase], design: Design, name: str) -> CaseSamples:
    """Build the samples of the cases that are compared."""
    rows = [_row(group, design) for group in _observations(cases)]
    complete = [
        row
        for row in rows
        if all(any(value is not None for value in values[: design.initial]) for values in (row.base, row.head))
    ]
    asked = _build_sample_pair([row for row in rows if row.base and row.head], design, name)
    return CaseSamples(
        complete=_build_sample_pair(complete, design, name),
        worst_case=asked.in_worst_case() if asked is not None and asked.has_missing else None,
    )


Values = tuple[float | None, ...]


class _Row(NamedTuple):
    """One observation: a case, or several that send the model the same requests."""

    id: str
    base: Values
    head: Values
    cluster: str | None
    weight: float


def _build_sample_pair(rows: Sequence[_Row], design: Design, name: str) -> SamplePair | None:
    if not rows:
        return None
    reference, candidate = (
        Sample(
            ids=tuple(row.id for row in rows),
            values=tuple(values),
            clusters=tuple(row.cluster for row in rows),
            weights=tuple(row.weight for row in rows),
        )
        for values in ([row.base for row in rows], [row.head for row in rows])
    )
    return SamplePair(name=name, reference=reference, candidate=candidate, design=design)


def _observations(cases: Sequence[PairedCase]) -> list[list[PairedCase]]:
    """Group the cases that are compared: those that send the same requests share their answers and are one."""
    groups: dict[tuple[str, ...], list[PairedCase]] = {}
    for case in cases:
        if case.change != "same" or case.excluded_reason is not None:
            continue
        keys = tuple(answer.answer.request_key for answer in (*case.base[:1], *case.head[:1]))
        groups.setdefault(keys if len(keys) == 2 else (case.case.id,), []).append(case)
    return list(groups.values())


def _row(group: Sequence[PairedCase], design: Design) -> _Row:
    weights = [case.case.weight for case in group]
    base, head = (_shared_values([_values(case, arm, design) for case in group], weights) for arm in Arm)
    first = group[0].case
    return _Row(id=first.id, base=base, head=head, cluster=first.cluster, weight=sum(weights))


def _values(case: PairedCase, arm: Arm, design: Design) -> Values:
    if design.graded:
        return tuple(answer.score for answer in case.answers(arm))
    return tuple(None if answer.passed is None else float(answer.passed) for answer in case.answers(arm))


def _shared_values(rows: Sequence[Values], weights: Sequence[float]) -> Values:
    if len(rows) == 1:
        return rows[0]
    return tuple(
        None
        if None in values
        else sum(w * value for w, value in zip(weights, values, strict=True) if value is not None) / sum(weights)
        for values in zip(*rows, strict=False)
    )


def measure(samples: SamplePair, plan: PromptPlan) -> Effect:
    """Measure the effect; versions with one fingerprint share their answers and cannot differ."""
    if plan.same_fingerprint:
        return effects.identical(samples.reference, samples.design)
    return effects.compare_samples(samples)
