"""The section `drift` of promptci.yml."""

import pytest

from promptci.config.drift_options import DriftOptions
from promptci.config.load import load_config
from promptci.errors import ConfigError


def test_without_the_section_a_drift_is_an_alert() -> None:
    assert load_config(b"version: 1\n", "promptci.yml").drift == DriftOptions()
    assert DriftOptions().on_drift == "alert"


def test_every_key_is_read() -> None:
    text = b"drift: {alarms_per_year: 2.5, on_drift: canary, keep_answers: true, pinned: {m: m-2024}}\n"
    assert load_config(text, "promptci.yml").drift == DriftOptions(
        alarms_per_year=2.5, on_drift="canary", keep_answers=True, pinned={"m": "m-2024"}
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"drift: {alarms_per_year: 0}", "drift.alarms_per_year"),
        (b"drift: {on_drift: panic}", "drift.on_drift"),
        (b"drift: {alarm_per_year: 1}", "alarms_per_year"),
    ],
)
def test_mistakes_are_named(text: bytes, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_config(text, "promptci.yml")
