"""What goldens can show, said before a run, against the tables and against what the gate itself says after one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.compare.case_power import Asking
from promptci.config.policy import About, GatePolicy
from promptci.gates.selftest.power_analysis import PowerAnalysis, analyze_power, effective_cases, smallest_drop
from promptci.goldens.model import Case
from promptci.stats.estimates import power

INPUTS = GatePolicy(about=About.INPUTS)


def cases(count: int, cluster: int = 0) -> list[Case]:
    """So many cases, in clusters of `cluster` where that is not 0."""
    return [Case(id=f"c{i}", path="g", cluster=f"k{i // cluster}" if cluster else None) for i in range(count)]


def seen(count: int, variance: float, **options: float) -> PowerAnalysis:
    arguments = {"drop": 0.05, "asking": Asking(), "graded": False, "policy": INPUTS, **options}
    return analyze_power(cases(count), variance, **arguments)  # type: ignore[arg-type]  # numbers of the notation


@pytest.mark.parametrize(
    ("n", "discordance", "points"), [(100, 0.10, 7.5), (100, 0.20, 10.7), (200, 0.05, 3.8), (200, 0.10, 5.4)]
)
def test_the_smallest_drop_is_that_of_the_table(n: int, discordance: float, points: float) -> None:
    result = seen(n, discordance).smallest_drop
    assert result is not None
    assert 100 * result == pytest.approx(points, abs=0.1)


@pytest.mark.parametrize(("discordance", "n"), [(0.05, 124), (0.10, 248), (0.20, 495)])
def test_the_cases_for_a_pass_are_those_of_the_table(discordance: float, n: int) -> None:
    assert seen(100, discordance).cases_for_pass == n


@settings(max_examples=15, deadline=None)
@given(st.floats(0.02, 0.3), st.floats(0.03, 0.2))
def test_so_many_cases_show_the_drop_and_one_in_twenty_fewer_do_not(drop: float, discordance: float) -> None:
    needed = power.cases_to_show(drop, discordance)
    together = max(drop, discordance)
    assert power.power_of(needed, together, drop) >= 0.8
    assert power.power_of(int(needed * 0.95) - 2, together, drop) < 0.8


def test_repeats_take_noise_away() -> None:
    """A simulation at n = 100 and a discordance of 16 % gave 9.6, 6.8, 5.6 and 4.3 points for 1, 2, 3 and 5 answers."""
    results = [smallest_drop(100, 0.16, repeats=k, graded=False, alpha=0.05) for k in (1, 2, 3, 5)]
    drops = [100 * drop for drop in results if drop is not None]
    assert drops == sorted(drops, reverse=True)
    assert [pytest.approx(drop, abs=1.5) for drop in (9.6, 6.8, 5.6, 4.3)] == drops


def test_the_least_repeats_that_will_do_are_named() -> None:
    assert seen(100, 0.16, drop=0.07).repeats_for_drop == 2
    assert seen(100, 0.16, drop=0.2).repeats_for_drop == 1
    assert seen(100, 0.3, drop=0.01).repeats_for_drop is None


def test_marks_are_told_by_their_spread() -> None:
    power_analysis = seen(100, 0.04, graded=True)
    assert power_analysis.smallest_drop == pytest.approx(power.detectable_drop_scores(100, 0.2))
    assert power_analysis.cases_for_drop == power_analysis.cases_for_pass == power.cases_needed(0.05, 0.04)
    assert power_analysis.repeats_for_drop == 1
    assert seen(100, 0.0, graded=True).smallest_drop == seen(100, 0.0).smallest_drop


def test_cases_in_clusters_are_worth_fewer() -> None:
    """Five paraphrases at a correlation of a half: a design effect of 3, and 100 cases are worth 33."""
    assert effective_cases(cases(100, cluster=5)) == 33
    assert effective_cases([*cases(100, cluster=5), *cases(7)]) == 40
    assert effective_cases(cases(100, cluster=1)) == 100
    clustered = analyze_power(cases(300, cluster=5), 0.1, drop=0.05, asking=Asking(), graded=False, policy=INPUTS)
    assert (clustered.cases, clustered.effective) == (300, 100)
    assert clustered.smallest_drop == seen(100, 0.1).smallest_drop
    assert clustered.cases_for_pass == 3 * 248


@pytest.mark.parametrize("n", [0, 1])
def test_no_case_shows_nothing(n: int) -> None:
    power_analysis = seen(n, 0.1)
    assert power_analysis.smallest_drop is None
    assert power_analysis.repeats_for_drop is None
    assert power_analysis.cases_for_pass > 100
