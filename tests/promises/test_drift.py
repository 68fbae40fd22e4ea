"""What docs/drift.md promises: false alarms within the budget, and drops found within nights."""

import pytest
from support.simulated_drift import DriftSetting, simulate_alarms, simulate_delay

SETTINGS = [
    DriftSetting(),
    DriftSetting(profile="rare", discordance=0.04),
    DriftSetting(cases=10, profile="rare", discordance=0.04),
    DriftSetting(answers=10),
]


@pytest.mark.long
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s.cases}-{s.profile}-{s.discordance}-{s.answers}")
def test_an_unchanged_model_alarms_at_most_once_a_year(setting: DriftSetting) -> None:
    shares = simulate_alarms(setting, series=40, seed=5)
    assert shares.alarms - 2 * shares.error <= 1.0


@pytest.mark.long
def test_twenty_prompts_share_one_alarm_a_year() -> None:
    shares = simulate_alarms(DriftSetting(alarms_per_year=0.05), series=60, seed=6)
    assert 20 * (shares.alarms - 2 * shares.error) <= 1.0


@pytest.mark.long
def test_a_drop_of_five_points_is_found_in_three_nights() -> None:
    """With 100 cases, 10 % discordance, a reference of 20 answers, one false alarm a year."""
    assert simulate_delay(DriftSetting(), 0.05, series=200, seed=7) <= 3.0


@pytest.mark.long
def test_a_drop_from_96_to_82_is_found_in_the_first_night() -> None:
    for budget in (1.0, 0.05):
        assert simulate_delay(DriftSetting(alarms_per_year=budget), 0.14, series=60, seed=8) <= 1.5


def test_a_large_drop_is_found_at_once() -> None:
    assert simulate_delay(DriftSetting(), 0.2, series=8, seed=9) <= 1.2
