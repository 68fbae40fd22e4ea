"""DataFrames of reports, of the memory and of the history branch: rows, columns, types, and files that are damaged."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from fakes.repo import RepoBuilder
from support import report_situations
from support.memory_records import feedback, memory, verdict

from promptci import frames
from promptci.errors import InputError, UsageError
from promptci.git.data_branch import DataBranch
from promptci.report.model.document import serialize


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(serialize(report_situations.several_prompts()).text)
    return path


def test_a_row_for_each_answer_of_each_case(report: Path) -> None:
    view = report_situations.several_prompts()
    cases = frames.load_cases(report)
    details = [case for prompt in view.prompts for case in prompt.case_details]
    assert len(cases) == sum((case.base is not None) + (case.head is not None) for case in details)
    assert set(cases["version"]) == {"base", "head"}
    broken = cases[(cases["prompt"] == "order-extractor") & (cases["outcome"] == "broken")]
    assert broken.groupby("version")["passed"].mean().to_dict() == {"base": 1.0, "head": 0.0}


def test_the_means_of_the_cases_are_the_qualities_of_the_prompts(report: Path) -> None:
    cases, prompts = frames.load_cases(report), frames.load_prompts(report).set_index("prompt")
    means = cases.pivot_table(index="prompt", columns="version", values="pass_rate")
    assert means.loc["review-sentiment", "head"] == pytest.approx(prompts.loc["review-sentiment", "head"])
    assert list(prompts.columns)[:3] == ["path", "status", "verdict"]
    assert prompts["verdict"].tolist()[:3] == ["fail", "fail", "inconclusive"]


def test_a_report_without_prompts_has_all_columns_and_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(serialize(report_situations.no_prompts_changed()).text)
    assert frames.load_cases(path).empty
    assert "latency_ms" in frames.load_cases(path)


def test_a_file_that_is_no_report_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match=r"other\.json"):
        frames.load_cases(tmp_path / "other.json")


def test_verdicts_carry_what_people_said(tmp_path: Path) -> None:
    memory(tmp_path / "kept").append([verdict("a"), verdict("b"), feedback("a", "incorrect")])
    verdicts = frames.load_verdicts(tmp_path / "kept").set_index("id")
    assert verdicts.loc["a", "label"] == "incorrect"
    assert verdicts.loc["b", "label"] is pd.NA
    assert isinstance(verdicts["at"].dtype, pd.DatetimeTZDtype)


def test_no_memory_is_an_empty_frame(tmp_path: Path) -> None:
    assert frames.load_verdicts(tmp_path / "nothing").empty


@pytest.fixture
def repository(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "repository")
    builder.write({"README.md": "x"}).commit()
    return builder


def _add(builder: RepoBuilder, files: dict[str, bytes]) -> None:
    DataBranch(root=builder.path).append(lambda _: files, "add lines")


def test_records_of_one_kind_in_the_order_of_their_files(repository: RepoBuilder) -> None:
    lines = [json.dumps({"at": f"2026-03-0{day}T03:00:00Z", "n": day}).encode() + b"\n" for day in (1, 2, 3)]
    _add(repository, {"nights/2026/03-02.jsonl": lines[1] + lines[2], "nights/2026/03-01.jsonl": lines[0]})
    _add(repository, {"alerts/2026-03.jsonl": b'{"at": "2026-03-01T00:00:00Z"}\n'})
    nights = frames.load_history("nights", repository.path)
    assert nights["n"].tolist() == [1, 2, 3]
    assert nights["at"].iloc[0] == datetime(2026, 3, 1, 3, tzinfo=UTC)


def test_compressed_records_are_read(repository: RepoBuilder) -> None:
    _add(repository, {"answers/2026/03-01.jsonl.gz": gzip.compress(b'{"n": 1}\n{"n": 2}\n')})
    assert frames.load_history("answers", repository.path)["n"].tolist() == [1, 2]


@pytest.mark.parametrize("content", [b"junk", gzip.compress(b'{"n": 1}\n', mtime=0)[:-6], b""])
def test_a_damaged_compressed_file_is_named(repository: RepoBuilder, content: bytes) -> None:
    _add(repository, {"answers/2026/03-01.jsonl.gz": content})
    with pytest.raises(InputError, match=r"answers/2026/03-01\.jsonl\.gz"):
        frames.load_history("answers", repository.path)


@pytest.mark.parametrize("line", [b"[1]", b"{", b'"text"'])
def test_a_line_that_is_no_object_is_named(repository: RepoBuilder, line: bytes) -> None:
    _add(repository, {"alerts/2026-03.jsonl": b'{"n": 1}\n' + line + b"\n"})
    with pytest.raises(InputError, match=r"alerts/2026-03\.jsonl:2: "):
        frames.load_history("alerts", repository.path)


def test_a_kind_that_there_is_not_is_no_empty_frame(repository: RepoBuilder) -> None:
    with pytest.raises(UsageError, match="no kind `night`"):
        frames.load_history("night", repository.path)


def test_no_branch_is_an_empty_frame(repository: RepoBuilder) -> None:
    assert frames.load_history("nights", repository.path).empty
