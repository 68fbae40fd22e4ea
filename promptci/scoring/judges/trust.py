"""Judge trust: whether its results may block, by its agreement with people, and what its pass rates are worth."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from promptci import wording
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.runs.prompt_plan import Arm
from promptci.scoring.judges import judge
from promptci.scoring.model import JudgeIdentity, ScoredCase
from promptci.stats.estimates import ppi, raters
from promptci.stats.estimates.intervals import Interval
from promptci.stats.estimates.ppi import Corrected
from promptci.stats.estimates.raters import Confusion

MIN_LABELS = 50
"""Scored labels below which agreement is not known: with 20, one bad judge in four would be trusted."""
MAX_KAPPA_GAP = 0.2
"""How far the lower end of kappa's 95 % interval may lie below the kappa asked for."""
MAX_CHANCE_KAPPA = 0.2
"""Kappa up to which agreement is slight, by the scale of Landis and Koch (1977)."""
MIN_LABELS_TO_CORRECT = 20
"""Scored labels below which no pass rate is corrected."""
RECOMMENDED_LABELS = 200
"""Labels that make kappa's interval narrow enough for most purposes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """The judge's results on answers that people have labelled."""

    pairs: tuple[tuple[bool, bool], ...] = ()
    """(people pass it, the judge passes it), one per label that the judge scored."""
    unscored: int = 0
    """Labels that the judge did not score."""
    first_failure: str | None = None
    """Why the first of these was not scored."""

    @property
    def scored(self) -> int:
        """Number of labels that the judge scored."""
        return len(self.pairs)

    @property
    def labels(self) -> int:
        """Number of labels that the judge was asked about."""
        return self.scored + self.unscored

    @property
    def confusion(self) -> Confusion:
        """Passes and failures by people and by the judge."""
        return raters.confusion(self.pairs)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa."""
        return self.confusion.kappa

    @property
    def kappa_interval(self) -> Interval | None:
        """The 95 % interval of kappa."""
        return self.confusion.kappa_interval()


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeTrust:
    """What the judge of one prompt may do."""

    identities: tuple[JudgeIdentity, ...] = ()
    """One per distinct assertion that a judge scores."""
    calibration: Calibration | None = None
    """None: there are no labels."""
    min_kappa: float
    distrust_reasons: tuple[str, ...] = ()
    """Why its results are advisory; empty: it is trusted."""

    @property
    def trusted(self) -> bool:
        """Whether its results count."""
        return not self.distrust_reasons


def assess_trust(
    calibration: Calibration | None,
    min_kappa: float,
    other_reasons: Sequence[str] = (),
    identities: Iterable[JudgeIdentity] = (),
) -> JudgeTrust:
    """Decide whether one judge is trusted. Without labels it is, and the report says that nobody has checked.

    `other_reasons` are reasons for distrust from elsewhere, worded to follow `the judge is not trusted:`.
    """
    reasons = () if calibration is None else _distrust_reasons(calibration, min_kappa)
    return JudgeTrust(
        identities=tuple(dict.fromkeys(identities)),
        calibration=calibration,
        min_kappa=min_kappa,
        distrust_reasons=(*reasons, *other_reasons),
    )


def _distrust_reasons(calibration: Calibration, min_kappa: float) -> tuple[str, ...]:
    scored, labels, kappa = calibration.scored, calibration.labels, calibration.kappa
    if scored < MIN_LABELS:
        count = f"{scored} of {labels} labels were scored" if calibration.unscored else f"there are {scored} labels"
        return (f"its agreement with people is not known: {count}, and {MIN_LABELS} are needed",)
    if kappa is None:
        return (f"kappa cannot be computed: people and the judge give all {scored} labels the same verdict",)
    if kappa < min_kappa - 1e-12:
        seldom = "too seldom" if kappa >= MAX_CHANCE_KAPPA else "hardly more than chance"
        seldom = "no more than chance" if kappa <= 0 else seldom
        numbers = f"kappa {wording.format_kappa(kappa, min_kappa)} with {scored} labels, {min_kappa:g} is needed"
        return (f"it agrees with people {seldom} ({numbers})",)
    lower, required = calibration.kappa_interval, min_kappa - MAX_KAPPA_GAP
    if lower is not None and required > 0 and lower.lo < required - 1e-12:
        lowest = wording.format_kappa(lower.lo, required)
        shown = wording.format_kappa(kappa)
        numbers = f"kappa {shown} with {scored} labels may be as low as {lowest}"
        return (f"its agreement with people is not sure ({numbers}): more labels are needed",)
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRate:
    """How often the judge passes one version's answers, and the rate at which people would."""

    cases: int
    """Cases that were judged."""
    passed: float
    """Share that the judge passes."""
    corrected: Corrected | None = None
    """Estimated share that people would pass; None where there is no estimate."""
    why_not: str | None = None
    """Why there is no estimate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeSummary:
    """The judge of one prompt in one run."""

    trust: JudgeTrust
    base: JudgedRate | None = None
    head: JudgedRate | None = None
    self_judging_models: tuple[str, ...] = ()
    """Models that both answer and judge."""


def measure_judged_rate(
    cases: Mapping[str, Case], scored: Iterable[ScoredCase], arm: Arm, calibration: Calibration | None
) -> JudgedRate | None:
    """Return how often the judge passes one version of a prompt; None where it scored nothing.

    `cases`, by id, are as planned, so that an assertion that counts differs from one that was always advisory.
    """
    verdicts_by_case: dict[str, list[float]] = {}
    answers = list(scored)
    if any(result.position_consistency is not None for answer in answers for result in answer.results):
        return None  # which of two answers is better does not say how many are good
    for answer in answers:
        if answer.arm is not arm or not answer.results:
            continue
        verdicts = [answer.results[i].passed for i in judge.judged_positions(cases[answer.case.id])]
        if verdicts and None not in verdicts:
            verdicts_by_case.setdefault(answer.case.id, []).append(float(all(verdicts)))
    rates = [fmean(verdicts) for verdicts in verdicts_by_case.values()]
    if not rates:
        return None
    corrected, why_not = (None, None) if calibration is None else _correct(calibration, rates)
    return JudgedRate(cases=len(rates), passed=fmean(rates), corrected=corrected, why_not=why_not)


def _correct(calibration: Calibration, rates: Sequence[float]) -> tuple[Corrected | None, str | None]:
    """Correct a pass rate by the labels, where the labelled answers resemble these."""
    people = [float(passed) for passed, _ in calibration.pairs]
    marks = [float(passed) for _, passed in calibration.pairs]
    if len(people) < MIN_LABELS_TO_CORRECT:
        return None, f"fewer than {MIN_LABELS_TO_CORRECT} labels were scored"
    if ppi.unlike(marks, rates):
        share = f"{fmean(marks):.0%} of the labelled answers and {fmean(rates):.0%} of these"
        return None, f"the labelled answers are of another kind: the judge passes {share}"
    correction = ppi.corrected(people, marks, rates)
    if correction is None or correction.lambda_ == 0:
        return None, "its verdicts are unrelated to people's"
    return correction, None
