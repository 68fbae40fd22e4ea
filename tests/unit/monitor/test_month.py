"""A month's figures on the history branch: one line for each prompt, version and model, that only grows."""

from decimal import Decimal
from typing import Any

import pytest
from fakes.repo import RepoBuilder

from promptci.errors import InputError
from promptci.git.data_branch import BranchFiles, DataBranch
from promptci.monitor.document import MonitorDocument, MonitorPeriod, TrafficRow
from promptci.monitor.month import MONTHS, MonthLine, merge_months, summarize_months

PATH = "months/2026-03.jsonl"


def row(hour: str, requests: int = 10, **options: Any) -> TrafficRow:
    fields: dict[str, Any] = {
        "prompt": "order",
        "version": "v1.0.0",
        "arm": "stable",
        "request_model": "fake",
        "response_model": "fake-1",
        "errors": {"timeout": 1, "http": 2},
        "judged": 4,
        "quality_sum": 3.5,
        "quality_squares": 3.0,
        "negative": 1,
        "positive": 2,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_usd": Decimal("0.10"),
        "unknown_cost": 1,
    }
    return TrafficRow(hour=hour, requests=requests, **{**fields, **options})


def months(*rows: TrafficRow, made_at: str = "2026-04-01T00:00:00Z") -> list[MonthLine]:
    return summarize_months(
        MonitorDocument(
            made_at=made_at,
            engine="duckdb",
            period=MonitorPeriod(since=None, until=None, first=None, last=None),
            files=[],
            problems=[],
            traffic=list(rows),
            latency=[],
            models=[],
            failing=[],
            splits=[],
            coverage=[],
        )
    )


@pytest.fixture(scope="module")
def branch(tmp_path_factory: pytest.TempPathFactory) -> DataBranch:
    return DataBranch(root=RepoBuilder(tmp_path_factory.mktemp("shop")).path, name="months")


def kept(files: BranchFiles) -> list[MonthLine]:
    content = files.read(PATH) or b""
    return [MonthLine.parse(line, PATH) for line in content.splitlines()]


def test_requests_are_summed_by_month_prompt_version_and_model() -> None:
    first, second, april = months(
        row("2026-03-01T10:00:00Z"),
        row("2026-03-31T23:00:00Z", arm="canary"),
        row("2026-03-02T10:00:00Z", response_model=None),
        row("2026-04-01T00:00:00Z"),
    )
    assert (first.model, first.requests, april.month) == ("fake", 10, "2026-04")
    assert (second.model, second.requests, second.errors, second.judged) == ("fake-1", 20, 6, 8)
    assert (second.first, second.last) == ("2026-03-01T10:00:00Z", "2026-03-31T23:00:00Z")
    assert (second.quality_sum, second.cost_usd, second.unknown_cost) == (7.0, Decimal("0.20"), 2)
    assert '"cost_usd":"0.20"' in second.line().decode()


def test_a_month_only_grows_and_the_same_figures_are_no_change(branch: DataBranch) -> None:
    def add(*lines: MonthLine) -> "str | None":
        return branch.append(lambda files: merge_months(files, lines), "months")

    march = row("2026-03-01T10:00:00Z")
    assert add(*months(march)) is not None
    assert add(*months(march, made_at="2026-05-01T00:00:00Z")) is None
    assert add(*months(march.model_copy(update={"requests": 4}))) is None
    assert add(*months(march, row("2026-03-01T11:00:00Z"), row("2026-03-01T10:00:00Z", prompt="other"))) is not None
    assert [(line.prompt, line.requests) for line in kept(branch.files())] == [("order", 20), ("other", 10)]


def test_a_month_that_cannot_be_read_is_not_written_over(branch: DataBranch) -> None:
    branch.append(lambda _: {PATH: b"{}\n"}, "broken")
    with pytest.raises(InputError, match=PATH):
        merge_months(branch.files(), months(row("2026-03-01T10:00:00Z")))


def test_without_requests_nothing_is_written(branch: DataBranch) -> None:
    assert merge_months(branch.files(), []) == {}
    assert MONTHS.match(PATH)
