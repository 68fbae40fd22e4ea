"""Cases that flip by themselves: asked the same, of the same model, they were right once and wrong another time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from promptci.history.model import CaseRecord
from promptci.stats import discordance as noise

Question = tuple[str, str, str, str | None]
"""Case's id, case's digest, prompt's fingerprint, returned model: nothing but chance is left to differ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaky:
    """A case that has flipped by itself."""

    case: str
    digest: str
    passes: int
    """Counted only where it flipped: under versions of the prompt that it always passed, it is not flaky."""
    fails: int

    @property
    def share(self) -> float:
        """Share of the rarer outcome; 0.5 is a coin."""
        return min(self.passes, self.fails) / (self.passes + self.fails)


@dataclass(frozen=True, kw_only=True, slots=True)
class Discordance:
    """How often two runs of one version of a prompt disagree on a case: the noise that a comparison has to beat."""

    cases: int
    """Cases that were asked twice or more."""
    answers: int
    rate: float
    """Share of the cases whose verdict differs between two runs, expected."""


def flaky(records: Iterable[CaseRecord], prompt: str) -> tuple[Flaky, ...]:
    """Give the cases of a prompt that have flipped, the most like a coin first."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for (case, digest, _, _), (passes, fails) in _counts(records, prompt).items():
        if passes and fails:
            found[(case, digest)].append((passes, fails))
    made = [
        Flaky(case=case, digest=digest, passes=sum(p for p, _ in counts), fails=sum(f for _, f in counts))
        for (case, digest), counts in found.items()
    ]
    return tuple(sorted(made, key=lambda one: (-one.share, one.case, one.digest)))


def discordance(records: Iterable[CaseRecord], prompt: str) -> Discordance | None:
    """Estimate how often two runs of the same version disagree; None where no case was asked twice.

    That is without bias because how often a case was asked does not depend on the answers: those that were asked again
    because the versions disagreed are left out.
    """
    honest = (record for record in records if not record.chosen)
    groups: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for (case, digest, _, _), (passes, fails) in _counts(honest, prompt).items():
        if passes + fails > 1:
            groups[(case, digest)].append((passes, passes + fails))
    rate = noise.discordance(groups.values())
    if rate is None:
        return None
    return Discordance(cases=len(groups), answers=sum(n for one in groups.values() for _, n in one), rate=rate)


def _counts(records: Iterable[CaseRecord], prompt: str) -> Mapping[Question, tuple[int, int]]:
    counts: dict[Question, tuple[int, int]] = {}
    for one in records:
        if one.prompt == prompt:
            key = (one.case, one.digest, one.fingerprint, one.model)
            passes, fails = counts.get(key, (0, 0))
            counts[key] = (passes + one.passes, fails + one.fails)
    return counts
