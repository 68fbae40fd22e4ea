"""The fast simulator of the whole gate gives the verdict of the product itself on the very same answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated_answers import Setting, draw
from support.simulated_rules import decide_draws_fast
from support.simulated_runs import decide_draws


@st.composite
def pull_requests(generate: st.DrawFn) -> Setting:
    """Small pull requests of every kind: unchanged, broken, with critical cases, lost answers and slow ones."""
    cases = generate(st.sampled_from([1, 2, 3, 5, 10, 20, 30]))
    return Setting(
        profile=generate(st.sampled_from(["calm", "usual", "noisy"])),
        cases=cases,
        critical=generate(st.integers(0, min(3, cases))),
        prompts=generate(st.sampled_from([1, 1, 1, 2, 4])),
        broken=generate(st.sampled_from([0.0, 0.0, 0.1, 0.3, 1.0])),
        sigma=generate(st.sampled_from([0.3, 1.0])),
        slow=generate(st.sampled_from([0.0, 0.03])),
        lost=generate(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.5, 1.0])),
    )


@pytest.mark.long
@settings(max_examples=100)
@given(setting=pull_requests(), seed=st.integers(0, 2**32 - 1))
def test_the_simulator_and_the_deciding_code_give_the_same_verdict_after_the_same_calls(
    setting: Setting, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    parts = [draw(setting, rng) for _ in range(setting.prompts)]
    assert decide_draws_fast(setting, parts) == decide_draws(setting, parts)
