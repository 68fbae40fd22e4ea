"""Flaky cases: with the same prompt, question and model they passed once and failed another time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from promptci.lazy_dataclass import dataclass
from promptci.memory.model import CaseRecord
from promptci.stats.estimates import discordance as discordance_stats

QuestionKey = tuple[str, str, str, str | None]
"""Case id, case digest, prompt fingerprint, returned model: answers to one key differ by chance only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlakyCase:
    """A case that passed and failed under the same conditions."""

    case: str
    digest: str
    passes: int
    """Only under versions of the prompt for which the case flipped."""
    fails: int

    @property
    def share(self) -> float:
        """Share of the rarer outcome, at most 0.5."""
        return min(self.passes, self.fails) / (self.passes + self.fails)


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredDiscordance:
    """How often two runs of one version of a prompt disagree on a case."""

    cases: int
    """Cases with at least two answers."""
    answers: int
    rate: float
    """Expected share of cases whose result differs between two runs."""


def find_flaky_cases(records: Iterable[CaseRecord], prompt: str) -> tuple[FlakyCase, ...]:
    """Return the flaky cases of a prompt, those closest to 50:50 first."""
    counts_by_case: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for (case, digest, _, _), (passes, fails) in _count_by_question(records, prompt).items():
        if passes and fails:
            counts_by_case[(case, digest)].append((passes, fails))
    flaky_cases = [
        FlakyCase(case=case, digest=digest, passes=sum(p for p, _ in counts), fails=sum(f for _, f in counts))
        for (case, digest), counts in counts_by_case.items()
    ]
    return tuple(sorted(flaky_cases, key=lambda flaky: (-flaky.share, flaky.case, flaky.digest)))


def measure_discordance(records: Iterable[CaseRecord], prompt: str) -> MeasuredDiscordance | None:
    """Estimate how often two runs of the same version disagree; None if no case has two answers.

    Answers requested because the versions disagreed are excluded: how often a case is asked must not depend on its
    answers, or the estimate is biased.
    """
    unbiased = (record for record in records if not record.chosen)
    groups: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for (case, digest, _, _), (passes, fails) in _count_by_question(unbiased, prompt).items():
        if passes + fails > 1:
            groups[(case, digest)].append((passes, passes + fails))
    rate = discordance_stats.discordance(groups.values())
    if rate is None:
        return None
    answers = sum(total for counts in groups.values() for _, total in counts)
    return MeasuredDiscordance(cases=len(groups), answers=answers, rate=rate)


def _count_by_question(records: Iterable[CaseRecord], prompt: str) -> Mapping[QuestionKey, tuple[int, int]]:
    counts: dict[QuestionKey, tuple[int, int]] = {}
    for record in records:
        if record.prompt == prompt:
            key = (record.case, record.digest, record.fingerprint, record.model)
            passes, fails = counts.get(key, (0, 0))
            counts[key] = (passes + record.passes, fails + record.fails)
    return counts
