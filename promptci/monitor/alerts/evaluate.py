"""One look at all alerts: which fire, which open and close, and whether the data says anything at all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from promptci.config.alert_options import AlertOptions, AlertRule
from promptci.findings import Facts, Finding, NoFacts
from promptci.lazy_dataclass import dataclass
from promptci.monitor.alerts.facts import AlertFacts, DataFacts
from promptci.monitor.alerts.line import AlertLine, fold_lines
from promptci.monitor.alerts.measure import PromptRows, measure
from promptci.monitor.alerts.state import AlertState, Event, advance
from promptci.monitor.alerts.windows import parse_hour
from promptci.monitor.document import LatencyRow, MonitorDocument, TrafficRow
from promptci.requestlog.clock import latest_time
from promptci.verdict import Verdict

DATA_RULE = "data"
REMOVED = "alert-removed"
_GLOB_SIGNS = frozenset("*?[")


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertLook:
    """One rule on one prompt at this look."""

    rule: str
    prompt: str
    firing: bool | None
    """None: too little is known."""
    finding: Finding
    """What was measured."""
    state: AlertState | None
    """After the look."""
    event: Event | None

    @property
    def is_open(self) -> bool:
        """Whether the alert is open."""
        return self.state is not None and self.state.phase == "open"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertEvaluation:
    """All rules at one look."""

    data: str
    """`ok`, or why the rules say nothing: `missing`, `empty`, `old-look`, `ahead`, `old-data`."""
    looks: tuple[AlertLook, ...]
    lines: tuple[AlertLine, ...]
    """The changes, for the history branch."""


class _Measured(NamedTuple):
    rule: str
    prompt: str
    firing: bool | None
    finding: Finding


def evaluate_alerts(
    options: AlertOptions, monitor: MonitorDocument | None, history: Iterable[AlertLine], now: datetime
) -> AlertEvaluation:
    """Return what a look at `now` finds, after the changes that the history has."""
    last = fold_lines(history)
    trouble = find_data_trouble(options, monitor, now)
    usable = monitor if trouble is None else None
    measured = [_measure_data(trouble), *(_measure_rules(options.rules, usable) if usable else ())]
    known = {(each.rule, each.prompt) for each in measured}
    rest = [_measure_rest(options.rules, key) for key in last if key not in known]
    at = spell_moment(now)
    look_id = usable.made_at if usable else at
    looks, lines = [], []
    for each in (*measured, *rest):
        before = last.get((each.rule, each.prompt))
        look = _look(each, before, at, look_id)
        looks.append(look)
        if look.event is not None:
            lines.append(_build_line(look, before, at, look_id))
    return AlertEvaluation(data=trouble.cause if trouble else "ok", looks=tuple(looks), lines=tuple(lines))


def find_data_trouble(options: AlertOptions, monitor: MonitorDocument | None, now: datetime) -> DataFacts | None:
    """Return why monitor.json says nothing about the present; None where it does."""
    limit = options.stale_after_s
    if monitor is None:
        return DataFacts(cause="missing", limit_s=limit)
    made_at = parse_hour(monitor.made_at)
    age = (now - made_at).total_seconds()
    if made_at > latest_time(now):  # it would be young for as long as that clock is ahead
        return DataFacts(cause="ahead", newest=monitor.made_at, limit_s=limit)
    if age > limit:
        return DataFacts(cause="old-look", newest=monitor.made_at, age_s=age, limit_s=limit)
    newest = monitor.newest or monitor.period.last
    if newest is None or not any(row.requests for row in monitor.traffic):
        return DataFacts(cause="empty", limit_s=limit)
    age = (now - parse_hour(newest)).total_seconds()
    return DataFacts(cause="old-data", newest=newest, age_s=age, limit_s=limit) if age > limit else None


def spell_moment(moment: datetime) -> str:
    """Return a time as every line has it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _look(measured: _Measured, before: AlertLine | None, at: str, look_id: str) -> AlertLook:
    """Take one step, unless these very figures were looked at already."""
    state = before.state if before else None
    event: Event | None = None
    if measured.finding.rule == REMOVED:
        event = "resolved" if state and state.phase == "open" else "cleared"
        state = None
    elif before is None or before.look != look_id:
        state, event = advance(state, measured.firing, at)
    return AlertLook(
        rule=measured.rule,
        prompt=measured.prompt,
        firing=measured.firing,
        finding=measured.finding,
        state=state,
        event=event,
    )


def _measure_data(trouble: DataFacts | None) -> _Measured:
    facts = trouble or DataFacts(cause="ok")
    return _Measured(DATA_RULE, "", trouble is not None, _finding("alert-data", "", facts, firing=trouble is not None))


def _measure_rules(rules: Sequence[AlertRule], monitor: MonitorDocument) -> Iterator[_Measured]:
    traffic: dict[str, list[TrafficRow]] = defaultdict(list)
    latency: dict[str, list[LatencyRow]] = defaultdict(list)
    for row in monitor.traffic:
        traffic[row.prompt].append(row)
    for row_of_day in monitor.latency:
        latency[row_of_day.prompt].append(row_of_day)
    # Figures are measured at the time they were made: hours after it are not in them.
    now = parse_hour(monitor.made_at)
    for rule in rules:
        named = {name for name in rule.prompts if not _GLOB_SIGNS & set(name)}
        for prompt in sorted({name for name in traffic if _covers(rule, name)} | named):
            result = measure(rule, PromptRows(traffic[prompt], latency[prompt]), now)
            finding = _finding(f"alert-{_text_rule(rule)}", prompt, result.facts, firing=result.firing is True)
            yield _Measured(rule.name, prompt, result.firing, finding)


def _measure_rest(rules: Sequence[AlertRule], key: tuple[str, str]) -> _Measured:
    """Return what is to be said of an alert of the history that was not measured."""
    name, prompt = key
    rule = next((rule for rule in rules if rule.name == name and _covers(rule, prompt)), None)
    if rule is None:
        return _Measured(name, prompt, None, _finding(REMOVED, prompt, NoFacts(), firing=False))
    return _Measured(name, prompt, None, _finding("alert-unknown", prompt, NoFacts(), firing=False))


def _covers(rule: AlertRule, prompt: str) -> bool:
    return any(fnmatchcase(prompt, pattern) for pattern in rule.prompts)


def _text_rule(rule: AlertRule) -> str:
    return "silence" if rule.metric == "silence" else rule.kind


def _finding(rule: str, prompt: str, facts: Facts, *, firing: bool) -> Finding:
    return Finding(rule=rule, verdict=Verdict.FAIL if firing else Verdict.NO_CHANGE, subject=prompt, facts=facts)


def _build_line(look: AlertLook, before: AlertLine | None, at: str, look_id: str) -> AlertLine:
    facts = look.finding.facts
    state = look.state or (before.state if before else None)
    measured = facts if isinstance(facts, AlertFacts) else None
    if look.event is None or state is None:
        raise ValueError("nothing changed")
    return AlertLine(
        at=at,
        look=look_id,
        what=look.event,
        rule=look.rule,
        prompt=look.prompt,
        kind=measured.kind if measured else before.kind if before else DATA_RULE,
        metric=measured.metric if measured else before.metric if before else DATA_RULE,
        since=state.since,
        firing=state.firing,
        fine=state.fine,
        value=measured.value if measured else None,
        limit=measured.limit if measured else None,
        n=measured.n if measured else None,
    )
