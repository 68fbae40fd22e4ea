"""Golden cases as TSV, XLSX and Parquet, and lists of cases within a map."""

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pytest

from promptci.errors import InputError
from promptci.goldens.load import load_goldens
from promptci.goldens.model import Case


def load(path: str, data: bytes) -> list[Case]:
    return list(load_goldens({path: data}).cases)


def problem(path: str, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        load(path, data)
    return str(caught.value.problems[0])


def xlsx(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def parquet(folder: Path, query: str) -> bytes:
    path = folder / "x.parquet"
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")
    return path.read_bytes()


def short(case: Case) -> tuple[str, dict[str, object], object, bool, int | None]:
    return case.id, dict(case.vars), case.expected, case.critical, case.line


def test_tsv_takes_tabs_whatever_else_is_in_the_header() -> None:
    (case,) = load("a.tsv", b"id\tinput, text; x\texpected\nc1\ta,b\tC\n")
    assert short(case) == ("c1", {"input, text; x": "a,b"}, "C", False, 2)


def test_rows_beyond_the_range_that_a_sheet_states_are_read() -> None:
    data = xlsx(["input", "expected"], ["a", "b"], ["c", "d"])
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as written, zipfile.ZipFile(file, "w") as changed:
        for name in written.namelist():
            changed.writestr(name, written.read(name).replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1:B2"'))
    assert [case.vars["input"] for case in load("a.xlsx", file.getvalue())] == ["a", "c"]


def test_a_sheet_is_read_as_text() -> None:
    data = xlsx(
        ["id", "input", "when", "expected", "critical", None],
        [1, "where?", date(2026, 1, 2), 4.5, True, None],
        [None, None, None, None, None, None],
        ["b", 7.0, None, "x", None, None],
    )
    assert [short(case) for case in load("a.xlsx", data)] == [
        ("1", {"input": "where?", "when": "2026-01-02T00:00:00"}, "4.5", True, 2),
        ("b", {"input": "7", "when": ""}, "x", False, 4),
    ]
    assert "looks like the reserved column `expected`" in problem("a.xlsx", xlsx(["input", "Expected"], ["a", "b"]))
    assert "the row has 2 fields and the header 1" in problem("a.xlsx", xlsx(["input"], ["a", "b"]))


def test_a_formula_counts_by_its_saved_value_only() -> None:
    (case,) = load("a.xlsx", xlsx(["input", "expected"], ["a", "=1+1"]))
    assert case.expected is None


def test_rows_of_parquet_are_cases(tmp_path: Path) -> None:
    query = (
        "select 'c' || i as id, {'input': 'q' || i} as vars, 'A' as expected, [{'type': 'contains', 'value': 'A'}]"
        " as assert from range(2) t(i)"
    )
    first, second = load("data/train-00000-of-00001.parquet", parquet(tmp_path, query))
    assert short(first) == ("c0", {"input": "q0"}, "A", False, 1)
    assert [(a.type, a.value) for a in second.assertions] == [("contains", "A")]
    plain = parquet(
        tmp_path, "select 'hi' as question, 3 as n, date '2026-01-02' as day, 1.5::decimal(4,2) as d, null as x"
    )
    (case,) = load("a.parquet", plain)
    assert dict(case.vars) == {"question": "hi", "n": 3, "day": "2026-01-02", "d": "1.50"}
    assert "has bytes, such as images" in problem("a.parquet", parquet(tmp_path, "select 'x'::blob as image"))


@pytest.mark.parametrize("path", ["a.xlsx", "a.parquet"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rubbish", b"PAR1" + b"\0" * 50 + b"PAR1", b"{}"])
def test_a_damaged_file_is_a_problem(path: str, data: bytes) -> None:
    assert problem(path, data).startswith(f"{path}: ")


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (129 * 2**20))
    assert "the file unpacks to more than 128 MiB" in problem("a.xlsx", file.getvalue())


@pytest.mark.parametrize("key", ["cases", "tests", "data", "examples", "items"])
def test_a_list_within_a_map_is_read_with_its_lines(key: str) -> None:
    text = json.dumps({"name": "x", key: [{"input": "a"}, {"input": "b"}]}, indent=1)
    assert [(dict(case.vars), case.line) for case in load("a.json", text.encode())] == [
        ({"input": "a"}, 4),
        ({"input": "b"}, 7),
    ]
    cases = load("a.yaml", f"name: x\n{key}:\n- input: a\n".encode())
    assert [(dict(case.vars), case.line) for case in cases] == [({"input": "a"}, 3)]


def test_a_map_that_says_more_is_refused() -> None:
    assert "must be a list" in problem("a.json", b'{"tests": [], "defaultTest": {"assert": []}}')


def test_a_key_in_a_sheet_is_named() -> None:
    secret = "sk-proj-" + "Ab1" * 16
    (note,) = load_goldens({"a.xlsx": xlsx(["input"], [secret])}).notes
    assert "this looks like a key" in note
