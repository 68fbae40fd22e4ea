"""How often a judge is trusted whose true kappa is too low, and how often a good one is refused."""

import pytest
from support.simulated_judges import share_trusted

MARGIN = 0.01
"""Two and a half standard errors of a share of 5 % in 3,000 simulations."""
pytestmark = pytest.mark.long


@pytest.mark.parametrize("pass_rate", [0.5, 0.7, 0.85])
@pytest.mark.parametrize("labels", [50, 75, 100, 200])
def test_a_judge_with_a_kappa_of_0_4_is_trusted_in_at_most_5_percent(labels: int, pass_rate: float) -> None:
    assert share_trusted(0.4, labels=labels, pass_rate=pass_rate, seed=labels) <= 0.05 + MARGIN


@pytest.mark.parametrize(("labels", "least"), [(50, 0.8), (100, 0.9), (200, 0.97)])
def test_a_judge_with_a_kappa_of_0_8_is_mostly_trusted(labels: int, least: float) -> None:
    assert share_trusted(0.8, labels=labels, pass_rate=0.7, seed=labels) >= least


def test_a_judge_is_never_trusted_by_fewer_than_50_labels() -> None:
    assert share_trusted(1.0, labels=49, pass_rate=0.5, seed=1) == 0
