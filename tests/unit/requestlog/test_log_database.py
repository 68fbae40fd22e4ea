"""Bad lines are counted and named, odd bytes change no line's number, and late marks find their request."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import log_formats as formats
from support.daily import some_daily

from promptci.errors import InputError
from promptci.files.lines import JsonError
from promptci.requestlog import line
from promptci.requestlog.formats.database import LogDatabase

MADE = formats.requests(120)
ROWS = list(formats.promptci_rows(MADE))
REQUEST: formats.Json = {
    "time": "2026-03-02T10:15:03Z",
    "promptci.request": "one",
    "gen_ai.prompt.name": "order-extractor",
    "gen_ai.prompt.version": "v1",
    "feature_flag.result.variant": "stable",
}


def write(path: Path, *lines: bytes, good: int = 300) -> Path:
    """Good lines, so that few bad ones are no reason to refuse the log, and then some others."""
    start = [json.dumps({**REQUEST, "promptci.request": f"good-{number}"}).encode() for number in range(good)]
    path.write_bytes(b"".join(each + b"\n" for each in [*start, *lines]))
    return path


def read(*paths: Path, names: Mapping[str, str] | None = None) -> tuple[LogDatabase, list[Any]]:
    with LogDatabase(names) as database:
        database.read(paths)
        rows = database.connection.execute("select request, arm, share, latency_ms, cost_usd from requests").fetchall()
        return database, rows


def problems(*paths: Path) -> list[tuple[int | None, str]]:
    database, _ = read(*paths)
    return [(each.line, each.message) for each in database.problems]


def test_bad_lines_are_named_by_their_number(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", b"", b"no JSON", json.dumps(REQUEST).encode(), b"[1]", b"\xff\xfe", b"{}")
    expected = [
        (302, "the line is no JSON"),
        (304, "the line is no JSON object"),
        (305, "the line is not UTF-8"),
        (306, "`promptci.request` is missing"),
    ]
    assert problems(write_more(log)) == expected


def write_more(log: Path) -> Path:
    """Enough good lines that four bad ones are under one percent."""
    lines = (json.dumps({**REQUEST, "promptci.request": f"more-{number}"}) for number in range(200))
    log.write_bytes(log.read_bytes() + "".join(f"{each}\n" for each in lines).encode())
    return log


@pytest.mark.parametrize(
    ("changed", "message"),
    some_daily(
        [
            ({"time": "2026-03-02T10:15:03"}, "`time` is `2026-03-02T10:15:03`, no time in ISO 8601 with its zone"),
            ({"time": "yesterday"}, "`time` is `yesterday`, no time in ISO 8601 with its zone"),
            ({"time": None}, "`time` is missing"),
            ({"gen_ai.prompt.name": ""}, "`gen_ai.prompt.name` is missing"),
            ({"gen_ai.prompt.version": None}, "`gen_ai.prompt.version` is missing"),
            (
                {"feature_flag.result.variant": "blue"},
                "`feature_flag.result.variant` is `blue`, neither stable nor canary",
            ),
            ({"promptci.latency_ms": -1}, "`promptci.latency_ms` is `-1`, no number of at least 0"),
            ({"promptci.latency_ms": "fast"}, "`promptci.latency_ms` is `fast`, no number of at least 0"),
            ({"promptci.share": 10001}, "`promptci.share` is `10001`, no number from 0 to 10,000"),
            (
                {"gen_ai.evaluation.score.value": 1.5},
                "`gen_ai.evaluation.score.value` is `1.5`, no number from 0 to 1",
            ),
            ({"gen_ai.usage.output_tokens": 1.5}, "`gen_ai.usage.output_tokens` is `1.5`, no whole number"),
            ({"promptci.signal": "meh"}, "`promptci.signal` is `meh`, neither positive nor negative"),
            ({"gen_ai.prompt.name": {"a": 1}}, '`gen_ai.prompt.name` is `{"a":1}`, no short text'),
        ],
        5,
    ),
)
def test_what_is_wrong_with_a_line_is_said(changed: formats.Json, message: str, tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", json.dumps({**REQUEST, **changed}).encode())
    assert problems(log) == [(301, message)]


CANARY_NAMES = sorted(
    ({"promptci.share", "promptci.arm", *REQUEST, *ROWS[0]})
    - {"promptci.tag", "promptci.system_fingerprint", "gen_ai.usage.input_tokens"}
)
"""Names that `promptci canary` reads."""
VALUES: st.SearchStrategy[object] = st.sampled_from(
    [None, "", 0, 1, 0.5, 1.5, -1, 20_000, True, "stable", "v1", "positive", "0.0021", "1e3", [], {}]
)
TIMES = st.sampled_from(["2026-03-02T10:15:03Z", "2026-03-02T10:15:03.5+02:00", "2026-03-02T10:15:03", "x", None, ""])


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(CANARY_NAMES), VALUES, max_size=4), TIMES)
def test_a_line_that_the_canary_takes_is_taken_with_the_same_values(
    tmp_path_factory: pytest.TempPathFactory, changed: formats.Json, time: str | None
) -> None:
    value = {**REQUEST, "time": time, **changed}
    try:
        parsed = line.parse_line(json.dumps(value))
    except JsonError:
        return
    log = write(tmp_path_factory.mktemp("log") / "log.jsonl", json.dumps(value).encode(), good=2)
    with LogDatabase() as database:
        database.read([log])
        query = "select what, time, request, latency_ms, quality, cost_usd::double from log where rowid = 2"
        ((kind, when, request, latency, quality, cost),) = database.connection.execute(query).fetchall()
    assert kind in ("request", "mark")
    assert (when, request) == (parsed.time.replace(tzinfo=None), parsed.id)
    assert (quality, cost) == (parsed.quality, parsed.cost_usd)
    assert latency == getattr(parsed, "latency_ms", latency)


def test_over_one_percent_of_bad_lines_is_refused_with_the_first_twenty(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", *[b"bad"] * 30)
    with pytest.raises(InputError) as refused:
        read(log)
    assert refused.value.problems[0].message == "30 of 330 lines are invalid, over 1%"
    assert [each.line for each in refused.value.problems[1:]] == list(range(301, 321))


def test_carriage_returns_marks_and_packing_change_no_line(tmp_path: Path) -> None:
    lines = [json.dumps(row).encode() for row in ROWS]
    plain, odd, packed = (tmp_path / name for name in ("plain.jsonl", "odd.jsonl", "packed.jsonl.gz"))
    plain.write_bytes(b"\n".join(lines) + b"\n")
    odd.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines) + b"\r\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    expected = sorted(read(plain)[1])
    assert [sorted(read(path)[1]) for path in (odd, packed)] == [expected, expected]


def test_a_line_that_is_still_being_written_is_not_bad(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl")
    log.write_bytes(log.read_bytes() + b'{"time": "2026-03')
    database, rows = read(log)
    assert (len(rows), database.files[0].bad, database.files[0].lines) == (300, 0, 300)


def test_a_line_of_over_one_megabyte_is_bad(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", json.dumps({**REQUEST, "answer": "x" * 2**20}).encode())
    assert problems(write_more(log)) == [(301, "the line is too long")]


def test_rows_of_another_width_are_bad_rows_of_a_csv(tmp_path: Path) -> None:
    log = formats.write_csv(tmp_path / "log.csv", formats.old_rows(formats.requests(300)))
    text = log.read_text()
    log.write_text(text + "one,two\n")
    database, rows = read(log)
    assert (len(rows), database.files[0].bad, database.problems[0].line) == (300, 1, 302)


def test_bad_rows_of_parquet_are_counted(tmp_path: Path) -> None:
    entries = [*formats.old_rows(formats.requests(300)), {**REQUEST, "promptci.share": 5, "time": None}]
    database, rows = read(formats.write_parquet(tmp_path / "log.parquet", entries))
    assert (len(rows), database.files[0].bad, database.problems[0].line) == (300, 1, 301)


def test_an_unknown_format_names_the_keys_that_were_found(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"who": "me", "took": 3}\n')
    with pytest.raises(InputError, match=r"its format is not known; its first keys are: `who`, `took`"):
        read(log)


def test_names_of_the_repository_make_any_log_readable(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    entry = {"at": "2026-03-02T10:15:03Z", "nr": "7", "template": "order", "rev": "v3", "took": 1.5}
    log.write_text(json.dumps(entry) + "\n")
    names = {"time": "at", "id": "nr", "prompt": "template", "version": "rev", "latency_s": "took"}
    assert read(log, names=names)[1] == [("7", None, None, 1500.0, None)]


def test_a_second_line_of_a_request_adds_only_what_the_first_one_lacks(tmp_path: Path) -> None:
    first = {**REQUEST, "gen_ai.evaluation.score.value": 1}
    again = {
        **REQUEST,
        "time": "2026-03-02T11:00:00Z",
        "gen_ai.evaluation.score.value": 0,
        "promptci.signal": "negative",
    }
    lost = {"time": "2026-03-02T11:00:00Z", "promptci.request": "nowhere", "promptci.signal": "negative"}
    log = formats.write_jsonl(tmp_path / "log.jsonl", [first, again, lost])
    with LogDatabase() as database:
        database.read([log])
        requests = database.connection.execute("select quality, signal from requests").fetchall()
        marks = database.connection.execute("select request, quality, signal from marks order by request").fetchall()
        ((read_file, times),) = database.coverage()
    assert requests == [(1.0, None)]
    assert marks == [("one", 0.0, "negative"), (None, None, "negative")]
    assert (read_file.late, times.repeated, times.unmatched) == (1, 1, 1)


def test_repeated_lines_of_parquet_are_found(tmp_path: Path) -> None:
    rows = list(formats.old_rows(formats.requests(50)))
    _, result = read(formats.write_parquet(tmp_path / "log.parquet", [*rows, rows[0]]))
    assert len(result) == 50


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    database, rows = read(empty)
    assert (rows, database.files[0].lines) == ([], 0)


def test_a_name_with_brackets_is_no_pattern(tmp_path: Path) -> None:
    logs = [formats.write_csv(tmp_path / "log[1].csv", ROWS), formats.write_jsonl(tmp_path / "log*.jsonl", ROWS)]
    formats.write_jsonl(tmp_path / "log2.jsonl", ROWS)
    assert [len(read(log)[1]) for log in logs] == [len(MADE), len(MADE)]


def test_bad_lines_of_traces_are_named(tmp_path: Path) -> None:
    log = formats.write_jsonl(tmp_path / "log.jsonl", formats.otlp_exports(formats.requests(400)))
    log.write_bytes(log.read_bytes() + b'{"resource\n')
    assert problems(log) == [(None, "line 17 is no JSON")]
