"""Two reports -> what changed between them: verdicts, cases that broke or were mended, cost. Pure.

The versions under test of both runs are compared, over the cases whose text and judge are the same in both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from promptci.report.model.report import CaseView, PromptView, ReportView, VerdictName

MAX_DIFFERENCES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSide:
    """What one run says of a prompt."""

    verdict: VerdictName
    quality: float | None
    """Over the cases that both runs share; None where nothing can be compared."""
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
    shared: int = 0
    """Cases that both runs evaluated and whose text and judge are the same."""
    not_comparable: tuple[str, ...] = ()
    """Why the numbers may not be set beside each other; then `delta` is None."""
    differs: tuple[str, ...] = ()
    """What else is not the same in both runs, each as `name: first → second`."""
    delta: float | None = None
    broken: tuple[str, ...] = ()
    """Cases right in the first run and not in the second."""
    fixed: tuple[str, ...] = ()
    reworded: int = 0
    """Shared cases with another answer and the same result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDiff:
    """Two runs."""

    before: str
    after: str
    """What each was over, in words."""
    verdicts: tuple[VerdictName, VerdictName]
    usd: tuple[float | None, float | None]
    prompts: tuple[PromptDiff, ...]


def compare_runs(first: ReportView, second: ReportView) -> RunDiff:
    """Find out what changed from the first run to the second."""
    one, two = ({prompt.name: prompt for prompt in view.prompts} for view in (first, second))
    names = [*one, *(name for name in two if name not in one)]
    return RunDiff(
        before=_over(first),
        after=_over(second),
        verdicts=(first.verdict, second.verdict),
        usd=(first.spend.usd, second.spend.usd),
        prompts=tuple(_prompt(name, one.get(name), two.get(name)) for name in names),
    )


def _over(view: ReportView) -> str:
    name = view.head.rev if view.head.sha is None else f"{view.head.rev} ({view.head.sha[:7]})"
    return f"{name}, {view.generated_at}" if view.generated_at else name


def _prompt(name: str, one: PromptView | None, two: PromptView | None) -> PromptDiff:
    if one is None or two is None:
        found: Literal["first only", "second only"] = "second only" if one is None else "first only"
        sides = [None if prompt is None else _side(prompt, None) for prompt in (one, two)]
        return PromptDiff(name=name, presence=found, before=sides[0], after=sides[1])
    pairs = _pairs(one, two)
    against = tuple(_against(one, two, pairs))
    qualities = [None if against else fmean(_mark(pair[side]) for pair in pairs) for side in (0, 1)]
    rated = [(a.id, a.head_pass_rate or 0.0, b.head_pass_rate or 0.0) for a, b in pairs]
    return PromptDiff(
        name=name,
        presence="both",
        before=_side(one, qualities[0]),
        after=_side(two, qualities[1]),
        shared=len(pairs),
        not_comparable=against,
        differs=tuple(_differs(one, two)),
        delta=None if qualities[0] is None or qualities[1] is None else qualities[1] - qualities[0],
        broken=() if against else tuple(i for i, before, now in rated if before == 1 and now < 1),
        fixed=() if against else tuple(i for i, before, now in rated if before < 1 and now == 1),
        reworded=sum(_said(a) != _said(b) and a.head_pass_rate == b.head_pass_rate for a, b in pairs),
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


def _pairs(one: PromptView, two: PromptView) -> list[tuple[CaseView, CaseView]]:
    known = {case.id: case for case in one.case_details if _counts(case)}
    return [
        (known[case.id], case)
        for case in two.case_details
        if _counts(case) and case.id in known and known[case.id].digest == case.digest
    ]


def _counts(case: CaseView) -> bool:
    return case.excluded_reason is None and case.head_pass_rate is not None and case.digest is not None


def _mark(case: CaseView) -> float:
    """Give a case's score, else how often it was right."""
    score = case.head.score if case.head else None
    return score if score is not None else case.head_pass_rate or 0.0


def _said(case: CaseView) -> str | None:
    return case.head.text if case.head else None


def _against(one: PromptView, two: PromptView, pairs: Sequence[object]) -> Iterator[str]:
    """Say what forbids a comparison."""
    if not pairs:
        yield "no evaluated case has the same text and judge in both"
    before, now = (tuple(prompt.head.models) if prompt.head else () for prompt in (one, two))
    asked = [prompt.comparability.parts.get("model asked") if prompt.comparability else None for prompt in (one, two)]
    if before and now and before != now and asked[0] == asked[1]:
        yield f"the endpoint answered with {', '.join(before)} and then with {', '.join(now)}"


def _differs(one: PromptView, two: PromptView) -> Iterator[str]:
    """Give the parts of the comparability fingerprint that are not alike, and the version under test."""
    if one.head_fingerprint != two.head_fingerprint:
        yield f"version under test: {_short(one.head_fingerprint)} → {_short(two.head_fingerprint)}"
    if one.comparability is None or two.comparability is None:
        return
    before, now = one.comparability.parts, two.comparability.parts
    names = [*before, *(name for name in now if name not in before)]
    for name in [name for name in names if before.get(name) != now.get(name)][:MAX_DIFFERENCES]:
        yield f"{name}: {before.get(name, 'none')} → {now.get(name, 'none')}"


def _short(fingerprint: str | None) -> str:
    return fingerprint[:12] if fingerprint else "unknown"
