"""The request log: whole lines from many processes, late marks, and nothing that reaches the application."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support import processes
from support.processes import LONGEST_S
from support.runtime_readers import ORDER, VECTORS, Reader, bundle

from promptci import runtime
from promptci.requestlog.line import parse_line

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-mini-2024-07-18",
    "system_fingerprint": "fp_44",
    "usage": {"prompt_tokens": 212, "completion_tokens": 41},
}
TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Unreadable:
    """An answer whose attributes cannot be read."""

    @property
    def model(self) -> str:
        raise RuntimeError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "bundle.json").write_text(bundle())
    return tmp_path / "log.jsonl"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_a_line_holds_what_the_canary_and_the_monitor_need(reader: Reader, log: Path) -> None:
    reader.load(str(log.parent / "bundle.json"), log=str(log))
    reader.choose(ORDER, "user-2")
    request = reader.record(answer=ANSWER, latency_ms=812, cost_usd=0.0021, tag="returns")
    reader.late(request, quality=1, signal="positive")
    first, second = lines(log)
    for line in (first, second):
        assert TIME.fullmatch(line.pop("time"))
    assert first == {
        "promptci.request": request,
        "gen_ai.prompt.name": ORDER,
        "gen_ai.prompt.version": "v1.3.0",
        "feature_flag.result.variant": "canary",
        "promptci.share": 2500,
        "promptci.unit": VECTORS["chosen"][1]["unit"],
        "promptci.bundle": reader.state()["digest"][:12],
        "promptci.latency_ms": 812,
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1",
        "promptci.system_fingerprint": "fp_44",
        "gen_ai.usage.input_tokens": 212,
        "gen_ai.usage.output_tokens": 41,
        "gen_ai.usage.cost.amount": "0.0021",
        "error.type": None,
        "promptci.tag": "returns",
    }
    assert second == {
        "promptci.request": request,
        "gen_ai.evaluation.name": "quality",
        "gen_ai.evaluation.score.value": 1,
        "promptci.signal": "positive",
    }


def test_both_languages_write_the_attributes_in_one_order(log: Path) -> None:
    source = Path(runtime.__file__).parents[1] / "javascript" / "promptci-runtime.mjs"
    pattern = re.compile(r'"((?:promptci|gen_ai|feature_flag|error)\.[\w.]+)":')
    python, javascript = (pattern.findall(path.read_text()) for path in (Path(runtime.__file__), source))
    assert sorted(python) == sorted(javascript)
    assert len(python) >= 19


@pytest.mark.parametrize(("cost", "text"), [(0.00001, "0.00001"), (3, "3"), (1e-7, "0.0000001"), ("0.10", "0.10")])
def test_money_is_decimal_text(reader: Reader, log: Path, cost: object, text: str) -> None:
    reader.load(str(log.parent / "bundle.json"), log=str(log))
    reader.choose(ORDER, "user-2")
    reader.record(cost_usd=cost)
    assert lines(log)[0]["gen_ai.usage.cost.amount"] == text


def test_a_text_from_outside_is_cut_and_stays_on_its_line(reader: Reader, log: Path) -> None:
    reader.load(str(log.parent / "bundle.json"), log=str(log))
    reader.choose(ORDER, "user-2")
    reader.record(error="line 1\nline 2 \u2028 \x00 é 🦊" + "x" * 5000, answer={**ANSWER, "id": "\ud800" * 300})
    (line,) = log.read_text().rstrip("\n").split("\n")
    assert len(json.loads(line)["error.type"]) == 100
    assert len(line.encode()) < runtime.MAX_LINE_BYTES


def test_objects_of_an_sdk_and_exceptions_are_understood(log: Path) -> None:
    prompts = runtime.Bundle(str(log.parent / "bundle.json"), log=log)
    usage = SimpleNamespace(input_tokens=5, output_tokens=0)
    prompts.choose(ORDER).record(answer=SimpleNamespace(id="msg_1", model="claude", usage=usage))
    prompts.choose(ORDER).record(error=TimeoutError("after 30 s"))
    first, second = lines(log)
    tokens = (first["gen_ai.usage.input_tokens"], first["gen_ai.usage.output_tokens"], first["gen_ai.response.id"])
    assert tokens == (5, 0, "msg_1")
    assert (second["error.type"], second["promptci.unit"]) == ("TimeoutError", None)


def test_a_full_disk_is_counted_and_said_once(reader: Reader, log: Path) -> None:
    reader.load(str(log.parent / "bundle.json"), log="/dev/full")
    for _ in range(3):
        reader.choose(ORDER, "user-2")
        request = reader.record(latency_ms=5)
    reader.late(request, quality=0)
    assert reader.state()["dropped"] == 4
    (message,) = reader.state()["troubles"]
    assert "the request log cannot be written" in message


def test_what_is_no_json_is_counted(log: Path) -> None:
    message: list[str] = []
    prompts = runtime.Bundle(str(log.parent / "bundle.json"), log=log, on_trouble=message.append)
    prompts.choose(ORDER).record(answer=Unreadable())
    prompts.late("x" * 5000)
    assert (prompts.requests.dropped, len(message), log.exists()) == (2, 1, False)


UNREADABLE = [
    {"latency_ms": "12"},
    {"latency_ms": -1},
    {"latency_ms": True},
    {"cost_usd": "12 cents"},
    {"cost_usd": -0.5},
    {"answer": {"usage": {"input_tokens": "many", "output_tokens": 1.5}}},
]


@pytest.mark.parametrize("wrong", UNREADABLE)
def test_a_value_that_no_reader_takes_costs_the_value_and_not_the_line(
    reader: Reader, log: Path, wrong: dict[str, Any]
) -> None:
    reader.load(str(log.parent / "bundle.json"), log=str(log))
    reader.choose(ORDER, "user-2")
    reader.record(**{"answer": ANSWER, "tag": "returns", **wrong})
    parse_line(log.read_text())
    assert lines(log)[0]["promptci.tag"] == "returns"
    assert reader.state()["dropped"] == 1
    assert "must not be" in reader.state()["troubles"][0]


@pytest.mark.parametrize("value", [float("inf"), float("nan"), object(), 10**30])
def test_numbers_that_json_does_not_have_are_left_out(log: Path, value: Any) -> None:
    prompts = runtime.Bundle(str(log.parent / "bundle.json"), log=log, on_trouble=lambda _: None)
    prompts.choose(ORDER).record(latency_ms=value)
    prompts.choose(ORDER).record(cost_usd=value)
    prompts.choose(ORDER).record(answer={"usage": {"input_tokens": value}})
    for line in log.read_text().splitlines():
        parse_line(line)
    assert (len(lines(log)), prompts.requests.dropped) == (3, 3)


@pytest.mark.parametrize("mark", [{"quality": 85}, {"quality": "good"}, {"quality": -0.1}, {"signal": "meh"}])
def test_a_mark_that_no_reader_takes_is_not_written(reader: Reader, log: Path, mark: dict[str, Any]) -> None:
    reader.load(str(log.parent / "bundle.json"), log=str(log))
    reader.late("request-1", **mark)
    assert (reader.state()["dropped"], log.exists()) == (1, False)
    reader.late("request-1", quality=1e-7, signal="negative")
    assert parse_line(log.read_text())


def test_without_a_log_nothing_is_written(reader: Reader, log: Path) -> None:
    reader.load(str(log.parent / "bundle.json"))
    reader.choose(ORDER, "user-2")
    assert len(reader.record(latency_ms=1)) == 16
    assert (reader.state()["dropped"], log.exists()) == (0, False)


WRITER = f"""
import sys
from promptci.runtime import Bundle
prompts = Bundle(sys.argv[1], log=sys.argv[2], refresh=1e9)
sys.stdin.read()  # all begin at once
for number in range(int(sys.argv[4])):
    use = prompts.choose("{ORDER}", f"user-{{number}}")
    use.record(tag=f"{{sys.argv[3]}}-{{number}}", error="é" * (number % 100), answer={{"id": "x" * (number % 97)}})
sys.exit(prompts.requests.dropped)
"""


def test_eight_processes_append_at_once_and_no_line_is_torn(log: Path) -> None:
    count = 400
    command = [sys.executable, "-c", WRITER, str(log.parent / "bundle.json"), str(log)]
    writers = [processes.start([*command, str(number), str(count)], stdin=subprocess.PIPE) for number in range(8)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(timeout=LONGEST_S) for writer in writers] == [0] * 8
    tags = [line["promptci.tag"] for line in lines(log)]
    assert sorted(tags) == sorted(f"{writer}-{number}" for writer in range(8) for number in range(count))


CUT = f"""
import json, resource, signal, sys
from promptci.runtime import Bundle
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
prompts = Bundle(sys.argv[1], log=sys.argv[2], refresh=1e9, on_trouble=lambda text: None)
prompts.choose("{ORDER}").record(tag="whole")
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
size = len(open(sys.argv[2], "rb").read())
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, most))
prompts.choose("{ORDER}").record(tag="cut")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
prompts.choose("{ORDER}").record(tag="after")
print(prompts.requests.dropped)
"""


def test_a_line_that_the_disk_cut_does_not_spoil_the_next(log: Path) -> None:
    command = [sys.executable, "-c", CUT, str(log.parent / "bundle.json"), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST_S)
    whole, cut, after = log.read_text().splitlines()
    assert done.stdout == "1\n"
    assert (json.loads(whole)["promptci.tag"], len(cut), json.loads(after)["promptci.tag"]) == ("whole", 50, "after")
