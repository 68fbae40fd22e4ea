"""Comparison: one prompt's scored answers, paired by case, and the effect measured on them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from promptci.compare import effect as effects
from promptci.compare.effect import Effect
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.runs.model import Arm, PromptPlan
from promptci.scoring.judges.trust import JudgeSummary
from promptci.scoring.model import ScoredCase
from promptci.scoring.paired_case import PairedCase
from promptci.scoring.version_summary import VersionSummary, summarize_version


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One prompt, both versions."""

    plan: PromptPlan
    cases: tuple[PairedCase, ...] = ()
    samples: SamplePair | None = None
    """What was compared: the complete pairs. None where there are none (a new prompt has none)."""
    effect: Effect | None = None
    """None without `samples`."""
    base: VersionSummary | None = None
    head: VersionSummary | None = None
    judging: JudgeSummary | None = None
    """Who marked what code cannot, and what that is worth; None: no judge was involved."""

    @cached_property
    def compared(self) -> tuple[PairedCase, ...]:
        """Cases whose text is the same at both revisions, without excluded ones."""
        return tuple(case for case in self.cases if case.change == "same" and case.excluded_reason is None)

    @cached_property
    def excluded(self) -> tuple[PairedCase, ...]:
        """Cases that were asked and decide nothing."""
        return tuple(case for case in self.cases if case.excluded_reason is not None)

    @cached_property
    def pairs(self) -> tuple[PairedCase, ...]:
        """Compared cases that both versions answered."""
        return tuple(case for case in self.compared if case.complete)

    @cached_property
    def broken(self) -> tuple[PairedCase, ...]:
        """Pairs that were right and are wrong."""
        return tuple(case for case in self.pairs if case.outcome == "broken")

    @cached_property
    def fixed(self) -> tuple[PairedCase, ...]:
        """Pairs that were wrong and are right."""
        return tuple(case for case in self.pairs if case.outcome == "fixed")

    @cached_property
    def answers_requested(self) -> int:
        """Answers asked for, both versions."""
        return sum(len(case.base) + len(case.head) for case in self.cases)

    @cached_property
    def errors(self) -> int:
        """Answers that are missing data, both versions."""
        return sum(answer.error is not None for case in self.cases for answer in (*case.base, *case.head))


def compare_versions(plan: PromptPlan, scored: Iterable[ScoredCase], *, alpha: float) -> Comparison:
    """Pair one prompt's scored answers by case and measure the difference.

    Parameters
    ----------
    plan
        The prompt, its cases and what the change did to each.
    scored
        Scored answers of this prompt, both versions, every replicate, in any order.
    alpha
        One-sided error rate; the interval is two-sided at 1 - 2 alpha, so that it and the test agree.
    """
    answers: dict[str, list[ScoredCase]] = defaultdict(list)
    for answer in scored:
        answers[answer.case.id].append(answer)
    cases = tuple(
        PairedCase(
            case=planned.case,
            change=planned.change,
            excluded_reason=planned.excluded_reason or (None if planned.case.weight > 0 else "weight 0"),
            base=_in_order(answers[planned.case.id], Arm.BASE),
            head=_in_order(answers[planned.case.id], Arm.HEAD),
        )
        for planned in plan.cases
    )
    counted = [case for case in cases if case.excluded_reason is None]
    graded = any(case.case.is_graded for case in counted)
    samples = pair_samples(
        [case for case in counted if case.change == "same" and case.complete], plan, graded=graded, alpha=alpha
    )
    return Comparison(
        plan=plan,
        cases=cases,
        samples=samples,
        effect=None if samples is None else measure(samples, plan),
        base=None if plan.base is None else summarize_version(cases, Arm.BASE, graded=graded),
        head=None if plan.head is None else summarize_version(cases, Arm.HEAD, graded=graded),
    )


def pair_samples(pairs: Sequence[PairedCase], plan: PromptPlan, *, graded: bool, alpha: float) -> SamplePair | None:
    """Return the samples of complete pairs; None for no pairs."""
    if not pairs:
        return None
    design = Design(graded=graded, initial=plan.first_repeats, adaptive=plan.adaptive, alpha=alpha)
    reference, candidate = (_sample(pairs, arm, graded=graded) for arm in Arm)
    return SamplePair(name=plan.name, reference=reference, candidate=candidate, design=design)


def _sample(pairs: Sequence[PairedCase], arm: Arm, *, graded: bool) -> Sample:
    return Sample(
        ids=tuple(pair.case.id for pair in pairs),
        values=tuple(tuple(_value(answer, graded=graded) for answer in pair.answers(arm)) for pair in pairs),
        clusters=tuple(pair.case.cluster for pair in pairs),
        weights=tuple(pair.case.weight for pair in pairs),
    )


def _value(answer: ScoredCase, *, graded: bool) -> float | None:
    if graded:
        return answer.score
    return None if answer.passed is None else float(answer.passed)


def measure(samples: SamplePair, plan: PromptPlan) -> Effect:
    """Measure the effect; versions with one fingerprint share their answers and cannot differ."""
    if plan.same_fingerprint:
        return effects.identical(samples.reference, samples.design)
    return effects.compare_samples(samples)


def _in_order(answers: Sequence[ScoredCase], arm: Arm) -> tuple[ScoredCase, ...]:
    return tuple(sorted((answer for answer in answers if answer.arm is arm), key=lambda answer: answer.replicate))
