"""What the gate promises, kept over many thousand simulated pull requests. docs/promises.md shows the same numbers."""

from itertools import product

import measure_promises
import numpy as np
import pytest
from support.simulated_gate import (
    ALPHA,
    blocked,
    clustered,
    early_stop,
    exact_power,
    family,
    naive,
    repeated,
    scores,
    significant,
    tango_covers,
    wilson_covers,
)

from promptci.stats.estimates import power
from promptci.stats.significance import paired

pytestmark = pytest.mark.long
EXCESS = 0.002
"""By so much the mid-p may exceed alpha, by its published size."""


def above(runs: int) -> float:
    """Three standard errors of a rate that is alpha."""
    return 3 * float((ALPHA * (1 - ALPHA) / runs) ** 0.5)


@pytest.mark.parametrize(("n", "discordance"), list(product((50, 100, 200), (0.05, 0.10, 0.20))))
def test_a_harmless_change_is_blocked_no_more_often_than_stated(n: int, discordance: float) -> None:
    test, gate = (method(n, discordance, 0.0, seed=n) for method in (significant, blocked))
    assert gate <= test <= ALPHA + above(20_000) + EXCESS


@pytest.mark.parametrize(("n", "discordance"), list(product((75, 100, 200, 500), (0.10, 0.20))))
def test_the_detectable_drop_is_detected_with_the_power_stated(n: int, discordance: float) -> None:
    """Power at the drop that is called detectable: 80 %, within 2 points."""
    drop = power.detectable_drop(n, discordance)
    assert drop is not None
    assert significant(n, discordance, drop, seed=n + 1) == pytest.approx(0.80, abs=0.02)


@pytest.mark.parametrize(("n", "drop", "discordance"), list(product((50, 100, 200), (0.05, 0.1, 0.14), (0.1, 0.2))))
def test_power_is_as_the_formula_says_within_two_points(n: int, drop: float, discordance: float) -> None:
    together = max(drop, discordance)
    assert significant(n, together, drop, seed=n) == pytest.approx(exact_power(n, together, drop), abs=0.02)


@pytest.mark.parametrize(("n", "low", "high"), [(50, 0.63, 0.85), (100, 0.94, 0.999), (200, 0.998, 1.0)])
def test_a_drop_of_14_points_is_seen_as_the_table_says(n: int, low: float, high: float) -> None:
    """96 to 82 %: 85 % at n = 50 (63 % where 20 % flip beside it), 94 to 99.9 % at 100, more at 200."""
    assert low - 0.02 <= significant(n, 0.20, 0.14, seed=n)
    assert significant(n, 0.16, 0.14, seed=n) <= high + 0.02


@pytest.mark.parametrize(
    ("n", "discordance", "drop"), [(50, 0.1, 0.0), (100, 0.1, 0.05), (100, 0.2, 0.1), (300, 0.05, 0.0)]
)
def test_tango_s_interval_covers(n: int, discordance: float, drop: float) -> None:
    """A 90 % interval holds the true difference in about 90 % of the runs; never below 88 %."""
    assert tango_covers(n, discordance, drop, seed=7) >= 0.88


@pytest.mark.parametrize(("n", "rate"), [(50, 0.98), (100, 0.95), (100, 0.5), (200, 0.9)])
def test_wilson_s_interval_covers(n: int, rate: float) -> None:
    """A 95 % interval holds the true rate in at least 91 % of the runs, where Wald's falls to 64 %."""
    assert wilson_covers(n, rate, seed=3) >= 0.91


@pytest.mark.parametrize("n", [20, 30, 100])
def test_the_paired_t_test_on_skewed_scores_keeps_its_size_and_its_bca_interval_covers(n: int) -> None:
    """Marks of five grades, heavily skewed, no true difference: size within .03-.065, coverage of 90 % above 86 %."""
    score_effect = scores(n, seed=n)
    assert 0.03 <= score_effect.blocked <= 0.065
    assert score_effect.covered >= 0.86


def test_clusters_are_not_taken_for_independent_cases() -> None:
    """Five paraphrases that agree fully: the naive test blocks far too often, the clustered one does not."""
    result = clustered(20, 5, seed=5)
    assert result.without > 0.15
    assert result.within <= ALPHA + above(2000)
    assert result.covered >= 0.88


def test_duplicating_the_cases_of_one_cluster_gains_nothing() -> None:
    """The same answer three times over, in one cluster, weighs no more than once where the weights say so."""
    rng = np.random.default_rng(2)
    for _ in range(200):
        differences = rng.choice([-1.0, -0.5, 0.0, 0.5], size=25).tolist()
        once = paired.paired_t(differences, None, [f"k{i}" for i in range(25)])
        names = [f"k{i}" for i in range(25) for _ in range(3)]
        thrice = paired.paired_t([d for d in differences for _ in range(3)], None, names)
        assert (thrice.mean, thrice.se, thrice.p_worse) == pytest.approx((once.mean, once.se, once.p_worse), abs=1e-12)


@pytest.mark.parametrize("method", ["once", "adaptive", "thrice"])
def test_however_cases_are_repeated_a_harmless_change_is_blocked_no_more_often_than_stated(method: str) -> None:
    assert repeated(method, 100, 0.0, seed=11).blocked <= ALPHA + above(3000) + EXCESS
    assert repeated(method, 50, 0.0, seed=13).blocked <= ALPHA + above(3000) + EXCESS


def test_asking_on_where_versions_disagree_sees_nearly_what_repeating_everything_sees_at_half_its_price() -> None:
    once, adaptive, thrice = (repeated(method, 100, 0.1, seed=12) for method in ("once", "adaptive", "thrice"))
    assert adaptive.blocked > once.blocked + 0.1
    assert adaptive.blocked > thrice.blocked - 0.06
    assert adaptive.calls < thrice.calls / 2
    assert adaptive.estimate == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("prompts", [5, 20])
def test_many_prompts_are_blocked_by_chance_no_more_often_than_one(prompts: int) -> None:
    assert family(prompts, 100, 0.1, corrected=False, seed=prompts) > 0.15
    assert family(prompts, 100, 0.1, corrected=True, seed=prompts) <= ALPHA + above(10_000)


def test_rules_without_a_test_cry_wolf() -> None:
    """What users write today: any drop blocks four harmless changes in ten."""
    assert naive(100, 0.1, 0.0, 0.0, seed=1) == pytest.approx(0.44, abs=0.02)
    assert naive(100, 0.2, 0.0, 0.02, seed=1) == pytest.approx(0.29, abs=0.02)


def test_early_stop_saves_answers_where_the_gate_fails() -> None:
    failed, saved = early_stop(200, 0.3, 0.3, seed=9)
    assert failed == 1.0
    assert saved > 0.1


def test_promises_page_is_fresh() -> None:
    # First what the tests ask for last: another worker that is at them does not wait for the same simulation then.
    for simulate in (measure_promises._designs, measure_promises._grid):
        simulate()
    assert measure_promises.PAGE.read_text(encoding="utf-8") == measure_promises.page()
