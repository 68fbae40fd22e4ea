"""A/A: how often the gate blocks a change that changes nothing, found by drawing pull requests from real answers."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance

from promptci.compare.effect import Effect, compare_samples
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.config.policy import GatePolicy, OnInconclusive
from promptci.config.run_limits import RunLimits
from promptci.gates import power_analysis, quality_rule
from promptci.goldens.model import Case
from promptci.runs import adaptive_repeats
from promptci.runs.model import PromptPlan, Status
from promptci.scoring.model import ScoredCase
from promptci.scoring.paired_case import breaks_reproducibly
from promptci.stats import intervals
from promptci.stats.discordance import discordance
from promptci.stats.intervals import Interval
from promptci.verdict import Verdict

SIMULATIONS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaky:
    """A case that was right at one time and wrong at another, asked the same."""

    id: str
    passed: int
    answers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfTest:
    """What an A/A run shows of the gate on one prompt."""

    prompt: str
    cases: int
    """Cases with enough answers."""
    left_out: int
    """Cases with too few."""
    simulations: int
    failed: int
    """Simulated pull requests that changed nothing and were called worse."""
    undecided: int
    blocked: int
    """Failed ones, and undecided ones where these block."""
    alpha: float
    discordance: float | None
    """Share of cases whose verdict differs between two runs; None for marks."""
    spread: float | None
    """Standard deviation of one case's difference in marks between two runs; None for pass and fail."""
    detectable_drop: float | None
    flaky: tuple[Flaky, ...]

    @property
    def rate(self) -> float:
        """Measured false-alarm rate."""
        return self.blocked / self.simulations

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval of it; of the drawing alone, the answers being what they are."""
        found = intervals.wilson(self.blocked, self.simulations)
        return found or Interval(lo=0.0, hi=1.0)

    @property
    def keeps_promise(self) -> bool:
        """Whether the rate of `fail` can be alpha: not so where even the interval's low end is above."""
        found = intervals.wilson(self.failed, self.simulations)
        return found is None or found.lo <= self.alpha


def answers_needed(how: RunLimits) -> int:
    """Give how many answers to each case two versions need at most.

    At least as many as confirm a critical case's flip, even where no case is critical: so many measure the noise.
    """
    return 2 * max(how.repeats, how.repeats_on_disagreement or 0, adaptive_repeats.CONFIRMATION_ANSWERS)


def selftest(
    plan: PromptPlan, answers: Mapping[str, Sequence[ScoredCase]], how: RunLimits, policy: GatePolicy, simulations: int
) -> SelfTest:
    """Draw pull requests that change nothing from `answers` (of one version, by case's id) and put them to the gate.

    Each simulated pull request deals out each case's answers at random: some to base, others to head. Looked at are
    the rules that chance can trip: quality and critical cases.
    """
    prepared = adaptive_repeats.prepare(_against_itself(plan), how)
    table = _Table(prepared, answers, how)
    chance = random.Random(plan.name)  # noqa: S311 - for a simulation, the same every time
    verdicts = [_verdict(table.draw(chance, policy.alpha), policy) for _ in range(simulations)]
    failed, undecided = verdicts.count(Verdict.FAIL), verdicts.count(Verdict.INCONCLUSIVE)
    counts = {c.id: _passes(table.answers[c.id]) for c in table.cases}
    graded = table.graded
    noise = None if graded else discordance([one] for one in counts.values())
    spread = _spread(table.answers.values()) if graded else None
    return SelfTest(
        prompt=plan.name,
        cases=len(table.cases),
        left_out=len(plan.cases) - len(table.cases),
        simulations=simulations,
        failed=failed,
        undecided=undecided,
        blocked=failed + (undecided if policy.on_inconclusive is OnInconclusive.BLOCK else 0),
        alpha=policy.alpha,
        discordance=noise,
        spread=spread,
        detectable_drop=power_analysis.smallest_drop(
            len(table.cases),
            spread**2 if spread is not None else noise or 0.0,
            repeats=how.repeats,
            graded=graded,
            alpha=policy.alpha,
        ),
        flaky=tuple(Flaky(id=i, passed=k, answers=n) for i, (k, n) in counts.items() if 0 < k < n),
    )


def _against_itself(plan: PromptPlan) -> PromptPlan:
    same = tuple(replace(planned, change="same") for planned in plan.cases)
    return replace(plan, status=Status.CHANGED, base=plan.head, apart=True, cases=same)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draw:
    """One simulated pull request."""

    effect: Effect | None
    critical_broke: bool


class _Table:
    """The answers of one prompt, ready to be dealt out."""

    def __init__(self, plan: PromptPlan, answers: Mapping[str, Sequence[ScoredCase]], limits: RunLimits) -> None:
        counting = [planned for planned in plan.cases if planned.excluded_reason is None and planned.case.weight > 0]
        self._repeats = {planned.case.id: adaptive_repeats.max_repeats(plan, planned, limits) for planned in counting}
        self.answers = {
            case_id: evaluated
            for case_id, repeats in self._repeats.items()
            if len(evaluated := [one for one in answers.get(case_id, ()) if one.error is None]) >= 2 * repeats
        }
        self.cases: list[Case] = [planned.case for planned in counting if planned.case.id in self.answers]
        self.graded = any(case.is_graded for case in self.cases)
        self._plan = plan
        self._initial = limits.repeats

    def draw(self, chance: random.Random, alpha: float) -> _Draw:
        """Deal the answers of each case to both versions, and measure."""
        if not self.cases:
            return _Draw(effect=None, critical_broke=False)
        dealt = [self._deal(case, chance) for case in self.cases]
        design = Design(graded=self.graded, initial=self._initial, adaptive=self._plan.adaptive, alpha=alpha)
        reference, candidate = (self._sample([sides[side] for sides in dealt]) for side in (0, 1))
        return _Draw(
            effect=compare_samples(SamplePair(reference=reference, candidate=candidate, design=design)),
            critical_broke=any(
                case.critical and breaks_reproducibly([a.passed for a in base], [a.passed for a in head])
                for case, (base, head) in zip(self.cases, dealt, strict=True)
            ),
        )

    def _deal(self, case: Case, chance: random.Random) -> tuple[Sequence[ScoredCase], Sequence[ScoredCase]]:
        evaluated, repeats = self.answers[case.id], self._repeats[case.id]
        dealt = [evaluated[place] for place in chance.sample(range(len(evaluated)), 2 * repeats)]
        base, head = dealt[:repeats], dealt[repeats:]
        first_base, first_head = ([answer.passed for answer in side[: self._initial]] for side in (base, head))
        if adaptive_repeats.needs_repeat(first_base, first_head, adaptive=self._plan.adaptive):
            return base, head
        return base[: self._initial], head[: self._initial]

    def _sample(self, dealt: Sequence[Sequence[ScoredCase]]) -> Sample:
        return Sample(
            ids=tuple(case.id for case in self.cases),
            values=tuple(
                tuple(answer.score if self.graded else float(bool(answer.passed)) for answer in answers)
                for answers in dealt
            ),
            clusters=tuple(case.cluster for case in self.cases),
            weights=tuple(case.weight for case in self.cases),
        )


def _verdict(draw: _Draw, policy: GatePolicy) -> Verdict:
    if draw.critical_broke:
        return Verdict.FAIL
    if draw.effect is None:
        return Verdict.INCONCLUSIVE
    return quality_rule.zone(draw.effect, policy, draw.effect.p)[1]


def _passes(answers: Sequence[ScoredCase]) -> tuple[int, int]:
    return sum(bool(one.passed) for one in answers), len(answers)


def _spread(answers: Iterable[Sequence[ScoredCase]]) -> float | None:
    """Give the standard deviation of the difference between two runs in the marks of one case."""
    within = [variance([one.score or 0.0 for one in known]) for known in answers]
    return math.sqrt(2 * fmean(within)) if within else None
