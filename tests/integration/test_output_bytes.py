"""The bytes that go out: the same for the same run, always valid UTF-8, and nothing that a terminal obeys."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import github as fake
from fakes.openai_server import completion, reply
from fakes.repo import RepoBuilder
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

from promptci.action import main

ESCAPES = "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07click\x1b]8;;\x07 \x1b]0;title\x1b\\ \x9b2J \x07\x08\x7f"
ROUND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from support import repositories
from promptci.evaluation import check
from promptci.app.requests import CheckRequest
check.check(CheckRequest(root=Path(sys.argv[2]), out=Path(sys.argv[3])), repositories.make_environment()[0])
"""
WORLDS = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LANG": "C.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
]


def act(builder: RepoBuilder, folder: Path) -> tuple[int, dict[str, bytes]]:
    """Run the Action with logs that take only valid text, and give everything that it wrote."""
    base, head = (builder.git("rev-parse", rev) for rev in ("main", "HEAD"))
    repo = {"full_name": fake.REPOSITORY}
    pull = {"number": 7, "base": {"sha": base, "repo": repo}, "head": {"sha": head, "repo": repo}}
    (folder / "event.json").write_text(json.dumps({"pull_request": pull}))
    logs = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict") for _ in range(2)]
    with fake.GitHub() as github:
        environ = {
            "PATH": os.environ["PATH"],
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": fake.REPOSITORY,
            "GITHUB_API_URL": github.url,
            "GITHUB_SHA": head,
            "GITHUB_WORKSPACE": str(builder.path),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "INPUT_GITHUB-TOKEN": fake.TOKEN,
        }
        code = main.main(environ, *logs)
        outputs = {f"comment {n}": body.encode() for n, body in enumerate(github.bodies)}
    for name, log in zip(("log", "errors"), logs, strict=True):
        log.flush()
        outputs[name] = log.buffer.getvalue()
    files = [folder / "output", folder / "summary", *(builder.path / "promptci-report").iterdir()]
    return code, outputs | {path.name: path.read_bytes() for path in files}


@pytest.fixture
def hostile(tmp_path: Path) -> RepoBuilder:
    """A pull request whose texts hold what a terminal obeys."""
    rows = [
        {"id": f"c{n}", "vars": {"input": f"GH-{n} {ESCAPES}"}, "expected": ESCAPES, "tags": [ESCAPES]}
        for n in range(4)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: text})


def propose(builder: RepoBuilder, settings: str, text: str) -> None:
    """Put the configuration where it is read, and a change of the prompt on top."""
    builder.git("switch", "--quiet", "main")
    builder.write({"promptci.yml": settings}).commit()
    builder.git("switch", "--quiet", "--force-create", "pr")
    builder.write({PROMPT: text}).commit()


def test_out_ansi_escape_and_osc8_hyperlinks(hostile: RepoBuilder, tmp_path: Path) -> None:
    with serving(lambda _: f"{ESCAPES} and on") as server:
        propose(hostile, config(server), prompt(f"{BAD} {ESCAPES}"))
        _, outputs = act(hostile, tmp_path)

    for name in ("log", "errors", "summary", "output", "comment 0", "comment.md", "report.html", "junit.xml"):
        text = outputs[name].decode()
        assert not [sign for sign in "\x1b\x07\x08\x7f\x9b" if sign in text], name
    assert b"evil.example" not in outputs["log"] + outputs["errors"]


def test_out_ansi_escapes_in_a_mistake_are_not_repeated(tmp_path: Path) -> None:
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": config()})
    builder.write({GOLDENS: json.dumps({"id": "a", ESCAPES: 1}) + "\n"}).commit()
    code, outputs = act(builder, tmp_path)

    assert code == 4
    assert not [sign for sign in "\x1b\x07\x08\x7f\x9b" if sign in (outputs["log"] + outputs["errors"]).decode()]


def test_out_lone_surrogate_and_control_chars(hostile: RepoBuilder, tmp_path: Path) -> None:
    message = f"half \ud800 of a pair, \udfff\x00\x01\x0b\ufffe\u2028{ESCAPES}"
    body = completion(message, model="m\udc80", refusal="\ud800")
    with serving(lambda _: reply({**body, "system_fingerprint": "\ud8ff"})) as server:
        propose(hostile, config(server), prompt(BAD))
        code, outputs = act(hostile, tmp_path)

    assert b"Traceback" not in outputs["errors"]
    assert code in {0, 1, 4}
    assert {"report.html", "report.json", "comment.md", "summary.md", "junit.xml", "journal.jsonl"} <= outputs.keys()
    for name, result in outputs.items():
        text = result.decode("utf-8")
        assert "\0" not in text, name
        if name != "report.json" and not name.endswith("jsonl"):
            assert not [sign for sign in text if ord(sign) < 32 and sign not in "\t\n\r"], name


@pytest.mark.long
def test_out_deterministic_bytes_twice(tmp_path: Path) -> None:
    """The same commits and the same answers make the same files, whatever the machine's habits are."""
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(40)}, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        recorded = [sys.executable, "-m", "promptci", "check", "--record", str(tmp_path / "answers.jsonl")]
        subprocess.run(
            [*recorded, "--out", str(tmp_path / "first")], cwd=builder.path, check=False, capture_output=True
        )
    builder.git("switch", "--quiet", "main")
    answers = (tmp_path / "answers.jsonl").read_text()
    settings = config(provider={"kind": "recorded", "path": "answers.jsonl"}, run={"memory": None})
    builder.write({"promptci.yml": settings, "answers.jsonl": answers}).commit()  # a memory is what other runs left
    builder.git("switch", "--quiet", "pr")
    builder.git("rebase", "--quiet", "main")
    results = []
    for number, world in enumerate(WORLDS):
        out = tmp_path / f"out-{number}"
        environ = {name: value for name, value in os.environ.items() if name not in {"LANG", "LC_ALL", "TZ"}} | world
        words = [sys.executable, "-c", ROUND, str(Path(__file__).parents[1]), str(builder.path), str(out)]
        subprocess.run(words, env=environ, check=True, capture_output=True)
        results.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})

    assert {"report.html", "comment.md", "summary.md", "report.json", "junit.xml"} <= results[0].keys()
    assert b'"verdict": "fail"' in results[0]["report.json"]
    for name, result in results[0].items():
        if name != "journal.jsonl":  # in the order in which answers came
            assert [each[name] == result for each in results] == [True] * len(WORLDS), name
