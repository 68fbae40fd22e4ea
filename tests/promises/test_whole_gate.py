"""The whole default gate over simulated pull requests: nothing changed, goldens broken, answers lost."""

import pytest
from support.simulated_answers import BROKEN, GRID, UNCHANGED, Setting
from support.simulated_designs import DESIGNS_UNCHANGED, DESIGNS_WORSE, DesignSetting, simulate_designs
from support.simulated_runs import simulate, simulate_each, simulate_fast

pytestmark = pytest.mark.long
ALPHA = 0.05
RUNS = 300


def error(share: float, runs: int) -> float:
    """Three standard errors."""
    return 3 * float((share * (1 - share) / runs) ** 0.5)


def name(setting: Setting) -> str:
    lost = f"-lost{setting.lost:g}" if setting.lost else ""
    sound = "-sound" if setting.sound else ""
    size = f"{setting.profile}{setting.cases}-critical{setting.critical}-{setting.prompts}"
    return f"{size}-broken{setting.broken:g}{lost}{sound}"


def name_design(setting: DesignSetting) -> str:
    return f"{setting.kind}-{setting.cases}-{setting.shape}"


@pytest.mark.parametrize("setting", UNCHANGED, ids=name)
def test_a_change_that_changes_nothing_is_blocked_in_five_percent_at_most(setting: Setting) -> None:
    runs = {1: RUNS, 5: 80, 20: 100}[setting.prompts]
    assert simulate_fast(setting, runs=runs).failed <= ALPHA + error(ALPHA, runs)


@pytest.mark.parametrize(("profile", "cases"), [key for key in GRID if key[1] < 200])
def test_whatever_the_pull_request_is_like_it_is_blocked_in_five_percent_at_most(profile: str, cases: int) -> None:
    settings = GRID[profile, cases]
    assert simulate_each(settings, runs=1).failed <= ALPHA + error(ALPHA, len(settings))


@pytest.mark.parametrize(
    ("profile", "cases", "least"),
    [("calm", 10, 0.90), ("usual", 10, 0.80), ("calm", 20, 0.95), ("usual", 20, 0.80), ("usual", 50, 0.75)],
)
def test_a_change_that_changes_nothing_mostly_passes(profile: str, cases: int, least: float) -> None:
    shares = simulate_fast(Setting(profile=profile, cases=cases), runs=RUNS)
    assert shares.passed >= least - error(least, RUNS)
    assert shares.calls <= 640


@pytest.mark.parametrize(
    ("setting", "least"),
    [
        *((Setting(profile="calm", cases=cases, broken=1.0, sound=True), 0.95) for cases in (1, 2, 3)),
        (Setting(profile="usual", cases=10, broken=0.1), 0.60),
        (Setting(profile="usual", cases=20, broken=0.1), 0.75),
        (Setting(profile="usual", cases=50, broken=0.1), 0.85),
    ],
)
def test_goldens_that_break_for_good_are_seen(setting: Setting, least: float) -> None:
    """Of 1 to 3 goldens all break; each is one that base passes at times, because another cannot break."""
    assert simulate_fast(setting, runs=RUNS).failed >= least - error(least, RUNS)


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
    for first, other in ((slow.failed, fast.failed), (slow.passed, fast.passed)):
        assert first == pytest.approx(other, abs=error(max(other, 0.05), 60) + error(max(other, 0.05), RUNS))
    assert slow.calls == pytest.approx(fast.calls, rel=0.25)


@pytest.mark.parametrize("setting", DESIGNS_WORSE, ids=name_design)
def test_a_drop_of_the_margin_does_not_pass_however_cases_are_scored_weighed_clustered_or_repeated(
    setting: DesignSetting,
) -> None:
    assert simulate_designs(setting, runs=200).passed <= ALPHA + error(ALPHA, 200)


@pytest.mark.parametrize("setting", DESIGNS_UNCHANGED, ids=name_design)
def test_nor_is_a_change_blocked_that_changes_nothing(setting: DesignSetting) -> None:
    assert simulate_designs(setting, runs=200).failed <= ALPHA + error(ALPHA, 200)
