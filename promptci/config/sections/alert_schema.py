"""Schema of the section `alerts` of promptci.yml."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, field_validator, model_validator

from promptci.config.alert_options import (
    DAY_S,
    HOUR_S,
    SHARES,
    AlertKind,
    AlertMetric,
    AlertOptions,
    AlertRule,
    WebhookOptions,
    WebhookShape,
)
from promptci.config.durations import parse_seconds
from promptci.config.sections.section import ConfigSection
from promptci.config.trust import is_platform_token

Duration = Annotated[float, BeforeValidator(parse_seconds)]
DATA_RULE = "data"
"""Name of the alert about missing data, which needs no rule."""
_DURATION: dict[str, JsonValue] = {"type": ["string", "number"]}
_MAX_OVER_S = 7 * DAY_S
_OVER_S = {"burn-rate": 6 * HOUR_S, "threshold": HOUR_S, "last-week": 6 * HOUR_S}


def _single_or_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class AlertRuleSection(ConfigSection):
    """One rule."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", description="Name of the alert, unique.")
    kind: AlertKind = Field(
        description="`threshold`: the value is beyond `limit`. `burn-rate`: the error budget of `objective` is used up"
        " `limit` times too fast, in the last hour and in the last 6 hours. `last-week`: worse by `limit` than in the"
        " same hours a week ago, with an interval that excludes no change."
    )
    metric: AlertMetric = Field(
        description="`quality`, `errors`, `negative` (signals of users): shares of requests. `p95`: latency in ms, by"
        " whole days. `cost`: US dollars per request. `silence`: time since the last request."
    )
    limit: float | str | None = Field(
        default=None,
        description="Of a `threshold`: the value, such as 0.9, or 2h for `silence`. Of a `burn-rate`: the factor, 6 by"
        " default. Of `last-week`: the change, in shares for a share (0.05: five points), else relative (0.2: 20%).",
    )
    objective: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.99, description="Of a `burn-rate`: the share of requests that must be good."
    )
    over: Duration | None = Field(
        default=None,
        description="Time that is looked at, up to 168h: by default 1h for a `threshold`, 6h for `last-week`, and 24h"
        " for `p95`. A `burn-rate` has its own.",
        json_schema_extra=_DURATION,
    )
    min_requests: Annotated[int, Field(ge=1)] = Field(
        default=50, description="With fewer requests in that time, nothing is known."
    )
    prompts: Annotated[list[str], BeforeValidator(_single_or_list)] = Field(
        default=["*"], min_length=1, description="Names of prompts; `*` stands for any text."
    )

    @model_validator(mode="after")
    def _check(self) -> "AlertRuleSection":
        if self.name == DATA_RULE:
            raise ValueError(f"the name `{DATA_RULE}` is taken by the alert about missing data")
        if self.kind == "burn-rate" and self.metric not in SHARES:
            raise ValueError(f"a burn rate needs a share of requests: {', '.join(sorted(SHARES))}")
        if self.metric == "silence" and self.kind != "threshold":
            raise ValueError("`silence` has a threshold only")
        if self.over is not None and (self.kind == "burn-rate" or self.metric == "silence"):
            raise ValueError("`over` does not apply to it")
        if self.over is not None and not HOUR_S <= self.over <= _MAX_OVER_S:
            raise ValueError("`over` must be between 1h and 168h")
        if self.metric == "p95" and self.over is not None and self.over % DAY_S:
            raise ValueError("`over` of `p95` must be whole days, such as 24h: latencies are kept by day")
        self.number()
        return self

    def number(self) -> float:
        """Return the limit as a number."""
        if self.limit is None:
            if self.kind == "burn-rate":
                return 6.0
            raise ValueError("`limit` is missing")
        limit = parse_seconds(self.limit) if self.metric == "silence" else self.limit
        if not isinstance(limit, int | float) or limit <= 0:
            raise ValueError("`limit` must be a number above 0")
        if self.kind != "burn-rate" and self.metric in SHARES and limit > 1:
            raise ValueError("`limit` of a share is at most 1: write 0.9 for 90%")
        return float(limit)


class WebhookSection(ConfigSection):
    """Where openings and closings are posted."""

    url_env: str = Field(description="Environment variable with the address, from a secret.")
    shape: WebhookShape = Field(default="slack", description="Shape of the message: `slack` or `teams`.")

    @field_validator("url_env")
    @classmethod
    def _refuse_platform_tokens(cls, name: str) -> str:
        if is_platform_token(name):
            raise ValueError("it holds a platform's token, which is no address: store the address in a secret")
        return name


class AlertsSection(ConfigSection):
    """Alerts on the request log: `promptci alerts check` opens and closes them."""

    stale_after: Duration = Field(
        default=2 * HOUR_S,
        description="Age of monitor.json, or of the newest request in it, from which nothing is known and the check is"
        " an error.",
        json_schema_extra=_DURATION,
    )
    rules: list[AlertRuleSection] = Field(default=[], description="The rules; see [alerts](alerts.md).")
    webhook: WebhookSection | None = Field(
        default=None, description="`url_env`: environment variable with the address. `shape`: `slack` or `teams`."
    )

    @model_validator(mode="after")
    def _check_names(self) -> "AlertsSection":
        names = [rule.name for rule in self.rules]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two rules have the name `{twice}`")
        return self


def build_alert_options(section: AlertsSection) -> AlertOptions:
    """Return the options that a section sets."""
    webhook = section.webhook
    return AlertOptions(
        rules=tuple(map(_build_rule, section.rules)),
        stale_after_s=section.stale_after,
        webhook=WebhookOptions(url_env=webhook.url_env, shape=webhook.shape) if webhook else None,
    )


def _build_rule(section: AlertRuleSection) -> AlertRule:
    default_s = DAY_S if section.metric == "p95" else _OVER_S[section.kind]
    return AlertRule(
        name=section.name,
        kind=section.kind,
        metric=section.metric,
        limit=section.number(),
        over_s=section.over or default_s,
        objective=section.objective,
        min_requests=section.min_requests,
        prompts=tuple(section.prompts),
    )
