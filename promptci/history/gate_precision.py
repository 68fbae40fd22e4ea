"""How often the gate was right when it said `fail`, as far as people have judged it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from promptci.history.model import Mark, VerdictRecord
from promptci.stats import intervals
from promptci.stats.intervals import Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """Verdicts that blocked, or would have, and what people made of them."""

    verdicts: int
    judged: int
    right: int

    @property
    def rate(self) -> float | None:
        """Share of the judged that were right; None where none was judged."""
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's interval of the rate, at 95 %."""
        return intervals.wilson(self.right, self.judged)


def precision(verdicts: Iterable[VerdictRecord], judgements: Mapping[str, Mark]) -> Precision:
    """Count the `fail` verdicts and the judgements of them."""
    failed = [one.id for one in verdicts if one.verdict == "fail"]
    judged = [judgements[id_].judgement for id_ in failed if id_ in judgements]
    return Precision(verdicts=len(failed), judged=len(judged), right=judged.count("right"))


def by_rule(verdicts: Sequence[VerdictRecord], judgements: Mapping[str, Mark]) -> dict[str, Precision]:
    """Give the same for each kind of reason; a verdict with two reasons counts for both."""
    rules = sorted({rule for one in verdicts if one.verdict == "fail" for rule in one.rules})
    return {rule: precision([one for one in verdicts if rule in one.rules], judgements) for rule in rules}
