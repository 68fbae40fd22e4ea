"""Every output is written whole, and the same run gives the same bytes on any machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.daily import some_daily
from support.report_outputs import render_output
from support.report_situations import SITUATIONS

from promptci import second_process
from promptci.errors import OutputError
from promptci.report import write
from promptci.report.model import document
from promptci.report.model.report import ReportView

TESTS = Path(__file__).parents[2]
PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from support.report_outputs import render_output
from support.report_situations import SITUATIONS
from promptci.report.write import OUTPUTS
for situation in ("several_prompts", "hostile_text"):
    for name in OUTPUTS:
        text = render_output(name, SITUATIONS[situation]())
        print(situation, name, hashlib.sha256(text.encode("utf-8", errors="backslashreplace")).hexdigest())
"""


def test_every_output_is_written_into_the_folder(tmp_path: Path) -> None:
    paths = write.write_all(document.serialize(SITUATIONS["regressed"]()), tmp_path / "new" / "out")
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(write.OUTPUTS)
    named = (paths.html, paths.comment, paths.summary, paths.json, paths.junit, paths.csv, paths.sarif)
    assert set(paths.all) == set(named)
    for path in paths.all:
        assert path.read_bytes().decode() == render_output(path.name, SITUATIONS["regressed"]())


def test_a_page_that_cannot_be_written_is_an_error_and_leaves_the_run_incomplete(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match="the report cannot be written"):
        write.write_all(document.serialize(SITUATIONS["regressed"]()), tmp_path)
    assert not (tmp_path / "report.json").exists()


def test_a_report_can_be_drawn_again_from_its_json(tmp_path: Path) -> None:
    first = write.write_all(document.serialize(SITUATIONS["several_prompts"]()), tmp_path / "first")
    view = ReportView.load(first.json)
    second = write.write_all(document.serialize(view), tmp_path / "second")
    assert [path.read_bytes() for path in first.all] == [path.read_bytes() for path in second.all]


@pytest.mark.parametrize("situation", some_daily(SITUATIONS, 10))
def test_every_output_of_every_situation_is_valid_utf8(situation: str, tmp_path: Path) -> None:
    for path in write.write_all(document.serialize(SITUATIONS[situation]()), tmp_path).all:
        path.read_bytes().decode("utf-8")
    json.loads((tmp_path / "report.json").read_bytes())


SHARED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from support.report_situations import SITUATIONS
from promptci import second_process
from promptci.report import write
from promptci.report.model import document
os.sched_getaffinity = lambda _: {0, 1}
write.MIN_SHARED_CASES = 0
fork, forks = os.fork, []
os.fork = lambda: forks.append(1) or fork()
for cores in ({0, 1}, {0}):  # in this order: a thread that has ended may be there for a moment
    for name in sys.argv[3:]:
        os.sched_getaffinity = lambda _: cores
        write.write_all(document.serialize(SITUATIONS[name]()), Path(sys.argv[2], name, str(len(cores))))
print(len(forks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all work is done in one process")
def test_two_processes_write_the_bytes_of_one(tmp_path: Path) -> None:
    names = ["regressed", "several_prompts", "hostile_text"]
    program = [sys.executable, "-c", SHARED, str(TESTS), str(tmp_path), *names]
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # numpy, which the situations import, would start threads
    forks = subprocess.run(program, env=environ, capture_output=True, text=True, check=True).stdout
    assert int(forks) == len(names)
    for name in names:
        alone, shared = (
            {file.name: file.read_bytes() for file in (tmp_path / name / cores).iterdir()} for cores in ("1", "2")
        )
        assert alone == shared


def test_a_page_is_rendered_here_where_the_second_process_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(write, "MIN_SHARED_CASES", 0)
    monkeypatch.setattr(second_process, "is_available", lambda: True)
    monkeypatch.setattr(second_process.SecondProcess, "_begin", lambda *_: None)
    paths = write.write_all(document.serialize(SITUATIONS["regressed"]()), tmp_path)
    assert paths.html.read_text() == render_output("report.html", SITUATIONS["regressed"]())


def digests(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(TESTS)],
        env={**{k: v for k, v in os.environ.items() if k in ("PATH", "HOME")}, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_bytes_do_not_depend_on_hash_seed_time_zone_or_language() -> None:
    first = digests(PYTHONHASHSEED="0", TZ="UTC", LANG="C")
    other = digests(PYTHONHASHSEED="4711", TZ="Asia/Kathmandu", LANG="de_DE.UTF-8", LC_ALL="C.UTF-8")
    assert first == other
    assert first.count("\n") == 2 * len(write.OUTPUTS)
