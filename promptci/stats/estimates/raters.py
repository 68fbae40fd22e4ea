"""Two raters of the same things, pass or fail: how far they agree, and how far that is more than chance."""

import math
from collections.abc import Iterable
from statistics import NormalDist

from promptci.lazy_dataclass import dataclass
from promptci.stats.estimates.intervals import Interval, wilson


@dataclass(frozen=True, kw_only=True, slots=True)
class Confusion:
    """How often a rater passed what the reference passes (`tp`) or fails (`fp`), and failed what it passes (`fn`)."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that are impossible."""
        if min(self.tp, self.fp, self.fn, self.tn) < 0:
            raise ValueError(f"counts cannot be negative: {self}")

    @property
    def n(self) -> int:
        """All things rated by both."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def agreement(self) -> float | None:
        """Share on which both say the same. High by chance alone where nearly all passes."""
        return (self.tp + self.tn) / self.n if self.n else None

    @property
    def sensitivity(self) -> float | None:
        """Share of what the reference passes that the rater passes, too."""
        passes = self.tp + self.fn
        return self.tp / passes if passes else None

    @property
    def specificity(self) -> float | None:
        """Share of what the reference fails that the rater fails, too."""
        fails = self.tn + self.fp
        return self.tn / fails if fails else None

    @property
    def sensitivity_interval(self) -> Interval | None:
        """Wilson's, at 95 %."""
        return wilson(self.tp, self.tp + self.fn)

    @property
    def specificity_interval(self) -> Interval | None:
        """Wilson's, at 95 %."""
        return wilson(self.tn, self.tn + self.fp)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: 1 is full agreement, 0 what chance gives at these pass rates.

        None where chance alone would agree always: both raters say one and the same thing of everything.
        """
        chance = self._chance
        if self.agreement is None or chance is None or chance == 1:
            return None
        return (self.agreement - chance) / (1 - chance)

    @property
    def ac1(self) -> float | None:
        """Gwet's AC1, which does not fall to 0 when nearly everything passes. Source: Gwet, BJMSP 61 (2008)."""
        if self.agreement is None:
            return None
        share = (2 * self.tp + self.fp + self.fn) / (2 * self.n)
        chance = 2 * share * (1 - share)
        return (self.agreement - chance) / (1 - chance)

    def kappa_interval(self, confidence: float = 0.95) -> Interval | None:
        """Return kappa with its asymptotic standard error; None where there is no kappa.

        Source: Fleiss, Cohen, Everitt, Psychological Bulletin 72 (1969), eq. 13. Where all or nothing agrees that
        error is 0, which would be certainty from nothing: there, Wilson's interval of the agreement is turned into
        kappas with the pass rates held fast.
        """
        kappa, chance = self.kappa, self._chance
        if kappa is None or chance is None:
            return None
        error = self._kappa_error(kappa, chance)
        if error > 1e-9:
            half = NormalDist().inv_cdf(0.5 + confidence / 2) * error
            return Interval(lo=max(-1.0, kappa - half), hi=min(1.0, kappa + half))
        share = wilson(self.tp + self.tn, self.n, confidence)
        ends = [] if share is None else [max(-1.0, (end - chance) / (1 - chance)) for end in (share.lo, share.hi)]
        return Interval(lo=min(kappa, *ends), hi=max(kappa, *ends))

    @property
    def _chance(self) -> float | None:
        """Agreement that chance gives: the raters passing independently, each at its own rate."""
        if not self.n:
            return None
        rated, reference = self.tp + self.fp, self.tp + self.fn
        # In whole numbers, so that one-sided data give exactly 1.
        return (rated * reference + (self.n - rated) * (self.n - reference)) / self.n**2

    def _kappa_error(self, kappa: float, chance: float) -> float:
        n = self.n
        rated = ((self.tp + self.fp) / n, (self.fn + self.tn) / n)
        reference = ((self.tp + self.fn) / n, (self.fp + self.tn) / n)
        same = math.fsum(
            count / n * (1 - (rated[i] + reference[i]) * (1 - kappa)) ** 2 for i, count in enumerate((self.tp, self.tn))
        )
        other = (
            math.fsum(count / n * (reference[i] + rated[1 - i]) ** 2 for i, count in enumerate((self.fp, self.fn)))
            * (1 - kappa) ** 2
        )
        variance = (same + other - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
        return math.sqrt(max(0.0, variance))


def confusion(pairs: Iterable[tuple[bool, bool]]) -> Confusion:
    """Count (reference, rater) pairs of passes."""
    marks = list(pairs)
    return Confusion(
        tp=marks.count((True, True)),
        fp=marks.count((False, True)),
        fn=marks.count((True, False)),
        tn=marks.count((False, False)),
    )


def half_width_with(interval: Interval, n: int, new_n: int) -> float:
    """Return the approximate half-width that the interval from `n` labels would have with `new_n`."""
    return (interval.hi - interval.lo) / 2 * math.sqrt(n / new_n)
