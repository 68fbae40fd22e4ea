"""Any bytes in the place of any file: a value or an error that names the file, never another exception, and in time.

Inputs are noise, and good files with a part cut out, doubled, swapped or replaced by what parsers trip over.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.report_situations import SITUATIONS

from promptci.config import load as config_load
from promptci.errors import InputError, PromptciError, UnsafeError, UsageError
from promptci.goldens import labels, quarantine
from promptci.goldens import load as goldens_load
from promptci.memory.store import Memory
from promptci.prompts import load as prompts_load
from promptci.providers import recorded
from promptci.providers.base import Completion, Request, Usage
from promptci.providers.cache import AnswerCache
from promptci.providers.http import batch
from promptci.providers.http.batch_http import BatchClient
from promptci.providers.options import ProviderOptions
from promptci.publish.github import artifact
from promptci.publish.runner import event
from promptci.redact import Redactor
from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.runs import journal
from promptci.runs.journal import Journal, JournalRun
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.shards import artifacts
from promptci.shards.shard_run import RECORD, ShardRecord

LONGEST_S = 10.0
"""Of processor time: other work of the machine is not the parser's."""
ASKED = Request(model="m", messages=({"role": "user", "content": "hi"},))
GIVEN = Completion(text="GH-1000", usage=Usage(input_tokens=3, output_tokens=1), latency_ms=12.5, model="m-1")
ANSWER = Answer(prompt="p", arm=Arm.HEAD, case_id="c", replicate=0, request_key=ASKED.key, completion=GIVEN)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One parser."""

    seed: bytes
    """A file that it reads."""
    read: Callable[[Path, bytes], object]
    """Reads bytes; the path is of a folder of its own."""
    named: str | None
    """What an error must name; None: nothing is refused."""
    refusals: tuple[type[PromptciError], ...] = (InputError,)


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _goldens(name: str) -> Callable[[Path, bytes], object]:
    return lambda _, content: goldens_load.load_goldens({name: content})


def _cache(folder: Path, content: bytes) -> object:
    put(folder, "answers-2026-01-02.jsonl", content)
    cache = AnswerCache(folder, namespace="n", secret="s" * 20, now=_noon)
    result = cache.lookup(ASKED, 0)
    assert result in (None, GIVEN)
    return result


def _noon() -> float:
    return datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp()


def _seed_of_cache(folder: Path) -> bytes:
    cache = AnswerCache(folder, namespace="n", secret="s" * 20, now=_noon)
    cache.store(ASKED, 0, GIVEN)
    cache.close()
    return (folder / "answers-2026-01-02.jsonl").read_bytes()


def _shard(folder: Path, content: bytes) -> object:
    put(folder, RECORD, content)
    put(folder, "journal.jsonl", b"")
    return artifacts.read(folder)


def _zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("report.json", content)
    return packed.getvalue()


PROMPT = b"""\
name: order
model: openai/gpt-4o-mini
modelParameters: {temperature: 0, maxTokens: 16}
messages:
  - role: system
    content: Copy the order number.
  - {role: user, content: '{{input}} {{a.b}}'}
responseFormat: json_schema
jsonSchema: '{"name": "x", "schema": {"type": "object"}}'
testData: [{input: hi, expected: '1'}]
evaluators:
  - {name: e, string: {contains: 'GH'}}
  - name: l
    llm: {modelId: m, prompt: '{{completion}}', choices: [{choice: a, score: 1}, {choice: b, score: 0}]}
"""
CONFIG = b"""\
version: 1
prompts: {include: ["prompts/**/*.prompt.yml"], goldens: "goldens/{name}.*"}
provider: {base_url: https://api.openai.com/v1, timeout: 60s, prices: {m: {input_usd: 1, output_usd: 2.5}}}
run:
  repeats: {initial: 1, on_disagreement: 3}
  concurrency: auto
  budget_usd: 2.00
  deadline: 45m
  cache: false
  batch: auto
judge: {model: m, trust: {min_kappa: 0.6}}
gate: {mode: block, max_drop: 0.05, min_quality: null}
"""
CASE = {
    "id": "c1",
    "vars": {"input": "hi", "a": {"b": 1.5}},
    "expected": "1",
    "assert": [{"type": "contains", "value": "1"}, {"type": "regex", "value": "^a+$"}],
    "tags": ["t"],
    "critical": True,
    "cluster": "k",
    "weight": 2,
}
RECORDED = ShardRecord(
    schema="promptci/shard/v1",
    promptci="0.1.0",
    index=1,
    count=3,
    kind="check",
    base="a" * 40,
    head="b" * 40,
    base_rev="main",
    head_rev="HEAD",
    config="promptci.yml",
    plan="0" * 64,
    provider="p",
    questions=0,
    journal_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
)
BATCH_CLIENT = BatchClient(ProviderOptions(), key=None, redactor=Redactor([]))
BATCHED = {"custom_id": "a-0", "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "x"}}]}}}


def _lines(*values: object) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Target]:
    folder = tmp_path_factory.mktemp("seeds")
    with Journal.open(folder / "journal.jsonl", run=JournalRun(head="a" * 40)) as book:
        book.append(ANSWER)
        book.append(ANSWER)
    written = (folder / "journal.jsonl").read_bytes()
    report = document.dump(SITUATIONS["regressed"]()).encode()
    kept = {
        "key": ASKED.key,
        "replicate": 0,
        "completion": {"text": "x", "usage": {"input_tokens": 1, "output_tokens": 1}},
    }
    return {
        "prompt": Target(
            seed=PROMPT,
            read=lambda _, c: prompts_load.load_prompt("x.prompt.yml", c, lambda _: b"text"),
            named="x.prompt.yml",
        ),
        "config": Target(
            seed=CONFIG, read=lambda _, c: config_load.load_config(c, "promptci.yml"), named="promptci.yml"
        ),
        "jsonl": Target(seed=_lines(CASE, {**CASE, "id": "c2"}), read=_goldens("g.jsonl"), named="g.jsonl"),
        "csv": Target(
            seed=b'id,input,expected,tags\r\n1,"a ""b""\nc",x,t\r\n2,b,y,\r\n', read=_goldens("g.csv"), named="g.csv"
        ),
        "yaml": Target(
            seed=b"- id: a\n  vars: {input: hi}\n  expected: 'no'\n- id: b\n  vars: {n: 1e3}\n",
            read=_goldens("g.yaml"),
            named="g.yaml",
        ),
        "labels": Target(
            seed=_lines({"id": "c1", "answer": "x", "pass": True}),
            read=lambda _, c: labels.parse_labels(c, "l.jsonl"),
            named="l.jsonl",
        ),
        "quarantine": Target(
            seed=b"- {case: a, reason: flaky, owner: Ann, until: 2026-01-02}\n",
            read=lambda _, c: quarantine.parse_quarantine(c, "q.yml"),
            named="q.yml",
        ),
        "journal": Target(seed=written, read=lambda f, c: journal.load_journal(put(f, "j.jsonl", c)), named="j.jsonl"),
        "cache": Target(seed=_seed_of_cache(folder / "cache"), read=_cache, named=None),
        "recorded": Target(
            seed=_lines(kept),
            read=lambda f, c: recorded.load_recording(put(f, "r.jsonl", c), shown_as="r.jsonl"),
            named="r.jsonl",
        ),
        "report": Target(
            seed=report,
            read=lambda _, c: ReportView.parse(c, "report.json"),
            named="report.json",
        ),
        "event": Target(
            seed=json.dumps({"pull_request": {"number": 1, "head": {"sha": "a" * 40, "repo": None}}}).encode(),
            read=_event,
            named=None,
            refusals=(UsageError,),
        ),
        "artifact": Target(
            seed=_zip(report[:2000]),
            read=lambda f, c: artifact.read_report_json(put(f, "a.zip", c)),
            named="artifact",
            refusals=(UnsafeError,),
        ),
        "shard": Target(seed=RECORDED.model_dump_json(by_alias=True).encode(), read=_shard, named=RECORD),
        "memory": Target(
            seed=_lines({"kind": "case", "day": "2026-01-02"}),
            read=lambda f, c: (put(f, "2026-01.jsonl", c), Memory(f, today=date(2026, 1, 2), label="h").read()),
            named=None,
        ),
        "batch": Target(
            seed=_lines(BATCHED, BATCHED), read=lambda _, c: list(batch._results(c, BATCH_CLIENT)), named=None
        ),
    }


def _event(folder: Path, content: bytes) -> object:
    payload = event.load_event(str(put(folder, "event.json", content)))
    for name in (*event.CHANGE_EVENTS, "schedule"):
        event.is_outside(name, payload)
        event.is_labelled(name, payload, "x")
        with suppress(UsageError):
            event.get_commits(name, payload, "a" * 40)
    return event.get_pull_request_number(payload), event.get_branch(payload, "base")


NAMES = (
    "prompt", "config", "jsonl", "csv", "yaml", "labels", "quarantine", "journal", "cache", "recorded", "report",
    "event", "artifact", "shard", "memory", "batch",
)  # fmt: skip
TOKENS = st.sampled_from(
    [
        *(
            b" \0 \xff \xef\xbb\xbf [ ] { } \" ' : , ? - # ~ null true 1e999 NaN -Infinity \\ud800 0x1F 1:30 2026-99-99"
        ).split(b" "),
        *(b"../ %n%s =cmd| \xed\xa0\x80 \xe2\x80\xae \xe2\x80\x8b \x1b[31m <<:*a !!python/object:os.system").split(
            b" "
        ),
        *(b"\r\n", b"\n", b"|\n", b"&a ", b"*a ", b"<<: *a", b"- - - - ", b"1" * 400, b"[" * 3000, b'{"a":' * 500),
    ]
)


@st.composite
def spoilt(draw: st.DrawFn, seed: bytes) -> bytes:
    """Return a good file with up to four changes."""
    content = seed
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 2, 5, 20, 200])))
        match draw(st.integers(0, 3)):
            case 0:
                content = content[:start] + draw(TOKENS) + content[end:]
            case 1:
                content = content[:start] + content[end:]
            case 2:
                content = content[:end] + content[start:end] * draw(st.integers(1, 50)) + content[end:]
            case _:
                content = content[:start] + draw(st.binary(max_size=12)) + content[end:]
    return content


def fuzz(target: Target, folder: Path, content: bytes) -> None:
    began = time.process_time()
    message = target.named or ""
    try:
        target.read(folder, content)
    except target.refusals as refused:
        message = str(refused)
    assert target.named is None or target.named in message
    message.encode()
    assert time.process_time() - began < LONGEST_S


def run(target: Target, folder: Path, count: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

    @settings(max_examples=count, suppress_health_check=checks, database=None)
    @given(content=st.one_of(st.binary(max_size=200), *[spoilt(target.seed)] * 6))
    def examples(content: bytes) -> None:
        fuzz(target, folder, content)

    examples()


def test_the_seeds_are_read(targets: Mapping[str, Target], tmp_path: Path) -> None:
    assert tuple(targets) == NAMES
    for name, target in targets.items():
        (folder := tmp_path / name).mkdir()
        assert target.read(folder, target.seed), name


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_are_read_or_refused(name: str, targets: Mapping[str, Target], tmp_path: Path) -> None:
    run(targets[name], tmp_path, 25)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of an example that failed; it is to be seen
@pytest.mark.parametrize("name", NAMES)
def test_many_bytes_are_read_or_refused(name: str, targets: Mapping[str, Target], tmp_path: Path) -> None:
    run(targets[name], tmp_path, 500)
