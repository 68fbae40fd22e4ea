"""Whether a judge may block: how far it agrees with people, and what its pass rates are worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from promptci.goldens.model import Case
from promptci.runs.model import Arm
from promptci.scoring.judges import judge
from promptci.scoring.model import JudgeIdentity, ScoredCase
from promptci.stats import ppi, raters
from promptci.stats.intervals import Interval
from promptci.stats.ppi import Corrected
from promptci.stats.raters import Confusion

MIN_LABELS = 20
"""Labels that must have been scored: with fewer, kappa says nothing."""
RECOMMENDED_LABELS = 200
"""Labels with which kappa is known well enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """The judge beside people, on answers that people have marked."""

    pairs: tuple[tuple[bool, bool], ...] = ()
    """(people pass it, the judge passes it), one per label that the judge could mark."""
    unscored: int = 0
    """Labels that the judge could not mark."""
    first_failure: str | None = None
    """Why the first of these could not be marked."""

    @property
    def scored(self) -> int:
        """Labels that count."""
        return len(self.pairs)

    @property
    def labels(self) -> int:
        """Labels that the judge was asked about."""
        return self.scored + self.unscored

    @property
    def confusion(self) -> Confusion:
        """Passes and fails of people against the judge's."""
        return raters.confusion(self.pairs)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa."""
        return self.confusion.kappa

    @property
    def kappa_interval(self) -> Interval | None:
        """Of kappa, at 95 %."""
        return self.confusion.kappa_interval()


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeTrust:
    """What the judge of one prompt may do."""

    identities: tuple[JudgeIdentity, ...] = ()
    """One per different assertion that a judge marks."""
    calibration: Calibration | None = None
    """None: there are no labels."""
    min_kappa: float
    distrust_reasons: tuple[str, ...] = ()
    """Why it informs and does not block, in words; empty: it is trusted."""

    @property
    def trusted(self) -> bool:
        """Whether its marks count."""
        return not self.distrust_reasons


def assess_trust(
    calibration: Calibration | None,
    min_kappa: float,
    further: Sequence[str] = (),
    identities: Iterable[JudgeIdentity] = (),
) -> JudgeTrust:
    """Decide about one judge. Without labels it is trusted, and the report says that nobody has checked.

    `further` are reasons for distrust found elsewhere, in words that read well behind `the judge is not trusted:`.
    """
    found = () if calibration is None else _found(calibration, min_kappa)
    return JudgeTrust(
        identities=tuple(dict.fromkeys(identities)),
        calibration=calibration,
        min_kappa=min_kappa,
        distrust_reasons=(*found, *further),
    )


def _found(calibration: Calibration, min_kappa: float) -> tuple[str, ...]:
    scored, labels, kappa = calibration.scored, calibration.labels, calibration.kappa
    if scored < MIN_LABELS:
        of = f"{scored} of {labels} labels could be scored" if calibration.unscored else f"there are {scored} labels"
        return (f"{of}, and {MIN_LABELS} are needed",)
    if kappa is None:
        return (f"kappa cannot be computed: people and judge say one and the same of all {scored} labels",)
    if kappa < min_kappa - 1e-12:
        return (f"kappa {format_kappa(kappa, min_kappa)} with {scored} labels is below {min_kappa:g}",)
    return ()


def format_kappa(kappa: float, least: float | None = None) -> str:
    """Write a kappa with two decimals, with four where it would not be seen to be below `least`."""
    short = f"{kappa:.2f}"
    long = least is not None and kappa < least <= float(short)
    return (f"{kappa:.4f}" if long else short).replace("-", "−")


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRate:
    """How often the judge passes one version's answers, and what people would say."""

    cases: int
    """Judged ones."""
    passed: float
    """Share that the judge passes."""
    corrected: Corrected | None = None
    """Share that people would pass; None where it cannot be told."""
    why_not: str | None = None
    """Why it cannot be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeSummary:
    """The judge of one prompt in one run."""

    trust: JudgeTrust
    base: JudgedRate | None = None
    head: JudgedRate | None = None
    self_judging_models: tuple[str, ...] = ()
    """Models that are judged and judge."""


def measure_judged_rate(
    cases: Mapping[str, Case], scored: Iterable[ScoredCase], arm: Arm, calibration: Calibration | None
) -> JudgedRate | None:
    """Sum up what the judge says of one version of a prompt; None where it says nothing.

    `cases`, by id, are as planned, so that an assertion which counts can be told from one that only ever informed.
    """
    by_case: dict[str, list[float]] = {}
    own = list(scored)
    if any(mark.position_consistency is not None for one in own for mark in one.results):
        return None  # which of two answers is better says not how many are good
    for one in own:
        marks = [one.results[i].passed for i in judge.judged_positions(cases[one.case.id])] if one.results else []
        if one.arm is arm and marks and None not in marks:
            by_case.setdefault(one.case.id, []).append(float(all(marks)))
    rates = [fmean(passes) for passes in by_case.values()]
    if not rates:
        return None
    corrected, why_not = (None, None) if calibration is None else _correct(calibration, rates)
    return JudgedRate(cases=len(rates), passed=fmean(rates), corrected=corrected, why_not=why_not)


def _correct(calibration: Calibration, rates: Sequence[float]) -> tuple[Corrected | None, str | None]:
    """Correct a rate by the labels, where these can speak for the answers."""
    people = [float(passed) for passed, _ in calibration.pairs]
    marks = [float(passed) for _, passed in calibration.pairs]
    if len(people) < MIN_LABELS:
        return None, f"fewer than {MIN_LABELS} labels could be scored"
    if ppi.unlike(marks, rates):
        share = f"{fmean(marks):.0%} of the labelled answers and {fmean(rates):.0%} of these"
        return None, f"the labelled answers are of another kind: the judge passes {share}"
    found = ppi.corrected(people, marks, rates)
    if found is None or found.power == 0:
        return None, "its marks do not go with people's"
    return found, None
