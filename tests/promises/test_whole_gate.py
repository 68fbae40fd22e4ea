"""The whole default gate over simulated pull requests: nothing changed, goldens broken, answers lost."""

import pytest
from support.simulated_runs import BROKEN, UNCHANGED, Setting, simulate, simulate_fast

pytestmark = pytest.mark.long
ALPHA = 0.05
RUNS = 300


def error(share: float, runs: int) -> float:
    """Three standard errors."""
    return 3 * float((share * (1 - share) / runs) ** 0.5)


def name(setting: Setting) -> str:
    lost = f"-lost{setting.lost:g}" if setting.lost else ""
    return (
        f"{setting.profile}{setting.cases}-critical{setting.critical}-{setting.prompts}-broken{setting.broken:g}{lost}"
    )


@pytest.mark.parametrize("setting", UNCHANGED, ids=name)
def test_a_change_that_changes_nothing_is_blocked_in_five_percent_at_most(setting: Setting) -> None:
    runs = RUNS if setting.prompts == 1 else 80
    assert simulate_fast(setting, runs=runs).failed <= ALPHA + error(ALPHA, runs)


@pytest.mark.parametrize(
    ("profile", "cases", "least"),
    [("calm", 10, 0.75), ("calm", 20, 0.90), ("usual", 20, 0.75), ("usual", 50, 0.60)],
)
def test_a_change_that_changes_nothing_mostly_passes(profile: str, cases: int, least: float) -> None:
    shares = simulate_fast(Setting(profile=profile, cases=cases), runs=RUNS)
    assert shares.passed >= least - error(least, RUNS)
    assert shares.calls <= 640


@pytest.mark.parametrize(
    ("profile", "cases", "broken", "least"),
    [
        ("calm", 1, 1.0, 0.95),
        ("calm", 2, 1.0, 0.95),
        ("calm", 3, 1.0, 0.95),
        ("usual", 10, 0.1, 0.60),
        ("usual", 20, 0.1, 0.75),
        ("usual", 50, 0.1, 0.85),
    ],
)
def test_goldens_that_break_for_good_are_seen(profile: str, cases: int, broken: float, least: float) -> None:
    shares = simulate_fast(Setting(profile=profile, cases=cases, broken=broken), runs=RUNS)
    # A single case that never passes at base cannot break.
    assert shares.failed >= least * (0.95 if cases == 1 else 1) - error(least, RUNS)


@pytest.mark.parametrize("setting", BROKEN, ids=name)
def test_a_drop_of_the_margin_on_these_goldens_does_not_pass(setting: Setting) -> None:
    """Nor where the wrong answers never arrive."""
    assert simulate_fast(setting, runs=RUNS).wrongly_passed <= ALPHA + error(ALPHA, RUNS)


@pytest.mark.parametrize(
    "setting",
    [Setting(profile="usual", cases=20, critical=5), Setting(profile="usual", cases=20, broken=0.1)],
    ids=name,
)
def test_the_fast_simulation_agrees_with_the_deciding_code_itself(setting: Setting) -> None:
    """The same rules through comparisons and `decide`: shares alike within the error of both."""
    slow, fast = simulate(setting, runs=60), simulate_fast(setting, runs=RUNS)
    for one, other in ((slow.failed, fast.failed), (slow.passed, fast.passed)):
        assert one == pytest.approx(other, abs=error(max(other, 0.05), 60) + error(max(other, 0.05), RUNS))
    assert slow.calls == pytest.approx(fast.calls, rel=0.25)
