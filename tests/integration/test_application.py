"""`kind: command`: the application itself answers, once for each revision, and whatever goes wrong is never green."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support.daily import some_daily
from support.repositories import GOLDENS, NOW, PROMPT, config, goldens, make_environment, prompt

from promptci.app.progress import PlainProgress
from promptci.app.requests import CheckRequest
from promptci.evaluation import check
from promptci.pipeline.environment import Environment, Trigger, UntrustedSource
from promptci.report.model.report import ReportView

APP = """\
import json, os, sys
for line in sys.stdin.read().splitlines():
    case = json.loads(line)
    number = case["vars"]["input"].split()[-1].rstrip("?")
    answer = {"id": case["id"], "text": ANSWER, "cost_usd": 0.001, "latency_ms": 5, "trace": ["looked up"],
              "usage": {"input_tokens": 3, "output_tokens": 2}}
    print(json.dumps(answer))
"""
RIGHT = APP.replace("ANSWER", "number")
WRONG = APP.replace("ANSWER", "'no idea'")


def settings(**provider: Any) -> str:
    program = {"kind": "command", "run": [sys.executable, "app.py"], "sources": ["app.py"], "memory_mb": 100_000}
    sections: dict[str, Any] = {"provider": {**program, **provider}, "run": {"cache": None, "memory": None}}
    return config(**sections)


def run(
    folder: Path, base: str, head: str, *, environ: dict[str, str] | None = None, trigger: Trigger | None = None,
    **provider: Any,
) -> tuple[ReportView, list[dict[str, Any]]]:  # fmt: skip
    """Check a change of the application; return the report and the journal's answers."""
    files = {"promptci.yml": settings(**provider), PROMPT: prompt("Find it."), GOLDENS: goldens(12), "app.py": base}
    builder = RepoBuilder(folder / "shop").write(files)
    builder.commit("base")
    builder.branch("pr").write({"app.py": head}).commit("head")
    env = Environment(
        environ={"PATH": "/usr/bin:/bin", **(environ or {})},
        progress=PlainProgress(lambda _: None), print=lambda _: None, now=lambda: NOW, trigger=trigger or Trigger(),
    )  # fmt: skip
    result = check.check(CheckRequest(root=builder.path, base="main", head="pr", out=folder / "out"), env)
    assert result.view is not None
    journal = folder / "out" / "journal.jsonl"
    rows = [json.loads(line) for line in journal.read_text().splitlines()[1:]] if journal.exists() else []
    return result.view, rows


def test_a_change_of_the_application_is_compared_with_what_it_replaces(tmp_path: Path) -> None:
    view, rows = run(tmp_path, RIGHT, WRONG)
    (order,) = view.prompts
    assert (view.verdict, order.change_reasons) == ("fail", ["application changed"])
    assert view.spend.usd == pytest.approx(0.024)
    assert {row["completion"]["trace"] for row in rows} == {'["looked up"]'}
    assert not list(tmp_path.glob("promptci-application-*"))


def test_a_change_elsewhere_is_no_change(tmp_path: Path) -> None:
    files = {"promptci.yml": settings(), PROMPT: prompt("Find it."), GOLDENS: goldens(2), "app.py": RIGHT}
    builder = RepoBuilder(tmp_path / "shop").write(files)
    builder.commit("base")
    builder.branch("pr").write({"README.md": "new"}).commit("head")
    env, _ = make_environment()
    result = check.check(CheckRequest(root=builder.path, base="main", head="pr", out=tmp_path / "out"), env)
    assert result.view is not None
    assert result.view.verdict == "no-change"


FAULTS = {
    "missing": ("    if case['case'] == 'c003': continue\n", "1 case without an answer: order/c003"),
    "duplicate": ("    if case['case'] == 'c003': print(json.dumps({'id': case['id'], 'text': 'x'}))\n",
                  "1 case answered more than once: order/c003"),
    "unknown": ("    print(json.dumps({'id': 'x' + case['id'], 'text': 'x'}))\n",
                "12 answers to cases that were not asked: 'x1', 'x2'"),
    "unreadable": ("    print('hello')\n", "12 lines that are no answer: line 1 (not valid JSON"),
    "a misspelt key": ("    print(json.dumps({'id': case['id'], 'txt': 'x'}))\n", "unknown key `txt`"),
    "an exit code": ("    sys.exit(3)\n", "it ended with exit code 3"),
    "a slow program": ("    import time; time.sleep(60)\n", "it was not done after 1 s"),
}  # fmt: skip


@pytest.mark.parametrize("kind", some_daily(FAULTS, 3))
def test_an_application_that_does_not_answer_as_asked_is_never_green(tmp_path: Path, kind: str) -> None:
    code, message = FAULTS[kind]
    faulty = RIGHT.replace("    number =", f"{code}    number =")
    view, _ = run(tmp_path, RIGHT, faulty, run_time="1s" if kind == "a slow program" else "60s")
    assert view.verdict == "error"
    texts = " ".join(finding.text for finding in view.problems)
    assert message in texts
    assert "the application at head" in texts


def test_the_program_gets_allowed_variables_and_its_own_revision_only(tmp_path: Path) -> None:
    spy = RIGHT.replace("ANSWER", "number").replace(
        '"trace": ["looked up"]', '"trace": [sorted(os.environ), os.environ["PROMPTCI_REVISION"], sorted(os.listdir())]'
    )
    _, rows = run(tmp_path, spy, spy + "\n", environ={"APP_KEY": "k-1", "OPENAI_API_KEY": "sk-1"}, env=["APP_KEY"])
    traces = {row["completion"]["trace"] for row in rows}
    seen = {json.loads(trace)[1]: set(json.loads(trace)[0]) for trace in traces}
    assert set(seen) == {"base", "head"}
    assert all("APP_KEY" in names and "OPENAI_API_KEY" not in names for names in seen.values())
    assert json.loads(next(iter(traces)))[2] == ["app.py", "goldens", "promptci.yml", "prompts"]


def test_secrets_in_what_the_program_prints_are_redacted(tmp_path: Path) -> None:
    loud = RIGHT.replace("    number =", "    sys.exit('failed with ' + os.environ['APP_KEY'])\n    number =")
    view, _ = run(tmp_path, RIGHT, loud, environ={"APP_KEY": "canary-4711-secret"}, env=["APP_KEY"])
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert view.verdict == "error"
    assert b"canary-4711-secret" not in written


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "fork"])
def test_it_is_refused_where_foreign_code_would_meet_secrets(tmp_path: Path, event: str) -> None:
    mark = tmp_path / "was-run"
    code = f"open({str(mark)!r}, 'w')\n{RIGHT}"
    fork = UntrustedSource(description="pull requests from forks", remedy="Review it.")
    trigger = Trigger(untrusted_source=fork) if event == "fork" else None
    view, _ = run(tmp_path, code, code + "\n", environ={"GITHUB_EVENT_NAME": event}, trigger=trigger)
    assert view.verdict == "error"
    assert "`kind: command`" in view.problems[0].text
    assert not mark.exists()


def test_a_program_that_only_the_change_names_is_not_run(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop").write({PROMPT: prompt("Find it."), GOLDENS: goldens(2), "app.py": RIGHT})
    builder.commit("base")
    builder.branch("pr").write({"promptci.yml": settings(), "app.py": WRONG}).commit("head")
    env, _ = make_environment(PATH="/usr/bin:/bin")
    result = check.check(CheckRequest(root=builder.path, base="main", head="pr", out=tmp_path / "out"), env)
    assert result.view is not None
    assert result.view.verdict == "error"
    assert "which runs a program" in result.view.problems[0].text
