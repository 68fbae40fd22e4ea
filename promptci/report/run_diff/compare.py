"""Compare two reports: verdicts, broken and fixed cases, cost. Pure.

The heads of both runs are compared, over the cases with the same text and judge.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Literal

from promptci.lazy_dataclass import dataclass
from promptci.report.model.report import CaseView, PromptView, ReportView, VerdictName
from promptci.report.text.cases.case_outcomes import is_graded
from promptci.wording import short_digest, short_sha

MAX_DIFFERENCES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSide:
    """Results of a prompt in one run."""

    verdict: VerdictName
    quality: float | None
    """Over the cases that both runs share; None if they are not comparable."""
    cost_usd: float | None
    """Per request."""
    p95_ms: float | None
    models: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptDiff:
    """One prompt in both runs."""

    name: str
    presence: Literal["both", "first only", "second only"]
    before: RunSide | None
    after: RunSide | None
    shared_cases: int = 0
    """Cases with the same text and judge that both runs evaluated."""
    not_comparable: tuple[str, ...] = ()
    """Why the runs are not comparable; then `delta` is None."""
    differences: tuple[str, ...] = ()
    """Other differences between the runs, each as `name: before → after`."""
    delta: float | None = None
    regressions: tuple[str, ...] = ()
    """Cases that were right before and are not after."""
    fixes: tuple[str, ...] = ()
    reworded: int = 0
    """Shared cases with another answer and the same result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDiff:
    """Two runs."""

    before: str
    after: str
    """What each run tested, as text."""
    verdicts: tuple[VerdictName, VerdictName]
    usd: tuple[float | None, float | None]
    prompts: tuple[PromptDiff, ...]


def compare_runs(first: ReportView, second: ReportView) -> RunDiff:
    """Compare two runs."""
    prompts_before, prompts_after = ({prompt.name: prompt for prompt in view.prompts} for view in (first, second))
    names = [*prompts_before, *(name for name in prompts_after if name not in prompts_before)]
    return RunDiff(
        before=_describe_run(first),
        after=_describe_run(second),
        verdicts=(first.verdict, second.verdict),
        usd=(first.spend.usd, second.spend.usd),
        prompts=tuple(_prompt(name, prompts_before.get(name), prompts_after.get(name)) for name in names),
    )


def _describe_run(view: ReportView) -> str:
    name = view.head.rev if view.head.sha is None else f"{view.head.rev} ({short_sha(view.head.sha)})"
    return f"{name}, {view.generated_at}" if view.generated_at else name


def _prompt(name: str, first: PromptView | None, second: PromptView | None) -> PromptDiff:
    if first is None or second is None:
        presence: Literal["first only", "second only"] = "second only" if first is None else "first only"
        sides = [None if prompt is None else _side(prompt, None) for prompt in (first, second)]
        return PromptDiff(name=name, presence=presence, before=sides[0], after=sides[1])
    pairs = _pairs(first, second)
    incomparable = tuple(_incomparable_reasons(first, second, pairs))
    graded = is_graded(first) and is_graded(second)
    weights = [second_case.weight for _, second_case in pairs]
    qualities = [
        None if incomparable else fmean((_value(pair[side], graded=graded) for pair in pairs), weights=weights)
        for side in (0, 1)
    ]
    rated = [(a.id, a.head_pass_rate or 0.0, b.head_pass_rate or 0.0) for a, b in pairs]
    return PromptDiff(
        name=name,
        presence="both",
        before=_side(first, qualities[0]),
        after=_side(second, qualities[1]),
        shared_cases=len(pairs),
        not_comparable=incomparable,
        differences=tuple(_find_differences(first, second)),
        delta=None if qualities[0] is None or qualities[1] is None else qualities[1] - qualities[0],
        regressions=() if incomparable else tuple(i for i, before, now in rated if before == 1 and now < 1),
        fixes=() if incomparable else tuple(i for i, before, now in rated if before < 1 and now == 1),
        reworded=sum(_answer_text(a) != _answer_text(b) and a.head_pass_rate == b.head_pass_rate for a, b in pairs),
    )


def _side(prompt: PromptView, quality: float | None) -> RunSide:
    latency = prompt.latency_ms.head
    return RunSide(
        verdict=prompt.verdict,
        quality=quality,
        cost_usd=prompt.cost_usd.head_per_request,
        p95_ms=latency.p95 if latency else None,
        models=tuple(prompt.head.models) if prompt.head else (),
    )


def _pairs(first: PromptView, second: PromptView) -> list[tuple[CaseView, CaseView]]:
    known = {case.id: case for case in first.case_details if _counts(case)}
    return [
        (known[case.id], case)
        for case in second.case_details
        if _counts(case) and case.id in known and known[case.id].digest == case.digest
    ]


def _counts(case: CaseView) -> bool:
    known = case.head_pass_rate is not None and case.digest is not None
    return known and case.excluded_reason is None and case.weight > 0


def _value(case: CaseView, *, graded: bool) -> float:
    """Return the value of a case by the measure of `check`: its score if both runs are graded, else its pass rate."""
    score = case.head.score if case.head else None
    return score if graded and score is not None else case.head_pass_rate or 0.0


def _answer_text(case: CaseView) -> str | None:
    return case.head.text if case.head else None


def _incomparable_reasons(first: PromptView, second: PromptView, pairs: Sequence[object]) -> Iterator[str]:
    """Return what makes the runs incomparable."""
    if not pairs:
        yield "no evaluated case has the same text and judge in both"
    before, now = (tuple(prompt.head.models) if prompt.head else () for prompt in (first, second))
    asked = [
        prompt.comparability.parts.get("model asked") if prompt.comparability else None for prompt in (first, second)
    ]
    if before and now and before != now and asked[0] == asked[1]:
        yield f"the endpoint answered with {', '.join(before)} and then with {', '.join(now)}"


def _find_differences(first: PromptView, second: PromptView) -> Iterator[str]:
    """Return the conditions and the version under test that differ between the runs."""
    if first.head_fingerprint != second.head_fingerprint:
        yield f"version under test: {short_digest(first.head_fingerprint)} → {short_digest(second.head_fingerprint)}"
    if first.comparability is None or second.comparability is None:
        return
    before, now = first.comparability.parts, second.comparability.parts
    names = [*before, *(name for name in now if name not in before)]
    for name in [name for name in names if before.get(name) != now.get(name)][:MAX_DIFFERENCES]:
        yield f"{name}: {before.get(name, 'none')} → {now.get(name, 'none')}"
