"""How often the gate was correct when it said `fail`, by people's feedback."""

from collections.abc import Iterable, Mapping, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.memory.model import Feedback, VerdictRecord
from promptci.stats.estimates import intervals
from promptci.stats.estimates.intervals import Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """Counts of verdicts that blocked, or would have blocked, and of the feedback on them."""

    verdicts: int
    labelled: int
    correct: int

    @property
    def rate(self) -> float | None:
        """Share of correct verdicts among the labelled; None if none is labelled."""
        return self.correct / self.labelled if self.labelled else None

    @property
    def interval(self) -> Interval | None:
        """Wilson interval of the rate, at 95 %."""
        return intervals.wilson(self.correct, self.labelled)


def compute_precision(verdicts: Iterable[VerdictRecord], feedback: Mapping[str, Feedback]) -> Precision:
    """Count the `fail` verdicts and the feedback on them; `feedback` is by verdict id."""
    failed_ids = [verdict.id for verdict in verdicts if verdict.verdict == "fail"]
    labels = [feedback[id_].label for id_ in failed_ids if id_ in feedback]
    return Precision(verdicts=len(failed_ids), labelled=len(labels), correct=labels.count("correct"))


def precision_by_rule(verdicts: Sequence[VerdictRecord], feedback: Mapping[str, Feedback]) -> dict[str, Precision]:
    """Return the precision of each rule; a verdict with two rules counts for both."""
    rules = sorted({rule for verdict in verdicts if verdict.verdict == "fail" for rule in verdict.rules})
    return {rule: compute_precision([v for v in verdicts if rule in v.rules], feedback) for rule in rules}
