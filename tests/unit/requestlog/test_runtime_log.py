"""The log of promptci.runtime, line by line as it writes it, and the names of OpenTelemetry."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import canary_traffic
from support.canary_traffic import START
from support.daily import some_daily

from promptci.files.lines import JsonError
from promptci.requestlog import line, python_reader, read
from promptci.requestlog.aliases import ALIASES
from promptci.requestlog.batch import RequestLog, WantedRequests
from promptci.requestlog.columnar import duckdb_reader
from promptci.requestlog.columns import (
    ARRAYS,
    CANARY,
    NEGATIVE,
    NO_POINT,
    NO_SIGNAL,
    NO_USER,
    STABLE,
    TEXT_ARRAYS,
    Texts,
    moment,
)
from promptci.requestlog.model import LateMark, Observation
from promptci.runtime import Bundle, point

BUNDLE = {
    "schema": "promptci/bundle/v1",
    "environment": "production",
    "serial": 1,
    "made": "2026-03-01T14:00:00Z",
    "commit": "0" * 40,
    "hash": 1,
    "prompts": {
        "order": {
            arm: {
                "version": version,
                "fingerprint": "8bff",
                "prompt": {
                    "model": "gpt-4o-mini",
                    "parameters": {},
                    "messages": [{"role": "user", "content": "Hi"}],
                    "response_format": "text",
                    "template": "fill",
                },
            }
            for arm, version in (("stable", "v1"), ("canary", "v2"))
        }
        | {"share": 10_000, "salt": "order@v2"}
    },
}


READERS = pytest.mark.parametrize("use_duckdb", [True, False])


def load(path: Path, *, use_duckdb: bool) -> RequestLog:
    expected = WantedRequests(since={"order": 0}, salts={"order": "order@v2"})
    return read.load_log([path], expected, use_duckdb=use_duckdb)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(BUNDLE))
    return Bundle(str(path), log=tmp_path / "requests.jsonl", builtin=json.dumps(BUNDLE).encode())


@READERS
def test_what_the_runtime_writes_is_read(bundle: Bundle, tmp_path: Path, *, use_duckdb: bool) -> None:
    answer = {"model": "gpt-4o-mini-2024-07-18", "id": "chatcmpl-1", "usage": {"input_tokens": 9, "output_tokens": 41}}
    good = bundle.choose("order", key="account-1").record(answer=answer, latency_ms=812, cost_usd=0.0021)
    bundle.choose("order", key=None).record(error=TimeoutError())
    bundle.late(good, quality=0.5, signal="negative")
    bundle.late("other-application", quality=1)
    request_log = load(tmp_path / "requests.jsonl", use_duckdb=use_duckdb)
    assert (request_log.lines, request_log.invalid_lines, request_log.late_lines) == (4, 0, 2)
    requests = request_log.requests
    assert requests.arm.tolist() == [CANARY, STABLE]
    assert requests.share.tolist() == [100, 100]
    assert [user != NO_USER for user in requests.user.tolist()] == [True, False]
    assert requests.failed.tolist() == [False, True]
    assert (requests.latency_ms[0], requests.cost_usd[0], requests.output_tokens[0]) == (812, 0.0021, 41)
    assert (requests.quality[0], requests.signal.tolist()) == (0.5, [NEGATIVE, NO_SIGNAL])
    assert requests.scored[0] >= requests.time[0]
    assert np.isnan(requests.quality[1])
    assert requests.names(requests.version) == ("v1", "v2")
    assert requests.names(requests.response_model) == ("gpt-4o-mini-2024-07-18",)


def entry(**changed: Any) -> str:
    return json.dumps(canary_traffic.runtime_entry(canary_traffic.traffic(1)[0], **changed))


def request(**changed: Any) -> Observation:
    result = line.parse_line(entry(**changed))
    assert isinstance(result, Observation)
    return result


def late(**changed: Any) -> str:
    return json.dumps({"time": (START + timedelta(hours=1)).isoformat(), "promptci.request": "r0", **changed})


def test_the_share_is_in_hundredths_of_a_percent_but_in_logs_with_the_first_names() -> None:
    assert request(**{"promptci.share": 550}).share == 5.5
    assert request(**{"promptci.share": 5.5, "promptci.arm": "stable"}).share == 5.5


def test_names_of_opentelemetry_are_read() -> None:
    text = json.dumps(
        {
            "time": "2026-03-02T10:00:00Z",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.prompt.name": "order",
            "gen_ai.prompt.version": "v1",
            "feature_flag.context.id": "account-1",
            "gen_ai.client.operation.duration": 0.25,
            "gen_ai.usage.cost.amount": 0.5,
        }
    )
    result = line.parse_line(text)
    assert isinstance(result, Observation)
    assert (result.id, result.arm, result.key, result.user) == ("chatcmpl-1", None, "account-1", "account-1")
    assert (result.latency_ms, result.cost_usd) == (250, 0.5)


def test_an_empty_text_is_null() -> None:
    observation = request(**{"error.type": "", "promptci.unit": "", "promptci.latency_ms": ""})
    assert (observation.error, observation.user, observation.latency_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"feature_flag.result.variant": None}, "`feature_flag.result.variant` is missing"),
        ({"gen_ai.prompt.name": None}, "`gen_ai.prompt.name` is missing"),
        ({"gen_ai.usage.cost.amount": "1e3"}, "`gen_ai.usage.cost.amount` is '1e3'"),
        ({"promptci.share": 10_001}, "`promptci.share` is '10001'"),
        ({"promptci.share": [5]}, "`promptci.share` is '\\[5\\]'"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_that_was_used(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(JsonError, match=message):
        line.parse_line(entry(**changed))


def test_an_evaluation_of_another_name_is_no_quality() -> None:
    mark = {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 7}
    assert line.parse_line(late(**mark)) == LateMark(id="r0", time=START + timedelta(hours=1))
    assert request(**mark).quality is None


@READERS
def test_the_earliest_mark_counts_wherever_it_stands(tmp_path: Path, *, use_duckdb: bool) -> None:
    """What was decided by an earlier look must not be changed by a later line."""
    first = late(**{"promptci.signal": "negative", "gen_ai.usage.cost.amount": "0.25"})
    then = START + timedelta(hours=2)
    again = late(**{"promptci.quality": 0.5, "promptci.signal": "positive", "time": then.isoformat()})
    path = tmp_path / "a.jsonl"
    path.write_text(f"{again}\n{first}\n" + entry(**{"gen_ai.usage.cost.amount": None}) + "\n")
    requests = load(path, use_duckdb=use_duckdb).requests
    assert (requests.quality[0], requests.signal[0], requests.cost_usd[0]) == (0.5, NEGATIVE, 0.25)
    assert (moment(requests.scored[0]), moment(requests.signalled[0])) == (then, START + timedelta(hours=1))


@READERS
def test_a_mark_of_the_request_itself_is_not_replaced(tmp_path: Path, *, use_duckdb: bool) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(entry(**{"promptci.quality": 1}) + "\n" + late(**{"promptci.quality": 0}) + "\n")
    requests = load(path, use_duckdb=use_duckdb).requests
    assert (requests.quality[0], requests.scored[0]) == (1, requests.time[0])


@READERS
def test_keys_become_points_under_the_salt_of_their_prompt(tmp_path: Path, *, use_duckdb: bool) -> None:
    keys = [f"user-{number}" for number in range(3)] + ['odd "key"']
    lines = [entry(**{"promptci.request": key, "feature_flag.context.id": key}) for key in keys]
    lines += [entry(**{"promptci.request": "none"})]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n")
    assert load(path, use_duckdb=use_duckdb).requests.point.tolist() == [
        *(point("order@v2", key) for key in keys),
        NO_POINT,
    ]
    unsalted = read.load_log([path], WantedRequests(since={"order": 0}), use_duckdb=use_duckdb)
    assert unsalted.requests.point.tolist() == [NO_POINT] * 5


VALUES: st.SearchStrategy[object] = (
    st.none() | st.floats() | st.integers() | st.text(max_size=5) | st.booleans() | st.just([])
)
NAMES = sorted({alias.name for aliases in ALIASES.values() for alias in aliases} | {"gen_ai.evaluation.name"})
CHANGES = st.dictionaries(
    st.sampled_from(NAMES),
    VALUES | st.sampled_from(["0.25", "1e3", "quality", "canary", "negative", "2026-03-02T10:00:00+02:00", 0.5, 1, 20]),
    max_size=4,
)


@cache
def good_line(index: int) -> str:
    return entry(**{"promptci.request": f"good-{index}"})


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([{"promptci.system_fingerprint": -9223372036854775809}])
@example([{name: ""} for name in NAMES])
@example([{"gen_ai.evaluation.name": "", "gen_ai.evaluation.score.value": 0.5}, {"promptci.arm": ""}])
@example([{aliases[0].name: "", aliases[-1].name: "x"} for aliases in ALIASES.values()])
@example([{aliases[0].name: "", aliases[-1].name: 1} for aliases in ALIASES.values()])
@example([{"gen_ai.prompt.name": None, "gen_ai.prompt.version": None, name: ""} for name in NAMES])
@given(st.lists(CHANGES, min_size=1, max_size=30))
def test_both_readers_agree_about_every_line(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    compare_readers(tmp_path, changes)


@pytest.mark.long
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, min_size=1, max_size=30))
def test_both_readers_agree_about_many_lines(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    compare_readers(tmp_path, changes)


def compare_readers(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    good = [good_line(index) for index in range(100 * len(changes))]
    odd = [entry(**({"promptci.request": f"odd-{index}"} | change)) for index, change in enumerate(changes)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(odd + good) + "\n")
    first, other = (load(path, use_duckdb=use_duckdb) for use_duckdb in (True, False))
    assert (first.lines, first.invalid_lines, first.late_lines) == (other.lines, other.invalid_lines, other.late_lines)
    assert first.problems == other.problems
    for name in ARRAYS:
        columns = [getattr(log.requests, name) for log in (first, other)]
        if name in {"id", "user"}:  # by another hash
            columns = [np.unique(column, return_inverse=True)[1] for column in columns]
            columns = [np.array([column.tolist().index(number) for number in column]) for column in columns]
        if name in TEXT_ARRAYS:
            columns = [
                np.array([log.requests.texts.values[number] if number >= 0 else "" for number in column])
                for log, column in zip((first, other), columns, strict=True)
            ]
        np.testing.assert_array_equal(columns[0], columns[1], err_msg=name)


ODD_VALUES = [
    '""',
    *("-9223372036854775809", "18446744073709551616", "18446744073709551615", "9" * 400, "1234567890123456789"),
    *("1e400", "-1.5E+400", "1e-400", "0.12345678901234567890", "1e308", "NaN", "-Infinity", "Infinity", "-0"),
    *('"\\ud800"', '"\\ud83e\\udd8a"', '"9223372036854775808000"', '"1e400"', '"nan"', '" "', "[18446744073709551616]"),
    *('{"a": [1, -1e999]}', '{"a": "\\uDC00"}', "[]", "{}", "true", "01", "1."),
]


@pytest.mark.parametrize("value", some_daily(ODD_VALUES, 9))
def test_both_readers_agree_about_an_odd_value_in_every_attribute(value: str, tmp_path: Path) -> None:
    """A number over 64 bits was once refused by one reader only, in the attributes that the log does not check."""
    lines = []
    for name in [*NAMES, "others.value"]:
        fields = json.loads(entry())
        fields.pop(name, None)
        lines.append(json.dumps(fields)[:-1] + f', "{name}": {value}}}')
        lines.append(f'{{"{name}":\t{value},' + json.dumps(fields)[1:])
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines, entry()]) + "\n")
    batches = [
        reader.read_file(path, WantedRequests(since={"order": 0}), Texts()) for reader in (duckdb_reader, python_reader)
    ]
    counts = [(batch.lines, batch.invalid_lines, len(batch.requests), len(batch.marks)) for batch in batches]
    assert counts[0] == counts[1]
    assert batches[0].problems == batches[1].problems
    assert len(batches[0].requests) > 0


ODD_TIMES = [
    ("2026-03-02T12:00:00+02:00", True),
    ("2026-03-01T22:30:00.25-11:30", True),
    ("2026-03-02T10:00:00+0000", True),
    ("2026-03-02 12:00:00+02", True),
    ("2026-03-02", False),
    ("2026-03-02T10:00:00", False),
    ("2026-03-02T24:00:00Z", False),
    ("2026-03-02T10:00:00+99:00", False),
    ("0000-03-02T10:00:00Z", False),
]


@READERS
def test_times_of_any_zone_are_read_and_those_that_are_none_refused(tmp_path: Path, *, use_duckdb: bool) -> None:
    """The zone was once passed over by DuckDB, and every request of another zone moved by hours."""
    lines = [entry(**{"promptci.request": f"t{index}", "time": time}) for index, (time, _) in enumerate(ODD_TIMES)]
    lines += [entry(**{"promptci.request": f"good-{index}", "time": "2026-03-05T10:00:00Z"}) for index in range(600)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n")
    log = load(path, use_duckdb=use_duckdb)
    times = log.requests.time[:4] / 1e6 - datetime(2026, 3, 2, 10, tzinfo=UTC).timestamp()
    assert (log.invalid_lines, len(log.requests), times.tolist()) == (5, 604, [0, 0, 0, 0.25])


@READERS
@pytest.mark.parametrize("cost", ["1_0", "1.", "1e3", ".5", "+1", "0x1", " 1"])
def test_a_cost_that_is_no_decimal_is_refused_by_both_readers(tmp_path: Path, cost: str, *, use_duckdb: bool) -> None:
    lines = [entry(**{"promptci.request": "odd", "gen_ai.usage.cost.amount": cost})]
    lines += [entry(**{"promptci.request": f"good-{index}"}) for index in range(100)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n")
    assert load(path, use_duckdb=use_duckdb).invalid_lines == 1


def test_every_first_name_is_one_that_the_runtime_writes() -> None:
    written = {*json.loads(entry()), "promptci.signal", "gen_ai.evaluation.score.value", "feature_flag.context.id"}
    written |= {"promptci.tag", "promptci.system_fingerprint", "gen_ai.usage.input_tokens"}
    assert {aliases[0].name for aliases in ALIASES.values()} == written
