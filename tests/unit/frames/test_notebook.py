"""The example notebook runs in a repository with a report, a memory and nights, and shows what it says."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support import report_situations
from support.memory_records import feedback, memory, verdict
from support.monitor_traffic import monitor, traffic

from promptci.git.data_branch import DataBranch
from promptci.report.model.document import serialize

NOTEBOOK = Path(__file__).parents[3] / "docs/notebooks/prompts-in-numbers.ipynb"
NIGHT = b'{"at": "2026-03-0%dT03:00:00Z", "prompt": "order-extractor", "marks": "1101", "quality": 0.75}\n'
OUTAGE = b'{"at": "2026-03-03T03:00:00Z", "prompt": "order-extractor", "marks": "----", "verdict": "outage"}\n'


def run_cells() -> dict[str, Any]:
    """Run the code cells one after another, as a kernel does; return the names that they leave."""
    names: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102 - the notebook is ours
    return names


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "repository")
    builder.write({"README.md": "x"}).commit()
    monkeypatch.chdir(builder.path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    (builder.path / "promptci-report").mkdir()
    (builder.path / "promptci-report/report.json").write_text(serialize(report_situations.regressed()).text)
    return builder


def test_it_runs_with_all_data(repository: RepoBuilder) -> None:
    memory(Path(".promptci/memory")).append([verdict("a"), feedback("a", "incorrect")])
    Path("promptci-report/monitor.json").write_text(
        monitor([traffic(2, requests=10, good=9), traffic(1, requests=10)]).dump()
    )
    nights = {f"nights/2026/03-0{day}.jsonl": NIGHT % day for day in (1, 2)}
    nights["nights/2026/03-03.jsonl"] = OUTAGE
    DataBranch(root=repository.path).append(lambda _: nights, "add nights")
    names = run_cells()
    assert set(names["broken"]["outcome"]) == {"broken"}
    assert names["labelled"]["label"].tolist() == ["incorrect"]
    assert names["axes"].lines[0].get_ydata().tolist() == [0.75, 0.75]  # missing answers are not wrong ones
    assert names["production"]["quality"].tolist() == [0.95]


@pytest.mark.usefixtures("repository")
def test_it_runs_without_memory_and_nights() -> None:
    names = run_cells()
    assert names["labelled"].empty
    assert names["nights"].empty
    assert "production" not in names


def test_it_is_stored_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
