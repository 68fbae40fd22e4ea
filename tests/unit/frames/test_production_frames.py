"""DataFrames of the request log and of monitor.json."""

from pathlib import Path

import pandas as pd
import pytest
from support import log_formats as formats
from support.monitor_traffic import latency, monitor, traffic

from promptci import frames
from promptci.errors import InputError, UsageError

MADE = formats.requests(300)
BY_ID = {each.id: each for each in MADE}


@pytest.mark.parametrize("shape", ["marks of their own", "marks inside, other names"])
def test_each_request_is_a_row_with_what_became_known_later(tmp_path: Path, shape: str) -> None:
    rows = formats.promptci_rows(MADE) if shape == "marks of their own" else formats.old_rows(MADE)
    log = frames.load_log(formats.write_jsonl(tmp_path / "log.jsonl", rows)).set_index("request")
    assert sorted(log.index) == sorted(BY_ID)
    for name in ("quality", "signal", "error", "prompt", "arm", "share", "response_model", "output_tokens", "tag"):
        expected = [getattr(BY_ID[request], name) for request in log.index]
        assert [None if pd.isna(value) else value for value in log[name]] == expected, name
    costs = [BY_ID[request].cost_usd for request in log.index]
    assert [None if pd.isna(value) else f"{value:.6f}" for value in log["cost_usd"]] == costs
    assert list(log["time"]) == sorted(each.time for each in MADE)


def test_the_first_of_several_marks_counts(tmp_path: Path) -> None:
    marks = [
        {"time": f"2026-03-03T0{hour}:00:00Z", "promptci.request": MADE[0].id, "gen_ai.evaluation.score.value": score}
        for hour, score in ((5, 0), (4, 0.5), (6, 1))
    ]
    rows = [*(row for row in formats.promptci_rows(MADE[:1]) if "gen_ai.prompt.name" in row), *marks]
    log = frames.load_log(formats.write_jsonl(tmp_path / "log.jsonl", rows))
    assert log["quality"].tolist() == [0.5]


def test_several_files_and_own_names(tmp_path: Path) -> None:
    kept = ("gen_ai.prompt.name", "gen_ai.prompt.version", "feature_flag.result.variant")
    whole = [row for row in formats.promptci_rows(MADE[:3]) if "gen_ai.prompt.name" in row]
    own = [{"at": row["time"], "n": row["promptci.request"], **{name: row[name] for name in kept}} for row in whole]
    for number, row in enumerate(own):
        formats.write_jsonl(tmp_path / f"{number}.jsonl", [row])
    log = frames.load_log(str(tmp_path / "*.jsonl"), {"time": "at", "id": "n"})
    assert log["request"].tolist() == [each.id for each in MADE[:3]]


def test_a_log_with_too_many_bad_lines_is_refused(tmp_path: Path) -> None:
    log = formats.write_jsonl(tmp_path / "log.jsonl", formats.promptci_rows(MADE))
    log.write_text(log.read_text() + "{broken\n" * 20)
    with pytest.raises(InputError, match="over 1%"):
        frames.load_log(log)


def test_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No file matches"):
        frames.load_log(str(tmp_path / "*.jsonl"))


def test_a_table_of_the_monitor(tmp_path: Path) -> None:
    path = tmp_path / "monitor.json"
    path.write_text(monitor([traffic(2, requests=10, good=9, cents=5), traffic(1, errors=3)], [latency(0, 800)]).dump())
    table = frames.load_monitor(path)
    assert table["requests"].tolist() == [10, 200]
    assert table["cost_usd"].tolist() == [0.05, 1.0]
    assert table["errors"].tolist() == [{}, {"429": 3}]
    assert isinstance(table["hour"].dtype, pd.DatetimeTZDtype)
    assert sum(frames.load_monitor(path, "latency")["bins"].iloc[0].values()) == 2000
    assert frames.load_monitor(path, "splits").empty


def test_a_table_that_no_monitor_has(tmp_path: Path) -> None:
    path = tmp_path / "monitor.json"
    path.write_text(monitor([]).dump())
    with pytest.raises(UsageError, match="no table `made_at`"):
        frames.load_monitor(path, "made_at")  # type: ignore[arg-type]
