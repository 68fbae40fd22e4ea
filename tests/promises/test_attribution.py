"""Which edit broke it: the guilty one is named, an innocent one hardly ever."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from promptci.attribution.search import AskedVersion, EditSearch, Marks

CALLS = 200
RUNS = 150
CHANCE_BREAKS = 0.1
"""Share of the broken cases that broke by chance: no edit is guilty of these."""


class Repository:
    """Broken cases whose answers vary, and a model that answers as the guilty edits say."""

    def __init__(self, rng: random.Random, edits: int, cases: int, guilty: int = 1) -> None:
        self._rng = rng
        self.guilty = frozenset(rng.sample(range(1, edits + 1), guilty))
        self.cases = [f"c{number}" for number in range(cases)]
        self._passes = {case: min(1.0, rng.betavariate(18, 2)) for case in self.cases}
        self._fails = {case: rng.betavariate(1.5, 8) for case in self.cases}
        self._by_chance = {case for case in self.cases if rng.random() < CHANCE_BREAKS}

    def ask(self, versions: Sequence[AskedVersion]) -> list[Marks | None]:
        return [{case: self._answer(case, version) for case in version.cases} for version in versions]

    def _answer(self, case: str, version: AskedVersion) -> list[float]:
        is_broken = bool(self.guilty & version.edits) and case not in self._by_chance
        rate = self._fails[case] if is_broken else self._passes[case]
        return [float(self._rng.random() < rate) for _ in range(version.answers)]


def search(edits: int, cases: int, guilty: int, runs: int = RUNS) -> Counter[str]:
    rng = random.Random(f"{edits}/{cases}/{guilty}")  # noqa: S311 - simulates answers
    ends: Counter[str] = Counter()
    for _ in range(runs):
        repository = Repository(rng, edits, cases, guilty)
        result = EditSearch(range(1, edits + 1), repository.cases, repository.ask, CALLS).run()
        assert result.calls <= CALLS
        named = {edit for effect in result.named for edit in effect.edits}
        ends["named"] += named == repository.guilty
        ends["wrong"] += bool(named - repository.guilty)
    return ends


@pytest.mark.long
@pytest.mark.parametrize("cases", [4, 10, 20, 60])
@pytest.mark.parametrize("edits", range(2, 9))
def test_the_one_guilty_edit_is_named(edits: int, cases: int) -> None:
    ends = search(edits, cases, guilty=1)
    assert ends["named"] >= 0.9 * RUNS
    assert ends["wrong"] <= 0.03 * RUNS


@pytest.mark.long
@pytest.mark.parametrize("cases", [5, 20])
@pytest.mark.parametrize("edits", [2, 5, 8, 16, 40])
def test_where_no_edit_is_guilty_none_is_named(edits: int, cases: int) -> None:
    assert search(edits, cases, guilty=0)["wrong"] <= 0.03 * RUNS


def test_a_few_of_these_searches() -> None:
    assert search(4, 20, guilty=1, runs=20)["named"] >= 18
    assert search(4, 20, guilty=0, runs=20)["wrong"] <= 1
