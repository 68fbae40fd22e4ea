"""A/A: how often the gate blocks a change that changes nothing, found by drawing pull requests from real answers."""

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, variance

from promptci.compare.case_power import Asking
from promptci.config.policy import GatePolicy, OnInconclusive
from promptci.config.run_limits import RunLimits
from promptci.gates.decide import decide
from promptci.gates.repeat_rule import next_answers
from promptci.gates.selftest import power_analysis
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.runs import adaptive_repeats
from promptci.runs.prompt_plan import Arm, PromptPlan, Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals
from promptci.stats.estimates.discordance import discordance
from promptci.stats.estimates.intervals import Interval
from promptci.verdict import Verdict

SIMULATIONS = 1000


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
        measured = intervals.wilson(self.blocked, self.simulations)
        return measured or Interval(lo=0.0, hi=1.0)

    @property
    def keeps_promise(self) -> bool:
        """Whether the rate of `fail` can be alpha: not so where even the interval's low end is above."""
        measured = intervals.wilson(self.failed, self.simulations)
        return measured is None or measured.lo <= self.alpha


def answers_needed(plan: PromptPlan, limits: RunLimits) -> int:
    """Return how many answers to each case two versions need at most."""
    prepared = adaptive_repeats.prepare(_against_itself(plan), limits)
    return 2 * max(
        (adaptive_repeats.max_repeats(prepared, planned, limits) for planned in prepared.task.cases), default=1
    )


def selftest(
    plan: PromptPlan,
    answers: Mapping[str, Sequence[ScoredCase]],
    limits: RunLimits,
    policy: GatePolicy,
    simulations: int,
) -> SelfTest:
    """Draw pull requests that change nothing from `answers` (of one version, by case's id) and test the gate with them.

    Each simulated pull request deals each case's answers at random, some to base, others to head, in the rounds in
    which a check would ask for them. Then the whole gate decides: every rule that can block is tested.
    """
    prepared = adaptive_repeats.prepare(_against_itself(plan), limits)
    table = _Table(prepared, answers, limits)
    chance = random.Random(plan.name)  # noqa: S311 - for a simulation, the same every time
    verdicts = [table.draw(chance, policy) for _ in range(simulations)]
    failed, undecided = verdicts.count(Verdict.FAIL), verdicts.count(Verdict.INCONCLUSIVE)
    counts = {c.id: _passes(table.answers[c.id]) for c in table.cases}
    graded = table.graded
    noise = None if graded else discordance([pass_count] for pass_count in counts.values())
    spread = _spread(table.answers.values()) if graded else None
    return SelfTest(
        prompt=plan.name,
        cases=len(table.cases),
        left_out=len(plan.task.cases) - len(table.cases),
        simulations=simulations,
        failed=failed,
        undecided=undecided,
        blocked=failed + (undecided if policy.on_inconclusive is OnInconclusive.BLOCK else 0),
        alpha=policy.alpha,
        discordance=noise,
        spread=spread,
        detectable_drop=power_analysis.smallest_drop_by_gate(
            table.cases,
            spread**2 if spread is not None else noise or 0.0,
            asking=Asking(repeats=limits.repeats, max_calls=limits.auto_calls),
            graded=graded,
            policy=policy,
        ),
        flaky=tuple(Flaky(id=i, passed=k, answers=n) for i, (k, n) in counts.items() if 0 < k < n),
    )


def _against_itself(plan: PromptPlan) -> PromptPlan:
    same = tuple(replace(planned, change="same") for planned in plan.task.cases)
    change = replace(plan.change, status=Status.CHANGED, base=plan.change.head)
    return PromptPlan(change=change, task=replace(plan.task, apart=True, cases=same))


class _Table:
    """The answers of one prompt, ready to be dealt."""

    def __init__(self, plan: PromptPlan, answers: Mapping[str, Sequence[ScoredCase]], limits: RunLimits) -> None:
        counting = [p for p in plan.task.cases if p.excluded_reason is None and p.case.weight > 0]
        self._repeats = {p.case.id: adaptive_repeats.max_repeats(plan, p, limits) for p in counting}
        self.answers = {
            case_id: evaluated
            for case_id, repeats in self._repeats.items()
            if len(evaluated := [scored for scored in answers.get(case_id, ()) if scored.error is None]) >= 2 * repeats
        }
        kept = tuple(planned for planned in counting if planned.case.id in self.answers)
        self.cases: list[Case] = [planned.case for planned in kept]
        self.graded = any(case.is_graded for case in self.cases)
        self._relabelled: dict[tuple[int, Arm, int], ScoredCase] = {}
        self._plan = plan.with_cases(kept)
        self._initial = limits.repeats

    def draw(self, chance: random.Random, policy: GatePolicy) -> Verdict:
        """Deal the answers of each case to both versions, and decide."""
        if not self.cases:
            return Verdict.INCONCLUSIVE
        dealt = {case.id: self._deal(case.id, chance) for case in self.cases}
        plan, answered = self._plan, self._initial
        while True:
            plan = plan.with_estimate(answered)
            scored = [
                scored_case
                for case in self.cases
                for scored_case in self._first_answers(case.id, dealt[case.id], answered)
            ]
            further = next_answers(PromptRun(plan=plan, scored=scored), policy, 1)
            if further is None:
                break
            answered = further
        run = PromptRun(plan=plan, scored=list(self._with_follow_ups(dealt, plan, answered)))
        return decide([compare_versions(run, alpha=policy.alpha, margin=policy.max_drop)], policy).verdict

    def _deal(self, case_id: str, chance: random.Random) -> tuple[list[ScoredCase], list[ScoredCase]]:
        repeats, evaluated = self._repeats[case_id], self.answers[case_id]
        dealt = [evaluated[place] for place in chance.sample(range(len(evaluated)), 2 * repeats)]
        base, head = (
            [self._as_asked(answer, arm, replicate) for replicate, answer in enumerate(side)]
            for arm, side in zip(Arm, (dealt[:repeats], dealt[repeats:]), strict=True)
        )
        return base, head

    def _first_answers(
        self, case_id: str, dealt: tuple[list[ScoredCase], list[ScoredCase]], answered: int
    ) -> Iterator[ScoredCase]:
        for side in dealt:
            yield from side[: min(answered, self._repeats[case_id])]

    def _with_follow_ups(
        self, dealt: Mapping[str, tuple[list[ScoredCase], list[ScoredCase]]], plan: PromptPlan, answered: int
    ) -> Iterator[ScoredCase]:
        for case in self.cases:
            base, head = dealt[case.id]
            first_base, first_head = ([scored.passed for scored in side[:answered]] for side in (base, head))
            again = adaptive_repeats.needs_repeat(first_base, first_head, adaptive=plan.task.adaptive)
            asked_again = again and (plan.task.adaptive or case.critical)
            most = max(answered, plan.task.confirmation_answers) if plan.task.rounds else len(base)
            yield from (scored for side in (base, head) for scored in side[: most if asked_again else answered])

    def _as_asked(self, scored: ScoredCase, arm: Arm, replicate: int) -> ScoredCase:
        """Return an answer as if this version had given it; each is made once, however many draws there are."""
        key = (id(scored), arm, replicate)
        if key not in self._relabelled:
            # Versions under test send requests of their own, which no other case shares.
            request_key = f"{arm} {scored.case.id}"
            answer = replace(scored.answer, arm=arm, replicate=replicate, request_key=request_key)
            self._relabelled[key] = replace(scored, arm=arm, replicate=replicate, answer=answer)
        return self._relabelled[key]


def _passes(answers: Sequence[ScoredCase]) -> tuple[int, int]:
    return sum(bool(scored.passed) for scored in answers), len(answers)


def _spread(answers: Iterable[Sequence[ScoredCase]]) -> float | None:
    """Return the standard deviation of the difference between two runs in the marks of one case."""
    within = [variance([scored.score or 0.0 for scored in known]) for known in answers]
    return math.sqrt(2 * fmean(within)) if within else None
