"""What the correction of a judge by people's labels promises, kept over thousands of simulated golden sets."""

from statistics import fmean

import numpy as np
import pytest

from promptci.stats.estimates import ppi

pytestmark = pytest.mark.long

SITUATIONS = [  # labels, judged, true rate, sensitivity, specificity
    (100, 1000, 0.9, 0.9, 0.8),
    (100, 1000, 0.5, 0.9, 0.8),
    (49, 24, 0.6, 0.6, 0.5),
    (49, 60, 0.9, 0.9, 0.8),
    (30, 200, 0.85, 0.95, 0.9),
    (200, 50, 0.7, 0.8, 0.8),
]
RUNS = 2000


def simulated(situation: tuple[int, int, float, float, float], lambda_: float | None = None) -> list[ppi.Corrected]:
    n, judged, rate, se, sp = situation
    rng = np.random.default_rng(11)
    results = []
    for _ in range(RUNS):
        right = rng.random(n + judged) < rate
        passes = np.where(right, rng.random(n + judged) < se, rng.random(n + judged) >= sp).astype(float).tolist()
        corrected = ppi.corrected(right[:n].astype(float).tolist(), passes[:n], passes[n:], lambda_=lambda_)
        assert corrected is not None
        results.append(corrected)
    return results


def effective(situation: tuple[int, int, float, float, float], result: list[ppi.Corrected]) -> float:
    """Labels that would scatter as much by themselves."""
    rate = situation[2]
    return rate * (1 - rate) / float(np.var([corrected.estimate for corrected in result]))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_interval_covers_and_the_estimate_is_right(situation: tuple[int, int, float, float, float]) -> None:
    """A 95 % interval holds the true rate in at least 92.5 % of the runs, and the estimate is hardly biased."""
    rate, result = situation[2], simulated(situation)
    assert np.mean([corrected.interval.lo <= rate <= corrected.interval.hi for corrected in result]) >= 0.925
    assert fmean(corrected.estimate for corrected in result) == pytest.approx(rate, abs=0.015)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_judge_never_makes_it_much_worse_than_the_labels_alone(
    situation: tuple[int, int, float, float, float],
) -> None:
    assert effective(situation, simulated(situation)) >= 0.93 * situation[0]


@pytest.mark.parametrize(("se", "sp", "naive", "tuned"), [(0.9, 0.8, 75, 140), (0.95, 0.9, 138, 203)])
def test_untuned_inference_can_be_worse_than_no_judge_and_tuned_is_not(
    se: float, sp: float, naive: float, tuned: float
) -> None:
    """100 labels and 1,000 judged answers of which 90 % are right."""
    situation = (100, 1000, 0.9, se, sp)
    assert effective(situation, simulated(situation, lambda_=1.0)) == pytest.approx(naive, rel=0.08)
    result = simulated(situation)
    assert effective(situation, result) == pytest.approx(tuned, rel=0.08)
    assert fmean(corrected.effective_n for corrected in result) == pytest.approx(tuned, rel=0.12)
