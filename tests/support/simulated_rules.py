"""The whole default gate from its rules' own functions, without answers as objects.

It is some five times as fast as the deciding code itself. A test puts the same draws to both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from support.simulated_answers import POLICY, Draws, Matrix, Setting

from promptci.compare.case_effect import CaseEffect, measure_cases
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.gates.evidence import together
from promptci.runs import adaptive_repeats
from promptci.stats.estimates import intervals
from promptci.stats.significance import confirmation, corrections, paired, ratio_tests
from promptci.verdict import Verdict


@dataclass(frozen=True)
class Outcome:
    """How one simulated run ended."""

    verdict: Verdict
    calls: int


def find_flipped_critical_cases(setting: Setting, draws: Draws, answered: int) -> list[int]:
    """Return the critical cases that are asked again after the rounds."""
    flipped = []
    for index in range(setting.critical):
        base, head = ([None if math.isnan(v) else v > 0 for v in side[index, :answered]] for side in draws.passes)
        if adaptive_repeats.needs_repeat(base, head, adaptive=False) or adaptive_repeats.is_never_answered(base, head):
            flipped.append(index)
    return flipped


def decide_draws_fast(setting: Setting, parts: Sequence[Draws]) -> Outcome:
    """Decide by the rules' own functions."""
    prompts = [_FastPrompt(setting, part) for part in parts]
    return Outcome(_decide_fast(setting, prompts), sum(prompt.calls for prompt in prompts))


def _decide_fast(setting: Setting, prompts: Sequence["_FastPrompt"]) -> Verdict:
    budget = setting.budget
    if any(prompt.too_many_missing for prompt in prompts):
        return Verdict.ERROR
    effects = [prompt.effect for prompt in prompts]
    corrected = corrections.tarone_holm([e.p for e in effects], [e.p_min for e in effects], budget.quality)
    costs = corrections.holm([prompt.cost_p for prompt in prompts])
    latencies = corrections.holm([prompt.latency_p for prompt in prompts])
    pooled = together([prompt.pair for prompt in prompts], POLICY)
    regressed = [
        e.drop >= POLICY.max_drop - 1e-12 and p is not None and p <= budget.quality and prompt.can_lose
        for e, p, prompt in zip(effects, corrected, prompts, strict=True)
    ]
    if (
        any(regressed)
        or (pooled is not None and pooled.is_regression)
        or any(prompt.critical_broke for prompt in prompts)
        or any(p is not None and p <= budget.cost for p in costs)
        or any(p is not None and p <= budget.latency for p in latencies)
    ):
        return Verdict.FAIL
    return Verdict.PASS if all(prompt.passes for prompt in prompts) else Verdict.INCONCLUSIVE


def _is_beyond_saving(draws: Draws, answered: int) -> bool:
    """Return whether the missing answers of a version show that its error rate is above the limit."""
    for side in draws.passes:
        missing = np.isnan(side[:, :answered])
        interval = intervals.wilson(int(missing.sum()), missing.size)
        if interval is not None and interval.lo > POLICY.max_error_rate:
            return True
    return False


class _FastPrompt:
    """One prompt of a simulated pull request, asked until it is decided."""

    def __init__(self, setting: Setting, draws: Draws) -> None:
        self._setting, self._draws = setting, draws
        design = Design(alpha=POLICY.alpha, margin=POLICY.max_drop, rounds=setting.rounds)
        for answered in setting.rounds:
            pair, worst = _pairs(draws.passes, answered, design)
            if pair is None:  # no case has an answer of both versions: too many are missing
                break
            self.pair, self.effect = pair, measure_cases(pair)
            self.within = self.effect.is_within(POLICY.max_drop) and (
                worst is None or measure_cases(worst).is_within(POLICY.max_drop)
            )
            is_regression = self.effect.is_regression(POLICY.max_drop, setting.budget.quality_per_prompt)
            if self.within or is_regression or _is_beyond_saving(draws, answered):
                break
        self._answered = answered
        self._repeated = find_flipped_critical_cases(setting, draws, answered)

    pair: SamplePair
    effect: CaseEffect
    within: bool = False
    """A drop of the margin is excluded."""

    @property
    def passes(self) -> bool:
        """Whether nothing stands against a pass."""
        return self.within and self.can_lose and not self._is_unsettled()

    @property
    def calls(self) -> int:
        """Answers of both versions."""
        further = max(0, self._setting.budget.critical_answers - self._answered)
        return 2 * (self._setting.cases * self._answered + len(self._repeated) * further)

    @property
    def too_many_missing(self) -> bool:
        """Whether more of head's answers are missing than the gate allows."""
        return float(np.isnan(self._draws.passes[1][:, : self._answered]).mean()) > POLICY.max_error_rate

    @property
    def can_lose(self) -> bool:
        """Whether base passes enough for a drop of the margin."""
        return float(np.mean(self.pair.reference.means())) >= POLICY.max_drop

    @property
    def critical_broke(self) -> bool:
        """Whether the break of a critical case is confirmed."""
        needed = self._setting.budget.critical_answers
        return any(
            confirmation.is_confirmed([bool(v) for v in base], [bool(v) for v in head], needed)
            for base, head in self._critical(needed)
            if not np.isnan(head).any()
        ) or any(np.isnan(head).all() and base.all() for base, head in self._critical(needed))

    def _critical(self, needed: int) -> list[tuple[Matrix, Matrix]]:
        known = range(self._setting.critical) if self._answered >= needed else self._repeated
        base, head = self._draws.passes
        return [(base[index, :needed], head[index, :needed]) for index in known]

    def _is_unsettled(self) -> bool:
        """Whether missing answers, or a critical case that is not confirmed, stand against a pass."""
        unanswered = [bool(missing.all()) for missing in np.isnan(self._draws.passes[1][:, : self._answered])]
        lost = paired.mcnemar_midp(sum(unanswered), 0) <= POLICY.alpha
        return lost or any(unanswered[: self._setting.critical])

    @cached_property
    def _asked(self) -> list[int]:
        """Answers of each case."""
        most = max(self._answered, self._setting.budget.critical_answers)
        return [most if index in self._repeated else self._answered for index in range(self._setting.cases)]

    @cached_property
    def cost_p(self) -> float | None:
        """Of a rise in cost beyond the limit."""
        means = [
            [
                float(row[:count][here[:count]].mean()) if here[:count].any() else None
                for row, here, count in zip(costs, ~np.isnan(passes), self._asked, strict=True)
            ]
            for costs, passes in zip(self._draws.costs, self._draws.passes, strict=True)
        ]
        known = [(b, h) for b, h in zip(*means, strict=True) if b is not None and h is not None]
        return ratio_tests.cost_p([b for b, _ in known], [h for _, h in known], POLICY.max_cost_increase or 0.0)

    @cached_property
    def latency_p(self) -> float | None:
        """Of a rise in p95 latency beyond the limit."""
        base, head = (
            [
                float(value)
                for row, arrived, count in zip(latencies, ~np.isnan(passes), self._asked, strict=True)
                for value in row[:count][arrived[:count]]
            ]
            for latencies, passes in zip(self._draws.latencies, self._draws.passes, strict=True)
        )
        return ratio_tests.tail_latency_p(base, head, POLICY.max_p95_increase or 0.0)


def _pairs(passes: tuple[Matrix, Matrix], answered: int, design: Design) -> tuple[SamplePair | None, SamplePair | None]:
    """Return the complete pairs, and the worst case where an answer is missing."""
    base, head = (side[:, :answered] for side in passes)
    known = ~np.isnan(head).all(axis=1)
    whole = _pair(base, head, design)
    complete = whole if known.all() else _pair(base[known], head[known], design) if known.any() else None
    return complete, whole.in_worst_case() if whole.has_missing else None


def _pair(base: Matrix, head: Matrix, design: Design) -> SamplePair:
    ids = tuple(f"c{i:03}" for i in range(len(base)))
    reference, candidate = (Sample(ids=ids, values=_values(side)) for side in (base, head))
    return SamplePair(reference=reference, candidate=candidate, design=design)


def _values(side: Matrix) -> tuple[tuple[float | None, ...], ...]:
    if not np.isnan(side).any():
        return tuple(map(tuple, side.tolist()))
    return tuple(tuple(None if math.isnan(v) else v for v in row) for row in side.tolist())
