"""Select the requests that decide a canary step, and measure whether the arms are comparable."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta

import numpy as np

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.clock import latest_time
from promptci.requestlog.columns import (
    CANARY,
    NO_POINT,
    NO_USER,
    STABLE,
    UNKNOWN_ARM,
    Array,
    RequestColumns,
    empty_columns,
    microseconds,
    moment,
    number_users,
)
from promptci.rollout.deployment import shorten_version
from promptci.rollout.metric_scores import find_first_requests
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress

SRM_LEVEL = 0.001
"""Below it the arms are not split as configured."""
MAX_SHARE_IN_BOTH_ARMS = 0.01
"""Share of users in both arms over which arms are not assigned by user."""
MAX_WRONG_ARMS = 0.01
"""Share of requests in another arm than the hash gives, over which the application does not use the hash."""
OUTAGE_SHARE = 0.25
"""Share of the control's latest requests that failed, over which it is no time to promote."""
OUTAGE_PERIOD = timedelta(hours=1)
SAME_SHARE = 0.005
"""Difference of shares in percent, under which they are the same: half of what the bundle can express."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmActivity:
    """What one arm did in the window."""

    requests: int = 0
    users: int = 0
    """Users, and requests without one."""
    new_users: int = 0
    """Those of them who were first seen in the second half of the step."""
    answered: int = 0
    """First answered requests of users; the unit of `unscored`."""
    unscored: int = 0
    """Those of them without a quality score."""
    newest: datetime | None = None
    models: tuple[str, ...] = ()
    response_models: tuple[str, ...] = ()
    """Models that answered, as the provider names them."""
    output_tokens: float | None = None
    """Mean of those logged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The requests that count, in the order of time, and how many do not."""

    requests: RequestColumns = field(default_factory=empty_columns)
    stable: ArmActivity = ArmActivity()
    canary: ArmActivity = ArmActivity()
    srm_p: float = 1.0
    """Of `the users are split as configured`, valid at every look (sample-ratio mismatch)."""
    unscored_p: float = 1.0
    """Of `both arms have the same share of answers with a quality score`, valid at every look."""
    models_p: float = 1.0
    """Of `where both arms ask for the same model, the same models answer`, valid at every look."""
    users_in_both_arms: int = 0
    keyed: int = 0
    """Requests with arm and key, of which the arm can be computed again."""
    wrong_arms: int = 0
    """Those of them that are in the other arm."""
    control_failing: float = 0.0
    """Share of the control's requests of the latest hour that failed."""
    other_versions: int = 0
    other_shares: int = 0
    """Assigned by another share than the present one."""
    too_recent: int = 0
    """Left for the next evaluation."""
    in_future: int = 0
    """From the future."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AffectedRequests:
    """What a canary answered since its step began, the newest requests included."""

    requests: int
    users: int | None
    """None: the log names no user or key."""


def count_affected(requests: RequestColumns, progress: CanaryProgress) -> AffectedRequests:
    """Count what the canary answered since its step began, of one prompt's requests."""
    hashed = _hashed_arms(requests, progress.share)
    requests = replace(requests, arm=np.where(requests.arm == UNKNOWN_ARM, hashed, requests.arm))
    is_canary = (requests.arm == CANARY) & (requests.time >= microseconds(progress.since))
    served = requests.select(is_canary & _has_version(requests, progress))
    return AffectedRequests(requests=len(served), users=served.count_users())


def select_window(requests: RequestColumns, progress: CanaryProgress, policy: CanaryPolicy, now: datetime) -> Window:
    """Select the requests of the present step from those of one prompt."""
    hashed = _hashed_arms(requests, progress.share)
    requests = replace(requests, arm=np.where(requests.arm == UNKNOWN_ARM, hashed, requests.arm))
    newest = microseconds(now - timedelta(seconds=policy.lag_s))
    kept, not_counted = _divide(requests, progress, policy, now)
    hashed, requests = hashed[kept], requests.select(kept)
    # A score that came within the lag waits for the next evaluation, as a request does.
    quality = np.where(requests.scored > newest, np.nan, requests.quality)
    requests = replace(requests, quality=quality, user=number_users(requests.user))
    arms = [np.flatnonzero(requests.arm == arm) for arm in (STABLE, CANARY)]
    half = (microseconds(progress.since) + newest) // 2
    stable, canary = (_arm(requests, places, half) for places in arms)
    is_keyed = requests.point != NO_POINT
    return Window(
        requests=requests,
        stable=stable,
        canary=canary,
        srm_p=split_p(canary.users, stable.users, progress.share / 100),
        unscored_p=uneven_p(canary, stable),
        models_p=_models_p(requests),
        users_in_both_arms=_count_in_both(requests, arms),
        keyed=int(is_keyed.sum()),
        wrong_arms=int((is_keyed & (hashed != requests.arm)).sum()),
        control_failing=_failing(requests, arms[0], newest),
        **not_counted,
    )


def _hashed_arms(requests: RequestColumns, share: float) -> Array:
    """Return each request's arm by the hash of the bundle and the share that was in force, where its key is logged."""
    shares = np.rint(np.where(np.isnan(requests.share), share, requests.share) * 100).astype("i8")
    arms = np.where(requests.point * 10_000 < shares << 32, CANARY, STABLE)
    return np.where(requests.point == NO_POINT, UNKNOWN_ARM, arms).astype("i1")


def _divide(
    requests: RequestColumns, progress: CanaryProgress, policy: CanaryPolicy, now: datetime
) -> tuple[Array, dict[str, int]]:
    """Return which requests are of the present step, and how many are not, by reason."""
    lag = timedelta(seconds=policy.lag_s)
    # A new share takes a while to be in force everywhere; where it is logged, that need not be guessed.
    has_share = ~np.isnan(requests.share)
    start = np.where(has_share, microseconds(progress.since), microseconds(progress.since + lag))
    in_future = requests.time > microseconds(latest_time(now))
    kept = ~in_future & (requests.time >= start)
    reasons = {
        "other_versions": ~_has_version(requests, progress),
        "other_shares": has_share & (np.abs(requests.share - progress.share) > SAME_SHARE),
        "too_recent": requests.time > microseconds(now - lag),
    }
    counts = {"in_future": int(in_future.sum())}
    for name, holds in reasons.items():
        counts[name] = int((kept & holds).sum())
        kept = kept & ~holds
    return kept, counts


def _has_version(requests: RequestColumns, progress: CanaryProgress) -> Array:
    """Return which requests were answered by the version of their arm, whether logged in full or in short."""
    texts = requests.texts.values
    prompt = texts[requests.prompt[0]] if len(requests) else ""
    short = [shorten_version(prompt, text) for text in texts]
    is_right = np.array(
        [[name == shorten_version(prompt, version) for name in short] for version in _versions(progress)]
    )
    return np.asarray(is_right[requests.arm, requests.version]) if len(requests) else np.zeros(0, bool)


def _versions(progress: CanaryProgress) -> tuple[str, str]:
    """Return the version of each arm, by the arm's code."""
    return progress.stable, progress.canary


def split_p(canary: int, control: int, share: float) -> float:
    """Return the p-value of `the canary gets this share`, valid however often it is looked at.

    The evidence is the likelihood ratio of a uniform prior over the share against the configured one, which is a
    martingale where the users are split as configured (Ville). 1 at a share of 0 or 1.
    Source: Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022.
    """
    total = canary + control
    if not total or not 0 < share < 1:
        return 1.0
    log_choose = math.lgamma(total + 1) - math.lgamma(canary + 1) - math.lgamma(control + 1)
    log_likelihood = log_choose + canary * math.log(share) + control * math.log1p(-share)
    return math.exp(min(0.0, log_likelihood + math.log(total + 1)))


def uneven_p(canary: ArmActivity, stable: ArmActivity) -> float:
    """Return the p-value of `the arms have the same share of scored answers`, from the rarer kind of answers."""
    total = canary.answered + stable.answered
    if not total:
        return 1.0
    share = canary.answered / total
    unscored = canary.unscored, stable.unscored
    scored = canary.answered - canary.unscored, stable.answered - stable.unscored
    if not sum(scored):
        return 1.0
    return split_p(*min(unscored, scored, key=sum), share)


def _models_p(requests: RequestColumns) -> float:
    """Return the p-value of `the same models answer in both arms`, among requests that ask both arms' models."""
    first = find_first_requests(requests, np.flatnonzero(~requests.failed & (requests.response_model >= 0)))
    asked = requests.model[first]
    p_values = [
        p
        for model in np.unique(asked)
        for p in _split_by_response(requests.arm[first[asked == model]], requests.response_model[first[asked == model]])
    ]
    return min([1.0, *(p * len(p_values) for p in p_values)])


def _split_by_response(arms: Array, response_models: Array) -> Iterator[float]:
    """Yield, for each model that answered requests for one model, the p-value of its split between the arms."""
    is_canary = arms == CANARY
    models = np.unique(response_models)
    for model in models if len(models) > 1 else ():
        is_this = response_models == model
        # The rarer kind is tested, for its split does not determine the arms' own.
        tested = is_this if is_this.sum() * 2 <= len(arms) else ~is_this
        yield split_p(int((tested & is_canary).sum()), int((tested & ~is_canary).sum()), float(is_canary.mean()))


def _arm(requests: RequestColumns, places: Array, half: int) -> ArmActivity:
    answered = places[~requests.failed[places]]
    first_answers = find_first_requests(requests, answered)
    tokens = requests.output_tokens[places]
    tokens = tokens[~np.isnan(tokens)]
    first_seen = requests.time[find_first_requests(requests, places)]
    return ArmActivity(
        requests=len(places),
        users=len(first_seen),
        new_users=int((first_seen > half).sum()),
        answered=len(first_answers),
        unscored=int(np.isnan(requests.quality[first_answers]).sum()),
        newest=moment(requests.time[places].max()) if len(places) else None,
        models=requests.names(requests.model[places]),
        response_models=requests.names(requests.response_model[places]),
        output_tokens=float(tokens.mean()) if len(tokens) else None,
    )


def _count_in_both(requests: RequestColumns, arms: Sequence[Array]) -> int:
    is_in = np.zeros((len(arms), int(requests.user.max(initial=0)) + 1), bool)
    for row, places in zip(is_in, arms, strict=True):
        row[requests.user[places]] = True
    is_in[:, NO_USER] = False
    return int(is_in.all(axis=0).sum())


def _failing(requests: RequestColumns, control: Array, newest: int) -> float:
    is_latest = requests.time[control] > newest - OUTAGE_PERIOD // timedelta(microseconds=1)
    latest = requests.failed[control[is_latest]]
    return float(latest.mean()) if len(latest) else 0.0
