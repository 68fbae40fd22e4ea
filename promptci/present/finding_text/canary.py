"""Texts of the canary: why it was promoted, held, rolled back or is waited for."""

from datetime import datetime

from promptci.present.finding_text.text import FindingText, capitalize
from promptci.present.formatting import change, p_value, percent
from promptci.rollout.facts import (
    CountedArms,
    CountedUsers,
    ForecastFacts,
    MetricFacts,
    MetricName,
    ModelFacts,
    NewCanary,
    NoRequests,
    OutageFacts,
    RollbackFacts,
    ShareFacts,
    TimeFacts,
    UnscoredFacts,
)
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import COST, ERRORS, LATENCY, QUALITY, SIGNALS
from promptci.wording import count

NAMES = {
    QUALITY: "quality",
    ERRORS: "failed requests",
    LATENCY: "requests slower than the control's p95",
    COST: "cost",
    SIGNALS: "complaints",
}
SMALLEST_P = 1e-6


def none(_: object) -> FindingText:
    """Describe a prompt without a canary."""
    return FindingText("there is no canary")


def complete(_: object) -> FindingText:
    """Describe a canary that serves every request."""
    return FindingText(
        "the canary has all traffic", "Make it the stable version and remove `canary` from the deployment file."
    )


def started(facts: NewCanary) -> FindingText:
    """Describe a canary that was not seen before."""
    skipped = "" if facts.share <= facts.first_step else f", not at {facts.share:g}%: no step is skipped"
    return FindingText(f"a new canary starts at {facts.first_step:g}%{skipped}")


def rolled_back(facts: RollbackFacts) -> FindingText:
    """Describe a canary that was rolled back and still is."""
    return FindingText(f"it was rolled back on {moment(facts.at)}{_reason(facts)} and stays so until a version changes")


def reverted(facts: RollbackFacts) -> FindingText:
    """Describe a rolled-back canary whose share somebody raised again."""
    return FindingText(
        f"it was rolled back on {moment(facts.at)}{_reason(facts)}, so its share is 0 until a version changes"
    )


def paused(facts: ShareFacts) -> FindingText:
    """Describe a share that a person set to 0."""
    return FindingText("it is paused, because its share was set to 0", f"At {facts.step:g}% the step restarts.")


def resumed(facts: ShareFacts) -> FindingText:
    """Describe a pause that is over."""
    return FindingText(f"the pause is over, and the step of {facts.share:g}% restarts")


def share_raised(facts: ShareFacts) -> FindingText:
    """Describe a share beyond what the canary has earned."""
    return FindingText(
        f"the share was set to {facts.share:g}% by hand, but the canary has only reached {facts.step:g}%",
        f"No step is skipped. Set it back to {facts.step:g}.",
    )


def share_lowered(facts: ShareFacts) -> FindingText:
    """Describe a share below what the canary had."""
    return FindingText(f"the share was set to {facts.share:g}% by hand, so the canary restarts there")


def no_requests(facts: NoRequests) -> FindingText:
    """Describe an arm without (recent) requests."""
    detail = "Without data a canary does not go on."
    if facts.newest is None and facts.counted_from is not None:
        return FindingText(
            f"no request of the {facts.arm} arm counts yet: a request counts once it is as old as `policy.lag`,"
            f" the first from {moment(facts.counted_from)} on",
            "Look again then.",
        )
    if facts.newest is None:
        return FindingText(f"the log has no request of the {facts.arm} arm since {moment(facts.since)}", detail)
    return FindingText(f"the newest request of the {facts.arm} arm is from {moment(facts.newest)}", detail)


def no_values(facts: MetricName) -> FindingText:
    """Describe a metric that an arm does not log."""
    return FindingText(
        f"the log has no values for {NAMES[facts.metric]} in one arm or both",
        "Log them, or set the metric's limit to null to go on without.",
    )


def users_in_both_arms(facts: CountedUsers) -> FindingText:
    """Describe users that switch arms."""
    return FindingText(
        f"{count(facts.users, 'user')} of {facts.total:,} are in both arms",
        "The arm is not chosen by user, so the arms cannot be compared.",
    )


def uneven_split(facts: CountedUsers) -> FindingText:
    """Describe a sample-ratio mismatch."""
    return FindingText(
        f"{percent(facts.users / facts.total)} of the users are in the canary ({facts.users:,} of {facts.total:,}),"
        f" but {facts.share:g}% should be ({p_value(facts.p, SMALLEST_P)})",
        "Requests of one arm are lost or misrouted.",
    )


def wrong_arms(facts: CountedArms) -> FindingText:
    """Describe an application that assigns users by something else than the hash."""
    return FindingText(
        f"{count(facts.wrong, 'request')} of {facts.keyed:,} with a key are in the other arm than the hash gives",
        "The application does not choose by the runtime, or by another salt or share. Use `choose` of the runtime.",
    )


def different_models(facts: ModelFacts) -> FindingText:
    """Describe arms that asked for the same model and were answered by different ones."""
    canary, stable = (", ".join(f"`{name}`" for name in names[:5]) for names in (facts.canary, facts.stable))
    return FindingText(
        f"the arms asked for the same model, and different ones answered: {canary} for the canary, {stable} for the"
        f" stable version ({p_value(facts.p, SMALLEST_P)})",
        "They are not comparable. Pin the model, or wait until the provider answers both alike.",
    )


def signal_worse(facts: MetricFacts) -> FindingText:
    """Describe a worsening of what users signal, which is for a person to look at."""
    return FindingText(
        f"{_compared(facts)}; shown to be worse by {limit(facts.metric, facts.limit)} or more",
        "What users signal rolls nothing back. Read some of these answers and decide.",
    )


def unscored(facts: UnscoredFacts) -> FindingText:
    """Describe arms of which one has more answers without a score."""
    canary, stable = facts.canary_unscored / facts.canary, facts.stable_unscored / facts.stable
    return FindingText(
        f"{percent(canary)} of the canary's answers have no quality score, against {percent(stable)} of the stable"
        f" version's ({p_value(facts.p, SMALLEST_P)})",
        "The missing scores may hide bad answers. Check the scoring of both arms.",
    )


def outage(facts: OutageFacts) -> FindingText:
    """Describe a stable version that fails, too."""
    return FindingText(
        f"{percent(facts.failing)} of the stable version's requests of the last hour failed",
        "This is the provider's problem, not the canary's, and no time to go on.",
    )


def too_long(facts: TimeFacts) -> FindingText:
    """Describe a step that never ends."""
    return FindingText(
        f"the step has been undecided for more than {duration(facts.limit_s)}", "Look at the numbers and decide."
    )


def too_early(facts: TimeFacts) -> FindingText:
    """Describe a step that has just begun."""
    return FindingText(f"{duration(facts.elapsed_s)} of at least {duration(facts.limit_s)} have passed")


def forecast(facts: ForecastFacts) -> FindingText:
    """Describe when a step can be decided at the present rate of new users."""
    unit = "new users" if facts.per_user else "requests"
    rate = f"with {facts.users_per_day:,.0f} {unit} of the canary a day"
    if facts.reachable is not None:
        return FindingText(
            f"{rate} so far, and ever fewer as they come back, this step has about {facts.reachable:,.0f} users in"
            " all: it can never be decided",
            "Start at a larger share, or widen a limit.",
        )
    if facts.days is None:
        return FindingText(f"{rate}, a decision is not in sight: the canary is close to a limit")
    if facts.days > facts.remaining_days:
        return FindingText(
            f"{rate}, this step cannot be decided within its `max_time`",
            "Start at a larger share, widen a limit, or allow more time.",
        )
    time = "less than a day" if facts.days < 1 else f"about {count(round(facts.days), 'day')}"
    return FindingText(f"{rate}, this step can be decided in {time}{' at the earliest' if facts.earliest else ''}")


def too_few(facts: MetricFacts) -> FindingText:
    """Describe a metric with too few values."""
    unit = "users" if facts.per_user else "requests"
    return FindingText(
        f"{NAMES[facts.metric]}: {facts.canary_n:,} {unit} of the canary and {facts.control_n:,} of the stable version,"
        f" of at least {facts.min_requests:,} each"
    )


def not_shown(facts: MetricFacts) -> FindingText:
    """Describe a metric that is shown neither worse nor good enough."""
    return FindingText(f"{_compared(facts)}; not yet shown to be within {limit(facts.metric, facts.limit)}")


def worse(facts: MetricFacts) -> FindingText:
    """Describe a metric that ends the canary."""
    return FindingText(
        f"{_compared(facts)}; shown to be worse by {limit(facts.metric, facts.limit)} or more",
        f"{capitalize(p_value(facts.p_worse, SMALLEST_P))}, and at most {facts.alpha:.1g} is needed.",
    )


def within_limit(facts: MetricFacts) -> FindingText:
    """Describe a metric that lets the canary go on."""
    return FindingText(f"{_compared(facts)}; shown to be within {limit(facts.metric, facts.limit)}")


def _compared(facts: MetricFacts) -> str:
    return f"{NAMES[facts.metric]}: {against(facts.metric, facts.canary, facts.control)}"


def compared(metric: MetricResult) -> str:
    """Return both arms' values of a metric, for a table cell."""
    return against(metric.metric, metric.canary_mean, metric.control_mean)


def against(metric: str, canary: float | None, control: float | None) -> str:
    """Return `82% against 96%`; of cost, the relative change. The arguments are mean scores, 1 being good."""
    if control is None or canary is None:
        return "no data"
    if metric == QUALITY:
        return f"{percent(canary)} against {percent(control)}"
    bad_canary, bad_control = 1 - canary, 1 - control
    if metric != COST:
        return f"{percent(bad_canary)} against {percent(bad_control)}"
    if not bad_control:
        return "some against none" if bad_canary else "none in either arm"
    return change(bad_canary / bad_control - 1)


def limit(metric: str, value: float) -> str:
    """Return a limit as configured."""
    if metric == COST:
        return f"{100 * value:g}%"
    return "1 point" if value == 0.01 else f"{100 * value:g} points"


def duration(seconds: float) -> str:
    """Return hours up to two days, then days."""
    hours = seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.3g} days"
    return f"{seconds / 60:.0f} minutes" if hours < 1 else f"{hours:.3g} hours"


def moment(at: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _reason(facts: RollbackFacts) -> str:
    return f" ({facts.reason})" if facts.reason else ""
