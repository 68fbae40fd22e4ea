import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Request, Usage
from promptci.providers.recorded import RecordingProvider, open_recording
from promptci.redact import Redactor

FULL = Completion(
    text="a\u2028b “ü” 🙂",
    usage=Usage(input_tokens=3, output_tokens=2, cached_input_tokens=1),
    latency_ms=12.5,
    model="m-2026",
    fingerprint="fp",
    finish_reason="stop",
)


class Scripted:
    """A provider that answers from a mapping of texts, and counts."""

    name = "scripted"
    concurrency = 7

    def __init__(self, answers: Mapping[str, Completion]) -> None:
        self.answers = answers
        self.calls = 0
        self.closed = False

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Answer, or fail as a provider does."""
        self.calls += 1
        text = request.messages[-1]["content"]
        if text not in self.answers:
            raise CallError("server", "broken")
        return self.answers[text]

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


def asking(text: str, **parameters: Any) -> Request:
    return Request(model="m", messages=({"role": "user", "content": text},), parameters=parameters)


async def record(path: Path, answers: Mapping[str, Completion], *, replicate: int = 0, **options: Any) -> Scripted:
    inner = Scripted(answers)
    recorder = RecordingProvider(inner, path, **options)
    for text in answers:
        await recorder.complete(asking(text), replicate=replicate)
    await recorder.aclose()
    return inner


async def test_what_was_recorded_is_answered_again_whole(tmp_path: Path) -> None:
    inner = await record(tmp_path / "a.jsonl", {"hello": FULL})
    replay = open_recording(tmp_path / "a.jsonl", shown_as="a.jsonl")

    assert await replay.complete(asking("hello"), replicate=0) == FULL
    assert inner.closed


@settings(max_examples=25)
@given(texts=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
async def test_any_text_survives_the_file(texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("r") / "a.jsonl"
    await record(path, {text: Completion(text=answer) for text, answer in texts.items()})
    replay = open_recording(path, shown_as="a.jsonl")

    for text, answer in texts.items():
        assert (await replay.complete(asking(text), replicate=0)).text == answer


async def test_another_replicate_or_parameter_is_another_request(tmp_path: Path) -> None:
    await record(tmp_path / "a.jsonl", {"hello": FULL})
    replay = open_recording(tmp_path / "a.jsonl", shown_as="a.jsonl")

    for request, replicate in ((asking("hello"), 1), (asking("hello", temperature=1), 0)):
        with pytest.raises(CallError) as caught:
            await replay.complete(request, replicate=replicate)
        assert caught.value.kind == "not-recorded"
        assert "`hello`" in caught.value.message
        assert "promptci check --record FILE" in caught.value.message


async def test_the_file_is_the_same_whatever_the_order_of_asking(tmp_path: Path) -> None:
    answers = {str(i): Completion(text=f"answer {i}") for i in range(9)}
    await record(tmp_path / "a.jsonl", answers)
    await record(tmp_path / "b.jsonl", dict(reversed(answers.items())))

    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


async def test_recording_again_replaces_its_own_and_drops_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    await record(path, {"one": Completion(text="1"), "two": Completion(text="2")})
    before = path.read_text().splitlines()
    await record(path, {"two": Completion(text="zwei")})
    after = path.read_text().splitlines()

    assert len(before) == len(after) == 2
    assert sum(a == b for a, b in zip(before, after, strict=True)) == 1
    replay = open_recording(path, shown_as="a.jsonl")
    assert (await replay.complete(asking("one"), replicate=0)).text == "1"
    assert (await replay.complete(asking("two"), replicate=0)).text == "zwei"


async def test_a_line_says_to_a_person_what_was_asked(tmp_path: Path) -> None:
    await record(tmp_path / "a.jsonl", {"hello": FULL})
    line = json.loads((tmp_path / "a.jsonl").read_text())

    assert list(line) == ["key", "replicate", "request", "completion"]
    assert line["request"] == {"model": "m", "user": "hello"}
    assert "“ü” 🙂" in (tmp_path / "a.jsonl").read_text()


async def test_a_failed_call_is_not_recorded_and_the_rest_is(tmp_path: Path) -> None:
    recorder = RecordingProvider(Scripted({"good": FULL}), tmp_path / "a.jsonl")
    await recorder.complete(asking("good"), replicate=0)
    with pytest.raises(CallError):
        await recorder.complete(asking("bad"), replicate=0)
    await recorder.aclose()

    assert (tmp_path / "a.jsonl").read_text().count("\n") == 1
    assert (recorder.name, recorder.concurrency) == ("scripted", 7)


async def test_a_secret_that_the_model_echoes_is_not_recorded(tmp_path: Path) -> None:
    answers = {"say it": Completion(text="it is canary-secret-1")}
    await record(tmp_path / "a.jsonl", answers, redactor=Redactor(["canary-secret-1"]))

    assert "canary-secret-1" not in (tmp_path / "a.jsonl").read_text()
    replay = open_recording(tmp_path / "a.jsonl", shown_as="a.jsonl")
    assert (await replay.complete(asking("say it"), replicate=0)).text == "it is [redacted]"


GOOD = {"key": "0" * 64, "replicate": 0, "request": {}, "completion": {"text": "x"}}
BAD_LINES = {
    "<<<<<<< HEAD": "not valid JSON",
    "[]": "a recorded answer is an object",
    json.dumps({**GOOD, "key": "short"}): "`key` is not the SHA-256",
    json.dumps({**GOOD, "replicate": -1}): "`replicate` is not a number",
    json.dumps({**GOOD, "completion": {}}): "`text` is missing",
    json.dumps(GOOD): "has an answer further up",
}


def test_every_bad_line_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([json.dumps(GOOD), *BAD_LINES]))

    with pytest.raises(InputError) as caught:
        open_recording(path, shown_as="answers.jsonl")

    problems = caught.value.problems
    assert [problem.line for problem in problems] == list(range(2, 2 + len(BAD_LINES)))
    for problem, words in zip(problems, BAD_LINES.values(), strict=True):
        assert words in problem.message
        assert problem.path == "answers.jsonl"


def test_a_recorder_does_not_overwrite_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("precious\n")

    with pytest.raises(InputError):
        RecordingProvider(Scripted({}), path)
    assert path.read_text() == "precious\n"
