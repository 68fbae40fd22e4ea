"""Classify the cases of a prompt by outcome, order them, and describe each outcome. Pure."""

from collections.abc import Callable

from promptci.lazy_dataclass import dataclass
from promptci.present import escape, formatting
from promptci.report.model.report import AnswerView, CaseView, PromptView

MAX_ID_CHARS = 120
CaseRank = tuple[bool, bool, bool, float, int]
"""Sort key; the last item is the position of the case in the prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseKind:
    """Cases with the same outcome."""

    slug: str
    title: str
    note: str
    belongs: Callable[[CaseView], bool]
    mood: str = "mute"
    """Icon next to the title: `good`, `bad`, `warn` or `mute`."""

    @property
    def urgent(self) -> bool:
        """Whether a reader must see these cases, so that they get their space first."""
        return self.slug in URGENT_KINDS


URGENT_KINDS = ("broken", "rarer", "failing", "fixed", "oftener", "lower", "higher", "missing")


def _is_wrong(case: CaseView) -> bool:
    return case.head_pass_rate is not None and case.head_pass_rate < 1


def mean_scores(case: CaseView) -> tuple[float | None, float | None]:
    """Return the score before and after: of answers that are right or wrong, the share that was right.

    One answer of each version is shown, and its score alone would tell of a case that is right at times as of one that
    broke.
    """
    shown = tuple(None if answer is None else answer.score for answer in (case.base, case.head))
    rates = (case.base_pass_rate, case.head_pass_rate)
    if any(score is not None and 0 < score < 1 for score in shown):
        return shown[0], shown[1]
    before, after = (None if score is None else rate for score, rate in zip(shown, rates, strict=True))
    return before, after


def score_change(case: CaseView) -> float:
    """Return head's score minus base's; 0 if one is missing."""
    before, after = mean_scores(case)
    return 0.0 if before is None or after is None else after - before


def is_worse(case: CaseView) -> bool:
    """Return whether a case is right less often than before."""
    return case.change == "same" and case.outcome == "broken"


def is_broken(case: CaseView) -> bool:
    """Return whether a case was always right before and is never right after."""
    return is_worse(case) and (case.base_pass_rate, case.head_pass_rate) == (1.0, 0.0)


def _is_better(case: CaseView) -> bool:
    return case.change == "same" and case.outcome == "fixed"


BROKEN = CaseKind(
    slug="broken",
    title="Broken",
    note="Right before, wrong after.",
    belongs=is_broken,
    mood="bad",
)
LESS_OFTEN = CaseKind(
    slug="rarer",
    title="Less often right",
    note="Of several answers, fewer are right than before.",
    belongs=is_worse,
    mood="bad",
)
FIXED = CaseKind(
    slug="fixed",
    title="Fixed",
    note="Wrong before, right after.",
    belongs=lambda c: _is_better(c) and (c.base_pass_rate, c.head_pass_rate) == (0.0, 1.0),
    mood="good",
)
MORE_OFTEN = CaseKind(
    slug="oftener",
    title="More often right",
    note="Of several answers, more are right than before.",
    belongs=_is_better,
    mood="good",
)
LOWER = CaseKind(
    slug="lower",
    title="Lower scores",
    note="Worse than before, but still passing or failing as before.",
    belongs=lambda c: c.change == "same" and c.outcome == "same" and score_change(c) < 0,
)
HIGHER = CaseKind(
    slug="higher",
    title="Higher scores",
    note="Better than before, but still passing or failing as before.",
    belongs=lambda c: c.change == "same" and c.outcome == "same" and score_change(c) > 0,
)
EXCLUDED = CaseKind(
    slug="excluded",
    title="Excluded",
    note="Asked and shown, but not counted.",
    belongs=lambda c: c.excluded_reason is not None,
)
_OTHER_COMPARED_KINDS = (
    CaseKind(
        slug="unasked",
        title="Not asked",
        note="The verdict was certain before these were asked (`run.early_stop`).",
        belongs=lambda c: c.base is None and c.head is None,
    ),
    CaseKind(
        slug="missing",
        title="Not evaluated",
        note="An answer or its score is missing, so the case cannot be compared.",
        belongs=lambda c: c.change == "same" and c.outcome != "same",
        mood="warn",
    ),
    CaseKind(
        slug="apart",
        title="New and changed cases",
        note="Not compared, because they differ between the two revisions; they count for absolute limits only.",
        belongs=lambda c: c.change != "same",
    ),
    CaseKind(slug="wrong", title="Wrong in both versions", note="No change.", belongs=_is_wrong, mood="bad"),
    CaseKind(slug="right", title="Right in both versions", note="No change.", belongs=lambda _: True, mood="good"),
)
_CHANGED_KINDS = (BROKEN, LESS_OFTEN, FIXED, MORE_OFTEN)
COMPARED_KINDS = (*_CHANGED_KINDS, *_OTHER_COMPARED_KINDS)
GRADED_KINDS = (*_CHANGED_KINDS, LOWER, HIGHER, *_OTHER_COMPARED_KINDS)
SINGLE_VERSION_KINDS = (
    CaseKind(slug="failing", title="Failing", note="The answer is wrong.", belongs=_is_wrong, mood="bad"),
    CaseKind(
        slug="missing",
        title="Not evaluated",
        note="The answer or its score is missing.",
        belongs=lambda c: c.head_pass_rate is None,
        mood="warn",
    ),
    CaseKind(slug="passing", title="Passing", note="The answer is right.", belongs=lambda _: True, mood="good"),
)


def kinds_of(prompt: PromptView) -> tuple[CaseKind, ...]:
    """Return the kinds that a prompt's cases can be of, in reading order; a case is of the first that fits."""
    if prompt.base is None:
        return (*SINGLE_VERSION_KINDS, EXCLUDED)
    return (*(GRADED_KINDS if is_graded(prompt) else COMPARED_KINDS), EXCLUDED)


def is_graded(prompt: PromptView) -> bool:
    """Return whether the prompt is measured by scores between 0 and 1."""
    return prompt.quality is not None and prompt.quality.measure == "mean score"


def rank_case(case: CaseView, position: int) -> CaseRank:
    """Return a sort key: critical cases first, then answers that a person should read, stable cases, lost score."""
    flagged = any(answer.flags for answer in (case.base, case.head) if answer is not None)
    return (not case.critical, not flagged, case.flaky, score_change(case), position)


def describe_outcome(case: CaseView, prompt: PromptView) -> str:
    """Return `right → wrong`, with the scores if the prompt is graded."""
    before, after = describe_result(case.base_pass_rate, case.base), describe_result(case.head_pass_rate, case.head)
    outcome = f"{before} → {after}" if case.base else after
    if not is_graded(prompt) or not score_change(case) or case.base is None or case.head is None:
        return outcome
    return f"{outcome}, score {formatting.number(case.base.score)} → {formatting.number(case.head.score)}"


def describe_case(case: CaseView, prompt: PromptView) -> str:
    """Return the id and the outcome of a case on one line."""
    return f"{escape.shorten(escape.one_line(case.id), MAX_ID_CHARS)} · {describe_outcome(case, prompt)}"


def is_advisory_only(rate: float | None, answer: AnswerView | None) -> bool:
    """Return whether an answer exists and only advisory assertions scored it."""
    return rate is None and answer is not None and answer.text is not None and answer.error is None


def describe_result(rate: float | None, answer: AnswerView | None = None) -> str:
    """Return `right`, `wrong`, `missing`, `unscored`, `advisory only`, or how often repeated answers were right."""
    if is_advisory_only(rate, answer):
        return "advisory only"
    if rate is None:
        return "missing" if answer is None or answer.text is None else "unscored"
    if rate in (0.0, 1.0):
        return "right" if rate else "wrong"
    return f"right {formatting.percent(rate)} of the time"
