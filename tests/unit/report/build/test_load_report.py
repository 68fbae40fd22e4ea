"""A large report.json is loaded piece by piece: it is the report that it is when read at once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.report_situations import several_prompts
from support.run_notation import comparison, many, report

from promptci.errors import InputError
from promptci.redact import Redactor
from promptci.report.build import load_report
from promptci.report.build.cases.case_store import DiskCases
from promptci.report.model.report import ReportView

SECRET = "canary-4f9a8b7c6d5e3f2a"
Change = Callable[[dict[str, Any]], object]


def write_report(folder: Path, view: ReportView, change: Change | None = None) -> Path:
    value = json.loads(view.dump())
    if change is not None:
        change(value)
    path = folder / "report.json"
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return path


def load(path: Path) -> ReportView:
    """Load a report piece by piece, though it is small."""
    with path.open("rb") as file:
        view = load_report._load_large(file, "report.json", Redactor([SECRET]))
    assert view is not None
    return view


@pytest.mark.long
def test_a_report_that_is_large_is_read_piece_by_piece(tmp_path: Path) -> None:
    path = write_report(tmp_path, several_prompts())
    with path.open("a") as file:
        file.write(" " * load_report.MAX_BYTES_AT_ONCE)
    loaded = load_report.load_report(path, "report.json", Redactor())
    assert loaded == several_prompts()
    assert all(isinstance(prompt.case_details, DiskCases) for prompt in loaded.prompts)


@pytest.mark.parametrize(
    "view", [several_prompts(), report(comparison(many(right=6, broken=3)))], ids=["several", "one"]
)
def test_a_report_is_what_it_is_when_read_at_once(view: ReportView, tmp_path: Path) -> None:
    path = write_report(tmp_path, view)
    loaded = load(path)
    assert loaded == ReportView.load(path, "report.json")
    assert len(loaded.prompts) == len(view.prompts)
    assert all(isinstance(prompt.case_details, DiskCases) for prompt in loaded.prompts)


def test_a_small_report_is_in_memory(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(several_prompts().dump())
    loaded = load_report.load_report(tmp_path / "report.json", "report.json", Redactor())
    assert all(isinstance(prompt.case_details, list) for prompt in loaded.prompts)


def test_a_secret_in_a_case_does_not_get_on_the_disk(tmp_path: Path) -> None:
    def plant(value: dict[str, Any]) -> None:
        value["prompts"][0]["case_details"][0]["id"] = SECRET

    path = write_report(tmp_path, several_prompts(), plant)
    assert SECRET not in load(path).prompts[0].case_details[0].id


def test_a_text_that_reads_like_a_list_of_cases_is_none(tmp_path: Path) -> None:
    def plant(value: dict[str, Any]) -> None:
        value["notes"] = ['"case_details": [1]', '\\"case_details": [{}]']

    path = write_report(tmp_path, several_prompts(), plant)
    assert load(path) == ReportView.load(path, "report.json")


def remove_id(value: dict[str, Any]) -> None:
    value["prompts"][1]["case_details"][0].pop("id")


def rename_schema(value: dict[str, Any]) -> None:
    value["schema"] = "other/v9"


@pytest.mark.parametrize(
    ("change", "message"),
    [(remove_id, r"`id` of a case: Field required"), (rename_schema, r"report\.json")],
)
def test_what_is_no_report_is_refused(change: Change, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        load(write_report(tmp_path, several_prompts(), change))


@pytest.mark.parametrize("cut", [100, 5_000])
def test_a_report_that_ends_too_early_is_refused(cut: int, tmp_path: Path) -> None:
    path = write_report(tmp_path, several_prompts())
    path.write_text(path.read_text()[:cut])
    with pytest.raises(InputError, match="not valid JSON"):
        load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = write_report(tmp_path, several_prompts())
    with path.open("r+b") as file:
        file.seek(10)
        file.write(b"\xff")
    with pytest.raises(InputError, match="UTF-8"):
        load(path)
