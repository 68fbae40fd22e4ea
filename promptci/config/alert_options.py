"""Options of alerts: the rules of the section `alerts`, with their defaults filled in."""

from typing import Literal

from promptci.lazy_dataclass import dataclass

AlertKind = Literal["threshold", "burn-rate", "last-week"]
AlertMetric = Literal["quality", "errors", "p95", "cost", "negative", "silence"]
WebhookShape = Literal["slack", "teams"]
SHARES = frozenset({"quality", "errors", "negative"})
"""Metrics that are shares of requests."""
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertRule:
    """When an alert is to be opened, for each prompt that `prompts` names."""

    name: str
    kind: AlertKind
    metric: AlertMetric
    limit: float
    """Of a threshold the value itself, of a burn rate the factor, of `last-week` the smallest change that counts: in
    shares for a share, else relative."""
    over_s: float = HOUR_S
    """Hours that are looked at. A burn rate has its own two windows."""
    objective: float = 0.99
    """Share of good requests that a burn rate is measured against."""
    min_requests: int = 50
    prompts: tuple[str, ...] = ("*",)


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookOptions:
    """Where openings and closings are posted."""

    url_env: str
    """Environment variable with the address, which is a secret."""
    shape: WebhookShape = "slack"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertOptions:
    """All alerts: section `alerts`."""

    rules: tuple[AlertRule, ...] = ()
    stale_after_s: float = 2 * HOUR_S
    """Age of monitor.json, or of the newest request in it, from which nothing is known."""
    webhook: WebhookOptions | None = None
