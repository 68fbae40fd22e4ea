"""The request log: what a line holds, what is refused, and what is counted once."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import canary_traffic
from support.canary_traffic import PROMPT

from promptci.errors import InputError, UsageError
from promptci.files.lines import JsonError
from promptci.requestlog import line, python_reader, read
from promptci.requestlog.batch import RequestLog, WantedRequests
from promptci.requestlog.columns import ARRAYS, TEXT_ARRAYS, RequestColumns, Texts, columns_of, microseconds
from promptci.requestlog.model import Observation

REQUESTS = canary_traffic.traffic(400)
FIELDS = sorted(canary_traffic.entry(REQUESTS[0]))


def test_a_line_is_read_as_it_was_written() -> None:
    assert [line.parse_line(text) for text in canary_traffic.lines(REQUESTS)] == REQUESTS


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"time": "2026-03-02T10:00:00"}, "without a zone"),
        ({"time": "yesterday Z"}, "which is no time"),
        ({"time": "0001-01-01T00:00:00+23:00"}, "which is no time"),
        ({"time": 5}, "is not a text"),
        ({"promptci.request": None}, "`promptci.request` is missing"),
        ({"promptci.request": ""}, "`promptci.request` is missing"),
        ({"promptci.version": "v" * 501}, "at most 500 characters"),
        ({"promptci.arm": None}, "`feature_flag.result.variant` is missing"),
        ({"promptci.arm": "blue"}, "`promptci.arm` is 'blue'"),
        ({"promptci.share": 101}, "`promptci.share` is '101'"),
        ({"promptci.quality": 1.01}, "`promptci.quality` is '1.01'"),
        ({"promptci.quality": True}, "`promptci.quality` is 'True'"),
        ({"promptci.latency_ms": -1}, "`promptci.latency_ms` is '-1'"),
        ({"promptci.latency_ms": "8"}, "`promptci.latency_ms` is '8'"),
        ({"promptci.signal": "meh"}, "`promptci.signal` is 'meh'"),
        ({"gen_ai.usage.output_tokens": 1.5}, "`gen_ai.usage.output_tokens` is 1.5"),
        ({"error.type": 500}, "`error.type` is not a text"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(changed: dict[str, Any], message: str) -> None:
    value = canary_traffic.entry(REQUESTS[0]) | changed
    with pytest.raises(JsonError) as caught:
        line.parse_line(json.dumps(value))
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "{", '{"promptci.quality": NaN}', "[" * 60])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(JsonError):
        line.parse_line(text)


@given(st.text() | st.dictionaries(st.sampled_from(FIELDS), st.none() | st.floats() | st.text()).map(json.dumps))
def test_no_line_breaks_the_reader(text: str) -> None:
    with pytest.raises(JsonError):
        line.parse_line(text)


def test_attributes_of_others_are_passed_over() -> None:
    text = json.dumps(canary_traffic.entry(REQUESTS[0]) | {"gen_ai.operation.name": "chat", "http.route": ["/x"]})
    assert line.parse_line(text) == REQUESTS[0]


def test_times_of_all_zones_become_utc() -> None:
    assert line.parse_time("2026-03-02T12:00:00+02:00") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert line.parse_time("2026-03-02T10:00:00.5Z").microsecond == 500_000


WANTED = WantedRequests(since={PROMPT: 0}, salts={PROMPT: f"{PROMPT}@v2"})


@pytest.fixture(params=["duckdb", "python"])
def load(request: pytest.FixtureRequest) -> Callable[..., RequestLog]:
    """Both readers, of which every test here asks the same."""
    return partial(read.load_log, selection=WANTED, use_duckdb=request.param == "duckdb")


Load = Callable[[list[Path]], RequestLog]


def same(result: RequestColumns, requests: list[Observation]) -> bool:
    """Whether columns hold these requests, in this order."""
    expected = columns_of(requests, Texts(hash_all=result.texts.hash_all))
    texts = [
        [column.texts.values[number] if number >= 0 else None for number in column.version]
        for column in (result, expected)
    ]
    numbers = [name for name in ARRAYS if name not in TEXT_ARRAYS]
    return texts[0] == texts[1] and all(
        np.array_equal(
            getattr(result, name), getattr(expected, name), equal_nan=getattr(result, name).dtype.kind == "f"
        )
        for name in numbers
    )


def test_several_files_are_one_log_in_the_order_of_time(tmp_path: Path, load: Load) -> None:
    """FAULTS 124: out of order."""
    for name, part in (("b", REQUESTS[:200]), ("a/c", REQUESTS[200:])):
        canary_traffic.write(tmp_path / f"{name}.jsonl", reversed(part))
    result = load(read.expand_patterns([f"{tmp_path}/**/*.jsonl", str(tmp_path / "b.jsonl")]))
    assert (result.files, result.lines, result.invalid_lines, result.repeated_lines) == (2, 400, 0, 0)
    assert same(result.requests, REQUESTS)


def test_a_long_log_is_made_columns_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_reader, "MAX_PARSED", 7)
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS)
    assert same(read.load_log([path], WANTED, use_duckdb=False).requests, REQUESTS)


def test_the_log_of_the_runtime_is_read_alike(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.jsonl"
    runtime = [replace(request, quality=None, signal=None, response_model="mini-2024") for request in REQUESTS]
    odd = replace(runtime[7], version='a"b\\c', user="Zoë 🦊", response_model=None, latency_ms=1e22, cost_usd=None)
    requests = [*runtime[:7], odd, *runtime[8:]]
    path.write_text("".join(json.dumps(canary_traffic.runtime_entry(request)) + "\n" for request in requests))
    assert same(
        load([path]).requests,
        [replace(request, cost_usd=request.cost_usd and round(request.cost_usd, 12)) for request in requests],
    )


def test_only_what_is_wanted_is_kept(tmp_path: Path) -> None:
    since = microseconds(REQUESTS[100].time)
    path = canary_traffic.write(tmp_path / "a.jsonl", [*REQUESTS, replace(REQUESTS[399], prompt="other")])
    for use_duckdb in (True, False):
        log = read.load_log([path], WantedRequests(since={PROMPT: since}), use_duckdb=use_duckdb)
        assert same(log.requests, REQUESTS[100:])
        assert log.lines == 401
        assert same(log.requests_of(PROMPT), REQUESTS[100:])
        assert len(log.requests_of("other")) == 0


def test_a_request_that_is_logged_twice_counts_once(tmp_path: Path, load: Load) -> None:
    """FAULTS 124: duplicate events replayed."""
    result = load([canary_traffic.write(tmp_path / "a.jsonl", REQUESTS + REQUESTS[:30])])
    assert (len(result.requests), result.repeated_lines) == (400, 30)


def test_a_later_line_adds_what_came_late_and_changes_nothing_else(tmp_path: Path, load: Load) -> None:
    first = replace(REQUESTS[0], quality=None, signal=None)
    late = replace(first, quality=0.5, signal="negative", arm="canary", latency_ms=1.0)
    again = replace(late, quality=1.0)
    result = load([canary_traffic.write(tmp_path / "a.jsonl", [first, late, again])])
    assert same(result.requests, [replace(first, quality=0.5, signal="negative")])


def test_the_last_line_is_left_while_it_is_being_written(tmp_path: Path, load: Load) -> None:
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS[:3])
    path.write_bytes(path.read_bytes() + b'{"time": "2026')
    result = load([path])
    assert (result.lines, result.invalid_lines, len(result.requests)) == (3, 0, 3)
    path.write_bytes(b"")
    assert load([path]).lines == 0


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (b"\xff", "the line is not UTF-8"),
        (b"x" * (python_reader.MAX_LINE_BYTES + 1), "the line is over 1,048,576 bytes"),
        (b"{}", "`promptci.request` is missing"),
        (b'{"promptci.request": 5}', "`promptci.request` is not a text of at most 500 characters"),
        (b"{\0}", "not valid JSON: Expecting property name enclosed in double quotes at column 2"),
        (b"[]", "the line is not an object"),
        (b"\xef\xbb\xbf{}", "not valid JSON: Expecting value at column 1"),
    ],
)
def test_bad_lines_are_counted_and_named(tmp_path: Path, load: Load, odd: bytes, message: str) -> None:
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS)
    path.write_bytes(odd + b"\n\n \n" + path.read_bytes() + odd + b"\n")
    result = load([path])
    assert (result.lines, result.invalid_lines, len(result.requests)) == (402, 2, 400)
    assert [(problem.line, problem.message) for problem in result.problems] == [(1, message), (404, message)]


def test_line_ends_of_windows_are_read(tmp_path: Path, load: Load) -> None:
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert same(load([path]).requests, REQUESTS)
    path.write_bytes(path.read_bytes().replace(b", ", b",\r"))
    assert same(load([path]).requests, REQUESTS)


def test_duckdb_is_used_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS)
    assert read.has_duckdb()
    assert same(read.load_log([path], WANTED).requests, REQUESTS)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert not read.has_duckdb()
    assert same(read.load_log([path], WANTED).requests, REQUESTS)


def test_a_file_with_signs_of_a_glob_in_its_name_is_read(tmp_path: Path, load: Load) -> None:
    assert same(load([canary_traffic.write(tmp_path / "a[1]*.jsonl", REQUESTS)]).requests, REQUESTS)


def test_a_log_with_too_many_bad_lines_is_refused(tmp_path: Path, load: Load) -> None:
    """FAULTS 127: a source that fails decides nothing."""
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS[:99])
    path.write_bytes(b"{}\n" + path.read_bytes())
    assert load([path]).invalid_lines == 1
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(InputError, match="2 of 101 lines are invalid, over 1%"):
        load([path])


def test_no_more_than_twenty_bad_lines_are_named(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n" * 50)
    with pytest.raises(InputError) as caught:
        load([path])
    assert len(caught.value.problems) == 21


def test_a_glob_may_match_nothing_and_a_path_may_not(tmp_path: Path, load: Load) -> None:
    assert read.expand_patterns([f"{tmp_path}/*.jsonl"]) == []
    assert len(load([]).requests) == 0
    with pytest.raises(UsageError, match="There is no file"):
        read.expand_patterns([f"{tmp_path}/a.jsonl"])


def test_too_much_to_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    path = canary_traffic.write(tmp_path / "a.jsonl", REQUESTS)
    monkeypatch.setattr(read, "MAX_REQUESTS", 399)
    with pytest.raises(InputError, match="more than 399 requests"):
        load([path])
    monkeypatch.setattr(read, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="over 1,000 bytes together"):
        load([path])


def test_a_file_that_goes_away_is_named(tmp_path: Path, load: Load) -> None:
    with pytest.raises(InputError, match="it cannot be read: No such file"):
        load([tmp_path / "gone.jsonl"])
