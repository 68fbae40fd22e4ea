"""As many answers as are said to settle a verdict settle four of five, where nothing changed."""

import numpy as np
import pytest

from promptci.compare.case_effect import measure_cases
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.stats.estimates import power

RUNS = 400


def passes(cases: int, discordance: float, rng: np.random.Generator) -> bool:
    """Ask so many cases once; each flips with the same chance either way."""
    drawn = rng.choice(3, p=[1 - discordance, discordance / 2, discordance / 2], size=cases).tolist()
    base, head = ([(float(kind != lost),) for kind in drawn] for lost in (1, 2))
    ids = tuple(map(str, range(cases)))
    reference, candidate = (Sample(ids=ids, values=tuple(side)) for side in (base, head))
    pair = SamplePair(reference=reference, candidate=candidate, design=Design(alpha=0.05, margin=0.05))
    return measure_cases(pair).is_within(0.05)


@pytest.mark.long
@pytest.mark.parametrize("discordance", [0.02, 0.1, 0.2])
def test_the_answers_said_to_settle_it_settle_it_with_the_power_stated(discordance: float) -> None:
    rng = np.random.default_rng(7)
    needed = power.answers_needed(0.05, discordance)
    assert needed > power.cases_needed(0.05, discordance)
    share = sum(passes(needed, discordance, rng) for _ in range(RUNS)) / RUNS
    assert share == pytest.approx(0.80, abs=0.07)
