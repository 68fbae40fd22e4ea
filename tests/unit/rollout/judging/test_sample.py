"""The sample of a canary's answers: how many of each arm, which, and what stops it."""

from dataclasses import replace

import numpy as np
import pytest
from support import canary_traffic
from support.canary_traffic import Ways

from promptci.requestlog.columns import Array, RequestColumns, columns_of
from promptci.rollout.judging.sample import SampleState, choose_sample
from promptci.rollout.window import SRM_LEVEL, ArmActivity, uneven_p

REQUESTS = columns_of(canary_traffic.traffic(8000, Ways(quality=None, errors=0), Ways(quality=None, errors=0)))
IS_CANARY = REQUESTS.arm == 1


def marked(requests: RequestColumns, ids: Array, at: int) -> RequestColumns:
    """Requests with a mark of some, which came at some time."""
    has = np.isin(requests.id, ids)
    return replace(requests, quality=np.where(has, 1.0, requests.quality), scored=np.where(has, at, requests.scored))


def test_both_arms_give_the_same_share_of_their_answers() -> None:
    sample = choose_sample(REQUESTS, REQUESTS.id, 100)
    chosen = np.isin(REQUESTS.id, sample.ids)
    assert (sample.state, int((chosen & IS_CANARY).sum())) == (SampleState.JUDGED, 100)
    arms = [
        ArmActivity(answered=int(arm.sum()), unscored=int((arm & ~chosen).sum())) for arm in (IS_CANARY, ~IS_CANARY)
    ]
    assert uneven_p(*arms) > SRM_LEVEL  # so that the marks do not look as if some were withheld
    arms_in_order = IS_CANARY[[int(np.flatnonzero(REQUESTS.id == each)[0]) for each in sample.ids]]
    assert int((arms_in_order[1:] != arms_in_order[:-1]).sum()) > 50


def test_the_next_look_chooses_the_same_and_asks_for_none_twice() -> None:
    sample = choose_sample(REQUESTS, REQUESTS.id, 100)
    later = marked(REQUESTS, sample.ids, int(REQUESTS.time.max()) + 1)
    assert choose_sample(later, REQUESTS.id, 100).state is SampleState.NOTHING_NEW
    chosen_sample = choose_sample(later, REQUESTS.id, 150)
    assert not np.isin(chosen_sample.ids, sample.ids).any()
    hidden = replace(later, quality=REQUESTS.quality)  # marks that are younger than the lag
    assert choose_sample(hidden, REQUESTS.id, 100).state is SampleState.NOTHING_NEW


@pytest.mark.parametrize(
    ("kept", "state"),
    [
        (~IS_CANARY, SampleState.NO_ANSWERS),
        (IS_CANARY, SampleState.NO_ANSWERS),
        (~(IS_CANARY & (np.arange(len(REQUESTS)) % 3 == 0)), SampleState.UNEVEN_ANSWERS),
        (np.arange(len(REQUESTS)) % 3 == 0, SampleState.JUDGED),
    ],
)
def test_answers_that_one_arm_lacks_stop_the_sample(kept: Array, state: SampleState) -> None:
    sample = choose_sample(REQUESTS, REQUESTS.id[kept], 50)
    assert (sample.state, sample.without_answer) == (state, int((~kept).sum()))
    assert bool(len(sample.ids)) is (state is SampleState.JUDGED)


def test_without_requests_there_is_nothing_to_judge() -> None:
    assert choose_sample(columns_of([]), REQUESTS.id, 5).state is SampleState.NOTHING_NEW
