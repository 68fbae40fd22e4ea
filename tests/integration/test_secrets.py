"""No secret in any byte that is written or said: a canary in every place it can come from, in six encodings."""

import base64
import html
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib import parse

import pytest
from fakes import github as fake
from fakes.openai_server import Call, OpenAIServer, Reply, completion, error, reply
from support.daily import some_daily
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, prompt, serving, shop

from promptci.action import main
from promptci.cli import main as command_line
from promptci.report.html import compressed_index

CANARY = "canary/4f9a+8b7c=6d5e&3f2a<1b0c>99"
"""Shaped like no service's key, so that it can be found by its value only, and different in every encoding."""
SHAPED = "sk-proj-CANARYabcdefghijklmnop0123456789"
"""In no variable: found by its shape."""
ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda text: parse.quote(text, safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 within a longer text": lambda text: base64.b64encode(f"key:{text}".encode()).decode(),
    "json": lambda text: json.dumps(text).replace("/", "\\/"),
    "hex": lambda text: text.encode().hex(),
}


def spellings() -> list[bytes]:
    """Return what no byte that is written may hold; of base64, the part that does not depend on its neighbours."""
    b64 = [base64.b64encode(b"\0" * shift + CANARY.encode()).decode()[4:-4] for shift in range(3)]
    plain = [CANARY, parse.quote(CANARY, safe=""), parse.quote(CANARY), html.escape(CANARY), CANARY.encode().hex()]
    escaped = [CANARY.replace("/", "\\/"), html.escape(CANARY).replace("/", "&#x2f;")]
    shortened = [CANARY[:16], parse.quote(CANARY, safe="")[:18], SHAPED[:28]]
    return [text.encode() for text in (*plain, *escaped, *b64, *shortened)]


def unpacked(page: bytes) -> bytes:
    """Return the texts that stand packed in a page."""
    result = re.findall(rb"<template[^>]*>([^<]+)</template>", page)
    return b"".join(
        json.dumps(compressed_index.unpack(packed.decode()), ensure_ascii=False).encode() for packed in result
    )


def leaks(outputs: dict[str, bytes]) -> list[str]:
    outputs = outputs | {
        f"{place}, unpacked": unpacked(page) for place, page in outputs.items() if place.endswith(".html")
    }
    return [f"{place}: {text.decode()}" for place, result in outputs.items() for text in spellings() if text in result]


def row(number: int, **options: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "vars": {"input": f"where is GH-{number}?"}, "expected": f"GH-{number}", **options}


class Stage:
    """A pull request and the endpoint it is asked of."""

    def __init__(self, folder: Path, leaked: str) -> None:
        self.folder = folder
        self.leaked = leaked
        self.before: dict[str, str] = {PROMPT: prompt(GOOD)}
        self.files: dict[str, str] = {PROMPT: prompt(BAD)}
        self.rows = [row(number) for number in range(6)]
        self.sections: dict[str, Any] = {}
        self.answer: Callable[[Call], Reply | str] = lambda call: call.last_user_message[-8:-1]

    def act(self) -> tuple[int, dict[str, bytes]]:
        """Run the Action, and give its exit code and every byte that it wrote or sent, by place."""
        out, err = io.StringIO(), io.StringIO()
        with serving(self.answer) as server, fake.GitHub() as github:
            environ = self._environ(server, github)
            code = main.main(environ, out, err)
            sent = json.dumps([exchange.body for exchange in github.exchanges], ensure_ascii=False)
        written = (path for path in self.folder.rglob("*") if path.is_file() and self._is_ours(path))
        outputs = {str(path.relative_to(self.folder)): path.read_bytes() for path in written}
        return code, {
            **outputs,
            "log": out.getvalue().encode(),
            "errors": err.getvalue().encode(),
            "sent": sent.encode(),
        }

    def _environ(self, server: OpenAIServer, github: fake.GitHub) -> dict[str, str]:
        self.sections.setdefault("run", {"concurrency": 2})
        builder = shop(self.folder, {**self.before, "promptci.yml": config(server, **self.sections)})
        base = builder.git("rev-parse", "HEAD")
        builder.write({GOLDENS: "".join(json.dumps(row) + "\n" for row in self.rows), **self.files})
        head = builder.commit()
        repo = {"full_name": fake.REPOSITORY}
        pull = {"number": 7, "base": {"sha": base, "repo": repo}, "head": {"sha": head, "repo": repo}}
        event = self.folder / "event.json"
        event.write_text(json.dumps({"pull_request": pull}))
        for name in ("output", "summary"):
            (self.folder / name).touch()
        return {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.folder),
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": fake.REPOSITORY,
            "GITHUB_API_URL": github.url,
            "GITHUB_SHA": head,
            "GITHUB_WORKSPACE": str(builder.path),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "INPUT_GITHUB-TOKEN": fake.TOKEN,
            "INPUT_API-KEY": CANARY,
        }

    def _is_ours(self, path: Path) -> bool:
        """Return whether promptci wrote it, as against what the pull request holds."""
        parts = path.relative_to(self.folder).parts
        return parts[0] != "shop" or parts[1] in {"promptci-report", ".promptci"}


def in_the_answer(stage: Stage) -> None:
    stage.answer = lambda _: f"the key is {stage.leaked}."


def in_every_field_of_the_answer(stage: Stage) -> None:
    def answered(_: Call) -> Reply:
        body = completion(f"a {stage.leaked} b", model=stage.leaked, refusal=stage.leaked)
        return reply({**body, "system_fingerprint": stage.leaked})

    stage.answer = answered


def in_an_error(stage: Stage) -> None:
    stage.answer = lambda _: error(400, f"bad request with key {stage.leaked}", code=stage.leaked)


def in_a_long_error_that_is_cut(stage: Stage) -> None:
    stage.answer = lambda _: error(400, "x" * 140 + stage.leaked + "y" * 999)


def in_an_error_that_is_no_json(stage: Stage) -> None:
    stage.answer = lambda _: Reply(status=500, body=f"<html>{stage.leaked}</html>".encode())


def in_a_malformed_answer(stage: Stage) -> None:
    stage.answer = lambda _: reply({"choices": stage.leaked, "error": {"message": stage.leaked}})


def in_an_echo_of_the_headers(stage: Stage) -> None:
    def echoed(call: Call) -> Reply:
        kept = {"Retry-After": "0", "X-Echo": parse.quote(stage.leaked, safe=""), "Content-Type": "text/plain"}
        return Reply(status=403, headers=kept, body=f"{call.headers} {stage.leaked}".encode())

    stage.answer = echoed


def in_a_golden(stage: Stage) -> None:
    options = {"expected": stage.leaked, "tags": [stage.leaked]}
    stage.rows = [row(number, **options) for number in range(6)]
    stage.rows[0] = {"id": CANARY, "vars": {"input": f"GH-1 {stage.leaked}"}, "expected": "GH-1"}
    stage.rows[1] = {"id": SHAPED, "vars": {"input": stage.leaked}, "expected": "GH-1"}


def in_a_golden_that_is_not_answered(stage: Stage) -> None:
    in_a_golden(stage)
    stage.sections = {"provider": {"kind": "recorded", "path": "none.jsonl"}}
    stage.files["none.jsonl"] = ""


def in_a_broken_golden(stage: Stage) -> None:
    stage.rows = [{"id": "a", stage.leaked: stage.leaked, "assert": [{"type": stage.leaked, "value": stage.leaked}]}]


def in_the_prompt(stage: Stage) -> None:
    name = json.dumps(f"order {CANARY} {SHAPED}")
    stage.files[PROMPT] = prompt(f"{BAD} {stage.leaked}", extra=f"name: {name}\n")
    stage.files[f"prompts/{SHAPED}.prompt.yml"] = prompt(BAD)
    stage.sections["prompts"] = {"goldens": GOLDENS}


def in_a_broken_prompt(stage: Stage) -> None:
    stage.files[PROMPT] = f"model: {json.dumps(stage.leaked)}\nmessages: {json.dumps(stage.leaked)}\n"


def in_a_broken_configuration(stage: Stage) -> None:
    stage.sections["judge"] = {stage.leaked: stage.leaked}


def in_the_judges_mouth(stage: Stage) -> None:
    stage.rows = [row(number, **{"assert": [{"type": "judge"}]}) for number in range(6)]
    stage.before["judges/kind.md"] = f"Be kind. {stage.leaked}"
    stage.sections["judge"] = {"model": "judge-1", "rubric": "judges/kind.md"}
    message = json.dumps({"reason": f"I saw {stage.leaked}", "score": 1})
    stage.answer = lambda call: message if call.body["model"] == "judge-1" else "fine"


PLACES = [
    in_the_answer,
    in_every_field_of_the_answer,
    in_an_error,
    in_a_long_error_that_is_cut,
    in_an_error_that_is_no_json,
    in_a_malformed_answer,
    in_an_echo_of_the_headers,
    in_a_golden,
    in_a_golden_that_is_not_answered,
    in_a_broken_golden,
    in_the_prompt,
    in_a_broken_prompt,
    in_a_broken_configuration,
    in_the_judges_mouth,
]
NOTHING_IS_KEPT = [in_a_malformed_answer, in_a_broken_prompt, in_an_error_that_is_no_json]
"""Of these no word gets as far as an output."""


@pytest.mark.parametrize("place", some_daily(PLACES, 6), ids=lambda place: place.__name__)
def test_out_secret_canary_all_sinks_6_encodings(place: Callable[[Stage], None], tmp_path: Path) -> None:
    leaked = " ".join([*(encode(CANARY) for encode in ENCODINGS.values()), SHAPED])
    stage = Stage(tmp_path, leaked)
    place(stage)

    code, outputs = stage.act()

    assert "Traceback" not in (outputs["log"] + outputs["errors"]).decode()
    assert code in {0, 1, 2, 4}
    assert leaks(outputs) == []
    if place not in NOTHING_IS_KEPT:
        assert any(b"[redacted]" in result for result in outputs.values())
    if place is not in_a_broken_configuration:  # which is an error before there is a report
        assert b"report.html" not in outputs["errors"]
        assert any(name.endswith("report.html") for name in outputs)


@pytest.mark.parametrize("encoding", some_daily(ENCODINGS, 3))
def test_llm_response_contains_api_key_echo(encoding: str, tmp_path: Path) -> None:
    """By itself in each encoding; the marks are made of what the model really said."""
    stage = Stage(tmp_path, ENCODINGS[encoding](CANARY))
    stage.answer = lambda call: f"{call.last_user_message[9:-1]} {stage.leaked}"
    stage.rows = [row(n, **{"assert": [{"type": "contains", "value": f"GH-{n}"}]}) for n in range(6)]

    code, outputs = stage.act()

    assert (code, leaks(outputs)) == (0, [])
    assert b"[redacted]" in outputs["shop/promptci-report/report.json"]
    assert b"[redacted]" in outputs["shop/promptci-report/journal.jsonl"]
    assert "fail" not in json.loads(outputs["shop/promptci-report/report.json"])["verdict"]
    assert CANARY.encode() not in b"".join(result for name, result in outputs.items() if "cache" in name)


def test_the_canary_would_be_seen(tmp_path: Path) -> None:
    """The search itself finds every encoding, so that an empty list says something."""
    for name, encode in ENCODINGS.items():
        assert leaks({name: f"before {encode(CANARY)} after".encode()}), name
    assert leaks({"shape": SHAPED.encode()})
    packed = compressed_index.pack([[f"an answer with {CANARY} in it"], []])
    assert leaks({"report.html": f'<template class="block">{packed}</template>'.encode()})


@pytest.mark.parametrize("words", [["check", f"--{CANARY}"], ["check", "--base", CANARY], [CANARY], ["report", CANARY]])
def test_the_command_line_does_not_repeat_a_secret(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", CANARY)
    monkeypatch.chdir(shop(tmp_path, {PROMPT: prompt(GOOD)}).path)
    with pytest.raises(SystemExit):
        command_line(words)

    message = capsys.readouterr()
    assert "[redacted]" in message.err
    assert leaks({"out": message.out.encode(), "err": message.err.encode()}) == []


def test_the_dry_run_does_not_print_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", CANARY)
    builder = shop(tmp_path, {PROMPT: prompt(GOOD, extra=f"name: 'order {CANARY}'\n"), "promptci.yml": config()})
    with pytest.raises(SystemExit):
        command_line(["run", "--dry-run", "--repo", str(builder.path)])

    message = capsys.readouterr()
    assert "[redacted]" in message.out
    assert leaks({"out": message.out.encode(), "err": message.err.encode()}) == []


def test_a_report_that_came_from_elsewhere_is_cleaned_when_it_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, CANARY)
    monkeypatch.setenv("SOME_API_KEY", "another-word-for-GH-1")
    stage.answer = lambda _: "this is another-word-for-GH-1"
    _, outputs = stage.act()
    assert b"another-word-for-GH-1" in outputs["shop/promptci-report/report.html"]
    with pytest.raises(SystemExit):
        command_line(["report", str(tmp_path / "shop/promptci-report/report.json"), "--out", str(tmp_path / "again")])

    drawn = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert "report.html" in drawn
    assert not [name for name, result in drawn.items() if b"another-word-for-GH-1" in result]
