"""Choose which answers of a canary step a judge marks: the same share of both arms, blindly."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.columns import CANARY, Array, RequestColumns
from promptci.rollout.metric_scores import find_first_requests
from promptci.rollout.window import SRM_LEVEL, ArmActivity, uneven_p

MAX_FAILED_SHARE = 0.05
"""Share of the chosen answers that the judge may leave without a mark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRequest:
    """How many answers are judged, where they are, and where the marks go."""

    number: int
    """Of the canary's answers of the present step, all looks together."""
    answers: tuple[Path, ...]
    marks: Path
    now: datetime
    config_path: str = "promptci.yml"
    dry_run: bool = False


class SampleState(StrEnum):
    """What became of a sample; every state but the first two is no green exit code."""

    JUDGED = "judged"
    NOTHING_NEW = "nothing new to judge"
    NO_ANSWERS = "no answers"
    """An arm has requests, and the answers file has none of their answers."""
    UNEVEN_ANSWERS = "uneven answers"
    """The arms do not have the same share of requests with an answer: the missing ones may be the bad ones."""
    JUDGE_FAILED = "judge failed"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ChosenSample:
    """Answers to judge, as hashes of their requests' ids, in the order in which they are judged."""

    state: SampleState
    ids: Array
    without_answer: int = 0
    """First answered requests of users that the answers file does not have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedSample:
    """What became of a prompt's sample."""

    prompt: str
    state: SampleState
    chosen: int = 0
    judged: int = 0
    """That the judge marked; 0 in a dry run."""
    without_answer: int = 0
    reason: str = ""
    """Why the judge failed."""

    @property
    def is_usable(self) -> bool:
        """Return whether the sample is as it should be."""
        return self.state in {SampleState.JUDGED, SampleState.NOTHING_NEW}


def choose_sample(requests: RequestColumns, known_ids: Array, number: int) -> ChosenSample:
    """Choose answers so that `number` of the canary's are marked, and the same share of the stable version's.

    Every answer whose request's hash is low enough is chosen: at random, whatever its arm, and again at the next look.
    The order by hash mixes the arms. Those that have a mark already are left out.
    """
    first = find_first_requests(requests, np.flatnonzero(~requests.failed))
    # A mark that is younger than the lag is hidden, but its time is not.
    has_mark = ~np.isnan(requests.quality[first]) | (requests.scored[first] > requests.time[first])
    has_answer = has_mark | np.isin(requests.id[first], known_ids)
    is_canary = requests.arm[first] == CANARY
    arms = [
        ArmActivity(answered=int(is_arm.sum()), unscored=int((is_arm & ~has_answer).sum()))
        for is_arm in (is_canary, ~is_canary)
    ]
    missing = sum(arm.unscored for arm in arms)
    none = np.zeros(0, "u8")
    if any(arm.answered and arm.unscored == arm.answered for arm in arms):
        return ChosenSample(state=SampleState.NO_ANSWERS, ids=none, without_answer=missing)
    if uneven_p(*arms) < SRM_LEVEL:
        return ChosenSample(state=SampleState.UNEVEN_ANSWERS, ids=none, without_answer=missing)
    lowest = np.sort(requests.id[first[is_canary & has_answer]])[:number]
    limit = lowest[-1] if len(lowest) else np.uint64(0)
    chosen = np.sort(requests.id[first[has_answer & ~has_mark & (requests.id[first] <= limit)]])
    state = SampleState.JUDGED if len(chosen) else SampleState.NOTHING_NEW
    return ChosenSample(state=state, ids=chosen, without_answer=missing)
