"""docs/alerts.md and docs/history.md say what the program does."""

import re
from pathlib import Path
from typing import get_args

import yaml

from promptci.config import load as config_load
from promptci.config.alert_options import AlertKind, AlertMetric
from promptci.git.data_branch import HISTORY_BRANCH
from promptci.history.record_kind import FORMAT_FILE
from promptci.monitor.alerts.facts import DataFacts
from promptci.present.finding_text import alerts
from promptci.usecases.monitoring.history_branch import KINDS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "alerts.md").read_text(encoding="utf-8")
HISTORY = (DOCS / "history.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def rows(page: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:2] == "| "]


def test_the_rules_of_the_page_are_rules_and_show_every_kind_and_most_metrics() -> None:
    options = config_load.load_config(SNIPPETS[0].encode(), "promptci.yml").alerts
    assert {rule.kind for rule in options.rules} == set(get_args(AlertKind))
    assert options.webhook is not None
    assert options.stale_after_s == 7200


def test_the_tables_name_every_kind_metric_and_state_of_the_data() -> None:
    named = {row[0].strip("`") for row in rows(PAGE)}
    assert set(get_args(AlertKind)) <= named
    assert set(get_args(AlertMetric)) <= named
    causes = {"missing", "empty", "old-look", "ahead", "old-data"}
    assert causes <= named
    assert all(alerts.data(DataFacts(cause=cause)).summary for cause in causes)


def test_the_workflows_give_the_chat_its_address_and_never_write_an_expression_into_a_script() -> None:
    workflows = [yaml.safe_load(text) for text in SNIPPETS[1:]]
    assert len(workflows) == 2
    steps = [step for workflow in workflows for job in workflow["jobs"].values() for step in job["steps"]]
    assert not [step for step in steps if "${{" in step.get("run", "")]
    (check,) = [step for step in steps if step.get("name") == "Check the alerts"]
    assert config_load.load_config(SNIPPETS[0].encode(), "promptci.yml").alerts.webhook.url_env in check["env"]  # type: ignore[union-attr]
    assert check["if"].strip() == "${{ !cancelled() }}"


def test_the_table_of_the_branch_has_every_kind_and_nothing_else() -> None:
    files = [row[0].strip("`") for row in rows(HISTORY) if row[0].startswith("`")]
    assert HISTORY_BRANCH in HISTORY
    assert [path for path in files if path != FORMAT_FILE and not any(kind.match(path) for kind in KINDS)] == []
    assert {kind.folder for kind in KINDS} == {path.partition("/")[0] for path in files} - {FORMAT_FILE}
