"""Texts of alerts: what a rule measured, and what its limit is."""

from collections.abc import Callable, Mapping

from promptci.monitor.alerts.facts import AlertFacts, DataFacts
from promptci.present.finding_text.text import FindingText
from promptci.present.formatting import change, duration, money, number, percent, signed_points
from promptci.wording import count

NAMES = {
    "quality": "quality",
    "errors": "the share of failed requests",
    "negative": "the share of requests with a negative signal",
    "p95": "p95 latency",
    "cost": "cost per request",
}
_FORMATS: Mapping[str, Callable[[float | None], str]] = {"p95": duration, "cost": money}


def threshold(facts: AlertFacts) -> FindingText:
    """Describe a value against its limit."""
    name, limit = NAMES[facts.metric], _value(facts.metric, facts.limit)
    if facts.value is None:
        return _too_few(facts, name)
    side = "lower" if facts.metric == "quality" else "upper"
    return FindingText(
        f"{name} is {_value(facts.metric, facts.value)} over {span(facts.over_s)}; the {side} limit is {limit}",
        f"{_requests(facts)}{_interval(facts)}.",
    )


def burn_rate(facts: AlertFacts) -> FindingText:
    """Describe how fast an error budget is used up."""
    if facts.value is None:
        return _too_few(facts, NAMES[facts.metric])
    return FindingText(
        f"{_budget(facts.metric)} use up the error budget of {percent(1 - (facts.baseline or 0))} at"
        f" {number(round(facts.value, 1))} times the rate that it allows; the limit is {number(facts.limit)} times",
        f"The smaller of the rates over 1 h and over 6 h counts. {_requests(facts)} in the last hour.",
    )


def last_week(facts: AlertFacts) -> FindingText:
    """Describe a change against the same hours a week ago."""
    name = NAMES[facts.metric]
    if facts.value is None or facts.interval is None:
        return _too_few(facts, name)
    spell = change if facts.metric in _FORMATS else signed_points
    low, high = (spell(bound) for bound in facts.interval)
    limit = percent(facts.limit) if facts.metric in _FORMATS else signed_points(facts.limit).lstrip("+")
    return FindingText(
        f"{name} changed by {spell(facts.value)} against the same hours last week"
        f" ({_value(facts.metric, facts.baseline)} then, {_value(facts.metric, facts.now)} now); the limit is a change"
        f" for the worse of {limit}",
        f"95% interval: {low} to {high}. {_requests(facts)} in {span(facts.over_s)}.",
    )


def silence(facts: AlertFacts) -> FindingText:
    """Describe a prompt without requests."""
    detail = f"The limit is {span(facts.limit)}."
    if facts.value is None:
        return FindingText("there is no request of the prompt in the log", detail)
    if facts.value == 0:
        return FindingText("the newest request is from the last hour", detail)
    return FindingText(f"there was no request for {span(facts.value)}", detail)


def data(facts: DataFacts) -> FindingText:
    """Describe why nothing is known, or that the data is there again."""
    age = span(facts.age_s) if facts.age_s is not None else "unknown"
    limit = span(facts.limit_s)
    texts = {
        "ok": FindingText("the figures are up to date"),
        "missing": FindingText(
            "there is no monitor.json, so nothing is known",
            "Run `promptci monitor` first, or find out why it wrote nothing.",
            verbatim=True,
        ),
        "empty": FindingText(
            "monitor.json has no request, so nothing is known",
            "Check that the application writes the log, and that `--log` names it.",
            verbatim=True,
        ),
        "old-look": FindingText(
            f"monitor.json was made {age} ago ({facts.newest}), so nothing is known of the present",
            f"Find out why `promptci monitor` does not run; the limit is {limit} (`alerts.stale_after`).",
            verbatim=True,
        ),
        "ahead": FindingText(
            f"monitor.json was made in the future ({facts.newest}), so nothing is known of the present",
            "Correct the clock of the machine that ran `promptci monitor`, or of this one.",
            verbatim=True,
        ),
        "old-data": FindingText(
            f"the newest request in the log is {age} old ({facts.newest}), so nothing is known of the present",
            f"Find out why the log has no newer one; the limit is {limit} (`alerts.stale_after`).",
        ),
    }
    return texts[facts.cause]


def removed(_: object) -> FindingText:
    """Describe an alert whose rule is gone."""
    return FindingText("the rule is not in promptci.yml any more, or not for this prompt")


def unknown(_: object) -> FindingText:
    """Describe an alert that could not be looked at."""
    return FindingText("nothing is known at this look, so the alert stays as it is")


def span(seconds: float) -> str:
    """Return a time in the largest unit that fits: `45 min`, `6 h`, `3 days`."""
    if seconds < 5400:
        return f"{number(round(seconds / 60))} min" if seconds != 3600 else "1 h"
    if seconds < 2 * 86400:
        return f"{number(round(seconds / 3600, 1))} h"
    return f"{number(round(seconds / 86400, 1))} days"


def _too_few(facts: AlertFacts, name: str) -> FindingText:
    return FindingText(f"there are too few requests to tell {name} ({count(facts.n, 'request')})")


def _value(metric: str, value: float | None) -> str:
    return _FORMATS.get(metric, percent)(value)


def _requests(facts: AlertFacts) -> str:
    return count(facts.n, "judged request" if facts.metric == "quality" else "request")


def _interval(facts: AlertFacts) -> str:
    if facts.interval is None:
        return ""
    return f", 95% interval {_value(facts.metric, facts.interval[0])} to {_value(facts.metric, facts.interval[1])}"


def _budget(metric: str) -> str:
    return {"quality": "bad answers", "errors": "failed requests", "negative": "negative signals"}[metric]
