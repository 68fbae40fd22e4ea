"""The section `alerts` of promptci.yml: its defaults, and each mistake with what is wrong."""

import pytest

from promptci.config.alert_options import AlertOptions, AlertRule, WebhookOptions
from promptci.config.load import load_config
from promptci.errors import ConfigError


def load(rule: str) -> AlertRule:
    (loaded,) = load_config(f"alerts:\n  rules:\n    - {rule}\n".encode(), "promptci.yml").alerts.rules
    return loaded


def test_without_a_section_there_are_no_alerts() -> None:
    assert load_config(b"", "promptci.yml").alerts == load_config(b"alerts:\n", "promptci.yml").alerts == AlertOptions()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{name: a, kind: threshold, metric: quality, limit: 0.9}",
            AlertRule(name="a", kind="threshold", metric="quality", limit=0.9, over_s=3600),
        ),
        (
            "{name: a, kind: threshold, metric: p95, limit: 2000, over: 48h, min_requests: 100}",
            AlertRule(name="a", kind="threshold", metric="p95", limit=2000, over_s=172800, min_requests=100),
        ),
        (
            "{name: a, kind: threshold, metric: silence, limit: 2h, prompts: order}",
            AlertRule(name="a", kind="threshold", metric="silence", limit=7200, over_s=3600, prompts=("order",)),
        ),
        (
            "{name: a, kind: burn-rate, metric: errors, objective: 0.999}",
            AlertRule(name="a", kind="burn-rate", metric="errors", limit=6, over_s=21600, objective=0.999),
        ),
        (
            "{name: a, kind: last-week, metric: cost, limit: 1.5, prompts: [order, 'refund-*']}",
            AlertRule(
                name="a", kind="last-week", metric="cost", limit=1.5, over_s=21600, prompts=("order", "refund-*")
            ),
        ),
        (
            "{name: a, kind: last-week, metric: p95, limit: 0.2}",
            AlertRule(name="a", kind="last-week", metric="p95", limit=0.2, over_s=86400),
        ),
    ],
)
def test_a_rule_with_its_defaults(text: str, expected: AlertRule) -> None:
    assert load(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: threshold, metric: quality, limit: 0.9}", "name"),
        ("{name: 'a b', kind: threshold, metric: quality, limit: 0.9}", "name"),
        ("{name: data, kind: threshold, metric: quality, limit: 0.9}", "taken by the alert about missing data"),
        ("{name: a, kind: trend, metric: quality, limit: 0.9}", "kind"),
        ("{name: a, kind: threshold, metric: mood, limit: 0.9}", "metric"),
        ("{name: a, kind: threshold, metric: quality}", "`limit` is missing"),
        ("{name: a, kind: threshold, metric: quality, limit: 90}", "write 0.9 for 90%"),
        ("{name: a, kind: threshold, metric: cost, limit: 0}", "above 0"),
        ("{name: a, kind: threshold, metric: cost, limit: cheap}", "above 0"),
        ("{name: a, kind: threshold, metric: silence, limit: soon}", "not a duration"),
        ("{name: a, kind: burn-rate, metric: cost}", "a burn rate needs a share"),
        ("{name: a, kind: burn-rate, metric: errors, objective: 1}", "objective"),
        ("{name: a, kind: burn-rate, metric: errors, over: 2h}", "does not apply"),
        ("{name: a, kind: last-week, metric: silence, limit: 2h}", "threshold only"),
        ("{name: a, kind: threshold, metric: quality, limit: 0.9, over: 30m}", "between 1h and 168h"),
        ("{name: a, kind: threshold, metric: quality, limit: 0.9, over: 169h}", "between 1h and 168h"),
        ("{name: a, kind: threshold, metric: p95, limit: 9, over: 36h}", "whole days"),
        ("{name: a, kind: threshold, metric: quality, limit: 0.9, limt: 1}", "Did you mean `limit`?"),
        ("{name: a, kind: threshold, metric: quality, limit: 0.9, prompts: []}", "prompts"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert "promptci.yml:3: " in str(caught.value)
    assert message in str(caught.value)


def test_two_rules_of_one_name_are_refused() -> None:
    rule = "{name: a, kind: burn-rate, metric: errors}"
    with pytest.raises(ConfigError, match="two rules have the name `a`"):
        load(f"{rule}\n    - {rule}")


def test_the_webhook_is_a_variable_that_holds_no_token_of_a_platform() -> None:
    loaded = load_config(b"alerts: {stale_after: 90m, webhook: {url_env: CHAT, shape: teams}}", "promptci.yml").alerts
    assert (loaded.stale_after_s, loaded.webhook) == (5400, WebhookOptions(url_env="CHAT", shape="teams"))
    with pytest.raises(ConfigError, match="platform's token"):
        load_config(b"alerts: {webhook: {url_env: GITHUB_TOKEN}}", "promptci.yml")
    with pytest.raises(ConfigError, match="shape"):
        load_config(b"alerts: {webhook: {url_env: CHAT, shape: irc}}", "promptci.yml")
