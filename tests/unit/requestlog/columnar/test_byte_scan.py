"""The bytes of a log: every line with a number on which readers differ is found, wherever a piece of the file ends."""

import json
from pathlib import Path

import pytest
from support import canary_traffic
from support.daily import some_daily

from promptci.requestlog import python_reader, read
from promptci.requestlog.batch import WantedRequests
from promptci.requestlog.columnar import byte_scan, duckdb_reader
from promptci.requestlog.columns import Texts
from promptci.requestlog.line import parse_time

CHUNK_BYTES = 128
ODD = [
    *("9" * 19, "-" + "9" * 20, "1" * 40, "0." + "1" * 25, "1e400", "1E+400", "-1.5e999", "12e000"),
    *("NaN", "nan", "-nan", "Infinity", "-INF", "inf"),
]
USUAL = [
    *("9" * 18, "1.25", "1e40", "1e-400", "null", '"nan"', '"Infinity"', '"5ec27100"', '"1e400"', '"%s"' % ("9" * 30)),
    *('"canary"', '"n/a"', '"banana 5e1234"', "true", "[]"),
]


@pytest.mark.parametrize("value", some_daily(ODD, 5))
def test_an_odd_number_is_found_at_every_place_of_a_piece(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_scan, "CHUNK_BYTES", CHUNK_BYTES)
    path = tmp_path / "a.jsonl"
    for size in range(CHUNK_BYTES + 8):
        for separator in (": ", ":", ",", "["):
            path.write_text(f'{{"a": 1}}\n{"x" * size}{separator}{value}}}\n{{"a": 1}}\n')
            expected = byte_scan.ByteScan(3, has_tail=False, suspects=frozenset({2}))
            assert byte_scan.scan_file(path) == expected, (size, separator)


@pytest.mark.parametrize("value", USUAL)
def test_a_usual_value_is_not_doubted(value: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"a{"b" * size}":{value},"c": {value}}}\n' for size in range(8)))
    assert byte_scan.scan_file(path) == byte_scan.ByteScan(8, has_tail=False, suspects=frozenset())


@pytest.mark.parametrize("content", [b"", b"\n", b"1", b"[1\n2", b"{}\n{"])
def test_short_files_are_counted(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    has_tail = bool(content.rpartition(b"\n")[2])
    assert byte_scan.scan_file(path) == byte_scan.ByteScan(content.count(b"\n"), has_tail, frozenset())


def test_a_line_too_long_for_duckdb_is_refused_by_both_readers(tmp_path: Path) -> None:
    """DuckDB reads a file while its bytes are scanned, and stops at such a line with an error of its own."""
    path = canary_traffic.write(tmp_path / "a.jsonl", canary_traffic.traffic(300))
    path.write_bytes(path.read_bytes() + b'{"a": "' + b"x" * 5 * 2**20 + b'"}\n')
    logs = [read.load_log([path], WantedRequests(since={}), use_duckdb=use_duckdb) for use_duckdb in (True, False)]
    assert [(log.lines, log.invalid_lines) for log in logs] == [(301, 1), (301, 1)]
    assert logs[0].problems == logs[1].problems


TIMES = [
    *("2026-03-02T10:00:00.123456789Z", "2026-03-02T10:00:00.1234567Z", "2026-03-02T10:00:00.1Z"),
    *("2026-03-02T10:00:00+02Z", "2026-03-02T10:00:00.1+02:00Z", "2026-03-02T10:00:00 Z", "2026-03-02T10:00:00.1  Z"),
    *("2026-02-30T10:00:00Z", "2026-03-02T10:00:60Z", "2026-03-02T10:60:00Z", "2026-03-02T1:00:00.00Z", "infinityZ"),
    *("2026-03-02T10:00:00.Z", "2026-3-2T10:00:00.00Z", "0999-03-02T10:00:00Z", "2026-03-02T10:00:00é+02:00"),
    *("2026-03-02T23:59:59.999999+11:30", "2026-03-02 10:00:00Z", "2026-03-02T10:00Z", "9999-12-31T23:59:59.999999Z"),
]


def test_both_readers_agree_about_every_time(tmp_path: Path) -> None:
    entry = canary_traffic.runtime_entry(canary_traffic.traffic(1)[0])
    path = tmp_path / "a.jsonl"
    rows = [entry | {"promptci.request": f"r{index}", "time": time} for index, time in enumerate(TIMES)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    selection = WantedRequests(since={canary_traffic.PROMPT: -(2**62)})
    batches = [reader.read_file(path, selection, Texts()) for reader in (duckdb_reader, python_reader)]
    assert batches[0].requests.time.tolist() == batches[1].requests.time.tolist()
    assert batches[0].problems == batches[1].problems
    assert parse_time(TIMES[0]).microsecond == 123456
    assert len(batches[0].requests) > 5
