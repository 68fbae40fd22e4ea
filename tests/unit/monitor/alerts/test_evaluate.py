"""One look after another: alerts open, close, and stay as they are where nothing is known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.monitor_traffic import NOW, monitor, traffic

from promptci.config.alert_options import AlertOptions, AlertRule
from promptci.errors import InputError
from promptci.monitor.alerts.evaluate import AlertEvaluation, evaluate_alerts
from promptci.monitor.alerts.line import AlertLine, find_resolved, fold_lines
from promptci.monitor.document import MonitorDocument

QUALITY = AlertRule(name="quality-low", kind="threshold", metric="quality", limit=0.9)
OPTIONS = AlertOptions(rules=(QUALITY,))
LOOK = timedelta(minutes=5)


def figures(good: int, number: int = 0) -> MonitorDocument:
    return monitor([traffic(0, good=good)], made_at=NOW + number * LOOK)


def looks(documents: Sequence[MonitorDocument | None], options: AlertOptions = OPTIONS) -> list[AlertEvaluation]:
    history: list[AlertLine] = []
    seen = []
    for number, document in enumerate(documents):
        seen.append(evaluate_alerts(options, document, history, NOW + number * LOOK))
        history += seen[-1].lines
    return seen


def changes(seen: list[AlertEvaluation]) -> list[str]:
    return [f"{line.rule} {line.what}" for each in seen for line in each.lines]


def test_an_alert_opens_and_closes_and_its_lines_say_why() -> None:
    seen = looks([figures(100, 0), figures(100, 1), *(figures(200, number) for number in (2, 3, 4, 5))])
    assert changes(seen) == [
        f"quality-low {change}" for change in ("pending", "opened", "updated", "updated", "resolved")
    ]
    opened = seen[1].lines[0]
    assert (opened.at, opened.since, opened.value, opened.limit, opened.n) == (
        "2026-03-09T10:25:00Z",
        "2026-03-09T10:20:00Z",
        0.5,
        0.9,
        200,
    )
    assert AlertLine.parse(opened.line(), "x") == opened
    assert [look.is_open for each in seen for look in each.looks if look.rule == "quality-low"] == [
        *(False, True, True, True, False, False)
    ]


def test_the_same_figures_are_one_look_however_often_they_are_checked() -> None:
    assert changes(looks([figures(100)] * 5)) == ["quality-low pending"]


@pytest.mark.parametrize(
    ("document", "state"),
    [
        (None, "missing"),
        (monitor([]), "empty"),
        (monitor([traffic(0, requests=0)], newest=None), "empty"),
        (monitor([traffic(0)], made_at=NOW - timedelta(hours=3)), "old-look"),
        (monitor([traffic(5)], newest=NOW - timedelta(hours=3)), "old-data"),
    ],
)
def test_data_that_says_nothing_is_named_and_becomes_an_alert(document: MonitorDocument | None, state: str) -> None:
    seen = looks([document] * 3)
    assert [each.data for each in seen] == [state] * 3
    assert changes(seen) == ["data pending", "data opened"]


def test_figures_of_the_same_second_are_two_looks_and_a_broken_time_is_named() -> None:
    documents = [figures(100).model_copy(update={"made_at": f"2026-03-09T10:20:00.{n}Z"}) for n in (1, 2)]
    assert changes(looks(documents)) == ["quality-low pending", "quality-low opened"]
    for text in ("yesterday", "2026-03-09T10:20:00"):
        with pytest.raises(InputError, match="is not a time"):
            looks([figures(100).model_copy(update={"made_at": text})])


def test_an_open_alert_stays_open_without_data_and_the_data_alert_closes_when_it_is_back() -> None:
    documents = [figures(100, 0), figures(100, 1), None, None, *(figures(200, number) for number in (4, 5, 6))]
    assert changes(looks(documents)) == [
        *("quality-low pending", "quality-low opened", "data pending", "data opened"),
        *("data updated", "quality-low updated", "data updated", "quality-low updated"),
        *("data resolved", "quality-low resolved"),
    ]


def test_an_alert_of_a_rule_or_prompt_that_is_gone_is_closed() -> None:
    history = [line for each in looks([figures(100, 0), figures(100, 1)]) for line in each.lines]
    for options in (AlertOptions(), AlertOptions(rules=(replace(QUALITY, prompts=("other",)),))):
        seen = evaluate_alerts(options, figures(100, 2), history, NOW)
        assert ("quality-low", "resolved") in [(line.rule, line.what) for line in seen.lines]


def test_a_prompt_that_a_rule_names_is_looked_at_even_without_requests() -> None:
    quiet = AlertRule(name="quiet", kind="threshold", metric="silence", limit=7200, prompts=("refund", "order-*"))
    seen = evaluate_alerts(AlertOptions(rules=(quiet,)), figures(200), [], NOW)
    assert [(look.prompt, look.firing) for look in seen.looks[1:]] == [("order-extractor", False), ("refund", True)]


def test_alerts_that_were_resolved_lately_are_known() -> None:
    seen = looks([figures(100, 0), figures(100, 1), *(figures(200, number) for number in (2, 3, 4))])
    lines = [line for each in seen for line in each.lines]
    assert find_resolved(lines, "2026-03-09T00:00:00Z") == {("quality-low", "order-extractor")}
    assert find_resolved(lines, "2026-03-10T00:00:00Z") == set()
    assert fold_lines(lines) == {}


@settings(max_examples=50)
@given(st.lists(st.sampled_from([100, 200, None]), max_size=20))
def test_a_look_from_the_lines_alone_is_the_same_as_one_that_remembers(qualities: list[int | None]) -> None:
    """What is kept on the branch is enough: each look starts from the lines."""
    seen = looks([None if good is None else figures(good, number) for number, good in enumerate(qualities)])
    open_now = False
    fine = firing = 0
    for good, each in zip(qualities, seen, strict=True):
        if good is not None:
            fine, firing = (0, firing + 1) if good == 100 else (fine + 1, 0)
            open_now = firing >= 2 if not open_now else fine < 3
        assert any(look.is_open for look in each.looks if look.rule == "quality-low") == open_now
