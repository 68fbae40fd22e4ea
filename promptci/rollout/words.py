"""Why a canary was promoted, held, rolled back or is waited for, in sentences."""

from datetime import datetime

from promptci.rollout.measure import MetricResult
from promptci.rollout.policy import COST, ERRORS, LATENCY, QUALITY, SIGNALS

NO_CANARY = "There is no canary."
COMPLETE = "The canary has all traffic. Make it the stable version and take `canary` out of the file."
NAMES = {
    QUALITY: "quality",
    ERRORS: "failed requests",
    LATENCY: "requests slower than the control's p95",
    COST: "cost",
    SIGNALS: "complaints",
}


def begins(first: float, share: float) -> str:
    """Tell of a canary that was not seen before."""
    skipped = "" if share <= first else f", not at {share:g}%: no step is skipped"
    return f"A new canary begins at {first:g}%{skipped}."


def stays_back(at: datetime, why: str) -> str:
    """Tell of a canary that was rolled back, and still is."""
    return f"It was rolled back on {moment(at)} and stays so until a version changes. {why}"


def back_again(at: datetime, why: str) -> str:
    """Tell of a canary that somebody let loose again."""
    return f"It was rolled back on {moment(at)}; its share is 0 until a version changes. {why}"


def paused(share: float) -> str:
    """Tell of share 0, by a person."""
    return f"It is paused: its share was set to 0. At {share:g}% the step begins anew."


def resumed(share: float) -> str:
    """Tell of a pause that is over."""
    return f"The pause is over: the step of {share:g}% begins anew."


def raised(share: float, step: float) -> str:
    """Tell of a share that is more than it has earned, by a person."""
    return (
        f"The share was set to {share:g}% by hand, and the canary stands at {step:g}%: no step is skipped. Set it back"
        f" to {step:g}."
    )


def lowered(share: float) -> str:
    """Tell of a share that is less than it had, by a person."""
    return f"The share was set to {share:g}% by hand: the canary begins anew there."


def no_requests(arm: str, newest: datetime | None, since: datetime) -> str:
    """Tell of an arm of which the log tells nothing, or nothing new."""
    if newest is None:
        return f"The log has no request of the {arm} arm since {moment(since)}. No data is no reason to go on."
    return f"The newest request of the {arm} arm is of {moment(newest)}. No data is no reason to go on."


def silent(metric: str) -> str:
    """Tell of a metric of which the log tells nothing."""
    name = NAMES[metric]
    return f"The log tells nothing of {name} in one arm or both. Log it, or set its limit to null to go on without."


def crossed(users: int) -> str:
    """Tell of users that change arms."""
    return f"{users:,} users are in both arms: arms are not chosen by user, so the arms cannot be compared."


def split(canary: int, units: int, share: float, p: float) -> str:
    """Tell of a sample-ratio mismatch."""
    return (
        f"{_percent(canary / units)} of the users are in the canary, {canary:,} of {units:,}, and {share:g}% should be"
        f" ({p_value(p)}). Requests of one arm are lost or sent astray, so the arms cannot be compared."
    )


def outage(failing: float) -> str:
    """Tell of a control that is failing, too."""
    return (
        f"{_percent(failing)} of the stable version's requests of the last hour failed: that is the provider's trouble,"
        " not the canary's, and no time to go on."
    )


def too_long(longest_s: float) -> str:
    """Tell of a step that never ends."""
    return f"Undecided for more than {duration(longest_s)}: look at the numbers and decide."


def too_early(elapsed_s: float, least_s: float) -> str:
    """Tell of a step that has only begun."""
    return f"{duration(elapsed_s)} of at least {duration(least_s)} have passed."


def too_few(one: MetricResult, least: int) -> str:
    """Tell of a metric with too few marks."""
    return (
        f"{_capital(NAMES[one.metric])}: {one.canary_n:,} marks of the canary and {one.control_n:,} of the stable"
        f" version, of at least {least:,} each."
    )


def undecided(one: MetricResult) -> str:
    """Tell of a metric that is neither shown worse nor shown good enough."""
    return f"{_capital(NAMES[one.metric])}: {compared(one)}; not yet shown to be within {limit(one)}."


def worse(one: MetricResult) -> str:
    """Tell of a metric that ends the canary."""
    return (
        f"{_capital(NAMES[one.metric])}: {compared(one)}; shown to be worse ({p_value(one.p_worse)},"
        f" at most {one.alpha:.1g} needed), and by {limit(one)} or more."
    )


def fine(one: MetricResult) -> str:
    """Tell of a metric that lets the canary go on."""
    return f"{_capital(NAMES[one.metric])}: {compared(one)}; shown to be within {limit(one)}."


def compared(one: MetricResult) -> str:
    """Give both arms in figures."""
    if one.control_mean is None or one.canary_mean is None:
        return "no data"
    if one.metric == QUALITY:
        return f"{_percent(one.canary_mean)} against {_percent(one.control_mean)}"
    control, canary = 1 - one.control_mean, 1 - one.canary_mean
    if one.metric != COST:
        return f"{_percent(canary)} against {_percent(control)}"
    if not control:
        return "some against none" if canary else "none in either arm"
    return f"{100 * (canary / control - 1):+.0f}%".replace("-", "−")


def limit(one: MetricResult) -> str:
    """Give the limit as configured."""
    if one.metric == COST:
        return f"{100 * one.limit:g}%"
    return "1 point" if one.limit == 0.01 else f"{100 * one.limit:g} points"


def p_value(p: float) -> str:
    """Give a p-value with one digit, down to a millionth."""
    return "p < 0.000001" if p < 1e-6 else f"p = {p:.1g}"


def duration(seconds: float) -> str:
    """Hours up to two days, then days."""
    hours = seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.3g} days"
    return f"{seconds / 60:.0f} minutes" if hours < 1 else f"{hours:.3g} hours"


def moment(at: datetime) -> str:
    """Give a time to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
