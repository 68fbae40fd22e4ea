"""What each rule of drift measured, as data."""

from typing import NamedTuple


class ReadingFacts(NamedTuple):
    """One night beside its reference."""

    quality: float
    expected: float
    """Of the reference, over the same cases."""
    cases: int
    reference_answers: int
    """To each case."""
    frozen: str
    """Day of the reference's last answers."""
    total: float
    """CUSUM after this night."""
    limit: float | None
    """None while learning."""
    cliff: float
    since: str | None
    """First night of the drift that is open."""
    worse: tuple[str, ...] = ()
    """Cases that fell most, the worst first."""


class AskedAgain(NamedTuple):
    """Both readings of a night on which an alarm was due."""

    first: float
    pooled: float


class DriftOutage(NamedTuple):
    """A night without usable answers."""

    missing: int
    asked: int
    limit: float
    reason: str


class ChangedTests(NamedTuple):
    """What is no longer as in the reference."""

    changes: tuple[str, ...]
    """`prompt`, `goldens`, `judge`."""
    frozen: str


class RejudgedAnswers(NamedTuple):
    """Stored answers, graded again by today's judge."""

    answers: int
    before: float
    now: float
    worse: int
    better: int
    p: float
    stored: str
    """Day of the oldest."""


class PinnedModel(NamedTuple):
    """The goldens of tonight, asked of a model that does not change."""

    alias: str
    pinned: str
    quality: float
    pinned_quality: float
    p: float


class SeenModel(NamedTuple):
    """A model that answered, and since when."""

    name: str
    since: str


class SeenModels(NamedTuple):
    """Models, or system fingerprints, that the reference or the nights before did not see."""

    kind: str
    """`model` or `system fingerprint`."""
    seen: tuple[SeenModel, ...]
    before: tuple[str, ...]


class MissedNights(NamedTuple):
    """A gap in the watch."""

    last: str
    nights: int


class RefusedAnswers(NamedTuple):
    """Answers that the model refused."""

    refusals: int
    answers: int


class ProbedModel(NamedTuple):
    """One look at a model's fingerprint."""

    model: str
    answers: int
    p: float | None
    """None: there is nothing to compare with."""
    new_models: tuple[str, ...]


class EarlierVersion(NamedTuple):
    """The version that ran before, on tonight's goldens; what was done about it."""

    version: str
    quality: float | None = None
    now: float | None = None
    p: float | None = None
    done: str = ""


class AffectedAnswers(NamedTuple):
    """What a drifting version answered before something was done about it."""

    version: str
    since: str
    """Time of the last night that was as in the reference."""
    requests: int | None = None
    """None: not known."""
    users: int | None = None
    """None: the log names no user."""
    reason: str = ""
    """Why the number is not known."""


class ReferenceProgress(NamedTuple):
    """Answers that were added to a reference."""

    answers: int
    path: str
    added: int
