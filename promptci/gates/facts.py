"""What each rule of the gate measured, as data."""

from typing import NamedTuple


class QualityFacts(NamedTuple):
    """The difference in quality: `regression`, `not-worse` and `cannot-tell`."""

    measure: str
    """`pass rate` or `mean score`."""
    base: float
    head: float
    pairs: int
    worse: int
    """Pairs in which head did worse."""
    better: int
    passed: tuple[int, int] | None
    """Cases that passed at base and at head; None where answers were repeated, weighted or graded."""
    interval: tuple[float, float] | None
    """Of head minus base, at `confidence`."""
    confidence: float
    p: float | None
    """One-sided, of `head is worse`, adjusted for the number of tests."""
    alpha: float
    margin: float
    detectable_drop: float | None
    """Smallest true drop that these goldens show with 80 % power; None: none at all."""
    cases_needed: int | None
    """Pairs that would settle the margin; None where unknown, or there are enough."""
    repeats_needed: int | None
    same_requests: bool
    """Both versions send the model the same requests."""
    about: str = "inputs"
    """What decided: `goldens` (these very cases) or `inputs` like them."""
    max_drop: float | None = None
    """Upper bound of the drop on these goldens; None where inputs like them decide."""
    judged: bool = False
    """A judge scored some of the answers that count."""
    missing_decides: int = 0
    """Cases that lack a result, where a drop of the margin is excluded but for them."""
    assumed_answers: int = 0
    """Answers that were not requested, because no answer could have changed the verdict."""
    assumed_for: str = ""
    """Version in whose favor they were counted: `base` or `head`."""

    @property
    def delta(self) -> float:
        """Head minus base."""
        return self.head - self.base


class PooledFacts(NamedTuple):
    """What several prompts show together."""

    prompts: tuple[str, ...]
    pairs: int
    worse: int
    better: int
    delta: float
    p: float
    dropped: bool
    """A drop of the margin is shown."""


class EmptyGoldens(NamedTuple):
    """A golden set without cases."""

    removed: int
    """Cases that the base revision has."""
    paths: tuple[str, ...] = ()
    """Golden files without a case."""


class MissingAnswers(NamedTuple):
    """Too few answers: `nothing-evaluated` and `error-rate`."""

    missing: int
    requested: int
    max_error_rate: float
    first_error: str | None
    version: str = ""
    """`base` or `head` where one version alone is meant, `both` where no answer of either is there."""
    unscored: bool = False
    """The answers are there, and none of the missing ones could be scored."""
    unsent: int = 0
    """Requests that were never made, because the error of others forbade it."""
    kind: str = ""
    """The kind of error that all missing answers have in common, such as `auth`; empty where they differ."""


class ExcludedFacts(NamedTuple):
    """Cases that were asked and do not count: `excluded` and `all-excluded`."""

    ids: tuple[str, ...]
    cases: int
    reasons: tuple[str, ...]


class CriticalFacts(NamedTuple):
    """Critical cases that block."""

    ids: tuple[str, ...]
    added: bool
    """There is no earlier version: the cases fail, and were not broken."""


class MinQualityFacts(NamedTuple):
    """The absolute limit on quality."""

    quality: float | None
    """None: there is no absolute quality, because answers are judged in pairs."""
    limit: float
    upper_end: float | None = None
    """Of the 95 % interval, where it reaches the limit: falling short may be chance."""


class CostFacts(NamedTuple):
    """The limit on the rise of cost per request, in US dollars."""

    base: float | None
    head: float | None
    limit: float
    p: float | None = None
    """One-sided, of `cost rose by more than the limit`; None where there are too few cases to test."""
    shown: bool = True
    """A rise beyond the limit is shown, and not only measured."""
    cases: int = 0
    """Cases with a known cost in both versions."""
    needed: int = 0
    """Cases from which a rise can be shown."""
    unpriced: str | None = None
    """Model without a price; None: the price is known, and token counts are missing."""
    cause: str = ""
    """What made it dearer: `model`, `answers`, `prompt`, `both` or `price`; empty where tokens were not counted."""
    models: tuple[str, str] | None = None
    """The model before and after, where the change replaces it."""
    base_tokens: tuple[float, float] | None = None
    """Input and output tokens per request; None where they were not counted."""
    head_tokens: tuple[float, float] | None = None

    @property
    def rise(self) -> float | None:
        """Relative; None where a price is unknown."""
        return self.head / self.base - 1 if self.base and self.head is not None else None


class P95Facts(NamedTuple):
    """The limit on the rise of the 95th percentile of latency, in milliseconds."""

    base: float
    head: float
    limit: float
    answers: int
    """Head's answers."""
    certain: bool
    """Both versions have enough answers for an upper bound of the percentile."""
    unequal_caching: bool = False
    """One version's answers come from the cache, so the times were taken on different days."""

    @property
    def rise(self) -> float:
        """Relative."""
        return self.head / self.base - 1


class CaseIds(NamedTuple):
    """Cases by id: changed goldens, and cases that head left unanswered or unconfirmed."""

    ids: tuple[str, ...]
    unscored: bool = False
    """Head answered each of them, and no answer could be scored."""


class WeakenedGoldens(NamedTuple):
    """Golden cases of which the change replaces the expectation, or that it lets count for less."""

    ids: tuple[str, ...]
    base_decides: bool
    """False where the prompt is unchanged, so that head's goldens are used."""


class FailingNewCases(NamedTuple):
    """Golden cases that the change adds and that its own version fails."""

    ids: tuple[str, ...]
    """The critical ones first."""
    added: int
    critical: int = 0
    """How many of `ids` are critical."""


class SuiteResult(NamedTuple):
    """What one golden set makes of the change."""

    verdict: str
    cases: int
    """Compared."""
    base: float | None
    """Quality before the change; None where nothing could be compared."""
    head: float | None


class EditedGoldens(NamedTuple):
    """Both golden sets of a change that edits prompt and goldens."""

    base_goldens: SuiteResult
    head_goldens: SuiteResult


class ReturnedModels(NamedTuple):
    """The endpoint answered with another model than was requested."""

    versions: tuple[str, ...]
    """`base`, `head` or both."""
    requested: str
    returned: tuple[str, ...]


class OddAnswers(NamedTuple):
    """Few answers of a model that only one version got, left out of the comparison."""

    ids: tuple[str, ...]
    """Their cases."""
    answers: int
    requested: int
    """Answers of both versions."""
    first: str
    """Which model answered the first of them instead of which."""


class EndpointFacts(NamedTuple):
    """The endpoint reported other `system_fingerprint`s for one version than for the other."""

    base: tuple[str, ...]
    head: tuple[str, ...]


class InjectionFacts(NamedTuple):
    """Answers that try to instruct the judge."""

    answers: int
    patterns: tuple[str, ...]
    base_cases: tuple[str, ...]
    head_cases: tuple[str, ...]


class CutOffFacts(NamedTuple):
    """Answers that ended before they were complete, more of head's than of base's."""

    reason: str
    """`length` (the limit of tokens) or `content_filter`."""
    head: int
    head_answers: int
    """All answers of the version, with the complete ones."""
    base: int | None
    """None where there is no earlier version."""
    base_answers: int
    nearly_all: bool
    """So many of head's and so few of base's that nothing can be concluded."""


class PositionBiasFacts(NamedTuple):
    """A pairwise judge whose verdict depends on which answer comes first."""

    flipped: int
    pairs: int
    max_rate: float


class DistrustFacts(NamedTuple):
    """Why a judge is not trusted."""

    reasons: tuple[str, ...]


class JudgeCandidates(NamedTuple):
    """Models under test that are also the judge."""

    models: tuple[str, ...]


class EarlyStopFacts(NamedTuple):
    """Answers that were not requested, because none could have changed the verdict."""

    skipped: int
