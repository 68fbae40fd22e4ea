"""An always-valid test of two arms: evidence that may be looked at after every request, and stopped at any time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptci.lazy_dataclass import dataclass

Floats = NDArray[np.float64]
EDGE = 1e-4
"""Rates are bet on no closer to 0 and 1 than this."""
LEAST_EXPECTED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocks:
    """Requests of two arms in the order of time, cut into blocks; the last axis counts blocks.

    Where the cuts are must not depend on how the requests of the block went.
    """

    control_n: Floats
    control_sum: Floats
    """Sum of the marks, each in 0..1; 1 is good."""
    canary_n: Floats
    canary_sum: Floats


def log_evidence(blocks: Blocks, drops: Sequence[float], null_drop: float) -> Floats:
    """Return, after each block, the logarithm of an e-process against "the drop is on the other side of `null_drop`".

    The drop is the control's mean less the canary's. With every one of `drops` above `null_drop` the null is `the drop
    is at most null_drop`; with all below, `at least`. By Ville's inequality the chance that e ever reaches 1/alpha is
    at most alpha under the null, however often and whenever one looks.

    For one supposed drop the process is the product, over the blocks, of p_a(y)/p_a'(y) for each request of the control
    and p_b(y)/p_b'(y) for each of the canary, where p_q(y) = q^y (1-q)^(1-y); a is the control's mean before the block,
    b = a - drop, and (a', b') is the pair of the null nearest to (a, b) by n_a KL(a, a') + n_b KL(b, b'). The mean over
    the supposed drops is an e-process again. Source: Turner, Ly, Grünwald, Generic E-variables for exact sequential
    k-sample tests (2021); Turner, Grünwald, Exact anytime-valid confidence intervals for contingency tables (2023).

    Why it holds: under a mean q the factor of one request has an expectation of at most 1 + c (q - a'), with
    c = (a - a') / (a' (1 - a')), for marks anywhere in 0..1, the factor being convex in y. The product over the block
    is at most exp of the sum of those terms, which is the slope of the distance at its least value on the null, taken
    in the direction of the true means: never above 0, the null being convex. So only the means within a block must
    obey the null; they may go up and down with time, as in an outage that hits both arms.
    """
    return EvidenceProcess(tuple(drops), null_drop).extend(blocks)


class EvidenceProcess:
    """The e-process of `log_evidence`, which grows by some blocks after others; one for each row."""

    def __init__(self, drops: tuple[float, ...], null_drop: float) -> None:
        self._drops, self._null_drop = drops, null_drop
        self._control_n, self._control_sum = np.zeros(()), np.zeros(())
        self._grown = np.zeros(len(drops))

    def extend(self, blocks: Blocks) -> Floats:
        """Add blocks, and return the logarithm of the evidence after each."""
        control = self._estimate_control_means(blocks)
        total = np.full(control.shape, -np.inf)
        ends = []
        for drop, before in zip(self._drops, np.moveaxis(self._grown, -1, 0), strict=True):
            b = np.clip(control - drop, EDGE, 1 - EDGE)
            above = control - b > self._null_drop
            in_alternative = above if drop > self._null_drop else control - b < self._null_drop
            near_a = np.where(in_alternative, _find_nearest_null(blocks, control, b, self._null_drop), control)
            near_b = np.where(in_alternative, near_a - self._null_drop, b)
            gains = _gain(blocks.control_n, blocks.control_sum, control, near_a)
            gains += _gain(blocks.canary_n, blocks.canary_sum, b, near_b)
            grown = np.expand_dims(before, -1) + np.cumsum(gains, axis=-1)
            total = np.logaddexp(total, grown)
            ends.append(grown[..., -1] if grown.shape[-1] else before)
        self._grown = np.stack(ends, axis=-1)
        return np.asarray(total - math.log(len(self._drops)))

    def select(self, rows: NDArray[np.bool_]) -> None:
        """Keep some of the rows."""
        self._grown, self._control_n = self._grown[rows], self._control_n[rows]
        self._control_sum = self._control_sum[rows]

    def _estimate_control_means(self, blocks: Blocks) -> Floats:
        """Return the control's mean before each block, one half at first."""
        count = self._control_n[..., None] + np.cumsum(blocks.control_n, axis=-1)
        total = self._control_sum[..., None] + np.cumsum(blocks.control_sum, axis=-1)
        mean = np.clip((total - blocks.control_sum + 0.5) / (count - blocks.control_n + 1), EDGE, 1 - EDGE)
        if count.shape[-1]:
            self._control_n, self._control_sum = count[..., -1], total[..., -1]
        return np.asarray(mean)


def _gain(count: Floats, total: Floats, mean: Floats, null: Floats) -> Floats:
    return np.asarray(total * np.log(mean / null) + (count - total) * np.log((1 - mean) / (1 - null)))


def _find_nearest_null(blocks: Blocks, a: Floats, b: Floats, null_drop: float) -> Floats:
    """Return a' of the pair (a', a' - null_drop) nearest to (a, b), which is where the slope of the distance is 0.

    That is a root of a cubic, in closed form, and then a step of Newton for its last digits. Source: Miettinen and
    Nurminen, Comparative analysis of two rates, Statistics in Medicine 4 (1985), where it is the rates' estimate under
    a given difference.
    """
    if null_drop == 0:
        return np.asarray((blocks.control_n * a + blocks.canary_n * b) / (blocks.control_n + blocks.canary_n))
    shifted = b + null_drop
    low = np.maximum(np.minimum(a, shifted), max(null_drop, 0) + 1e-9)
    high = np.minimum(np.maximum(a, shifted), min(1, 1 + null_drop) - 1e-9)
    x = np.clip(_restricted_rate(blocks, a, b, null_drop), low, high)
    y = x - null_drop
    spread_x, spread_y = x * (1 - x), y * (1 - y)
    slope = blocks.control_n * (x - a) / spread_x + blocks.canary_n * (y - b) / spread_y
    change = blocks.control_n * (spread_x - (x - a) * (1 - 2 * x)) / spread_x**2
    change += blocks.canary_n * (spread_y - (y - b) * (1 - 2 * y)) / spread_y**2
    return np.asarray(np.clip(x - slope / change, low, high))


def _restricted_rate(blocks: Blocks, a: Floats, b: Floats, null_drop: float) -> Floats:
    """Return the root of the cubic, exact to about eight digits."""
    total = blocks.control_n + blocks.canary_n
    good_a, good_b = blocks.control_n * a, blocks.canary_n * b
    square = ((blocks.control_n + 2 * blocks.canary_n) * null_drop - total - good_a - good_b) / (3 * total)
    linear = ((blocks.canary_n * null_drop - total - 2 * good_b) * null_drop + good_a + good_b) / (3 * total)
    constant = good_b * null_drop * (1 - null_drop) / total
    q = square**3 - 1.5 * linear * square + constant / 2
    p = np.copysign(np.sqrt(np.maximum(square**2 - linear, 1e-300)), q)
    angle = (math.pi + np.arccos(np.clip(q / p**3, -1, 1))) / 3
    return np.asarray(2 * p * np.cos(angle) - square + null_drop)


def anytime_p(log_e: Floats) -> float:
    """Return the p-value that holds at any time: one over the most evidence there ever was; 1 for none."""
    return 1.0 if not log_e.size else min(1.0, math.exp(-max(0.0, float(log_e.max()))))


def share_p(canary: int, control: int, share: float) -> float:
    """Return the p-value of `the canary's share of units is as configured`: chi-square with one degree of freedom.

    1 where an arm should have fewer than `LEAST_EXPECTED`, for there the approximation does not hold.
    """
    total = canary + control
    if total * min(share, 1 - share) < LEAST_EXPECTED:
        return 1.0
    difference = canary - total * share
    return math.erfc(math.sqrt(difference**2 / (total * share * (1 - share)) / 2))
