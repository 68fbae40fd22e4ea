"""The embedded model itself: real weights, real answers."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.daily import first_daily
from support.processes import LONGEST_S

from promptci.errors import ProviderError
from promptci.providers.base import CallError, Completion, Request, make_embedding_request
from promptci.providers.local import model_file
from promptci.providers.local.provider import LocalModel
from promptci.scoring.embedding_similarity import cosine_similarity

pytestmark = pytest.mark.model

PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def file() -> Path:
    try:
        return model_file.find_model_file(os.environ, model_file.cache_home(os.environ))
    except ProviderError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def model(file: Path) -> Iterator[LocalModel]:
    model = LocalModel(file)
    yield model
    asyncio.run(model.aclose())


def asking(text: str, response_format: dict[str, Any] | None = None, **parameters: Any) -> Request:
    turns = ({"role": "user", "content": text},)
    return Request(model="any name", messages=turns, parameters=parameters, response_format=response_format)


def get_reply(completion: Completion) -> tuple[str, object, str | None]:
    return completion.text, completion.usage, completion.finish_reason


async def test_it_answers_with_its_name_tokens_and_time(model: LocalModel) -> None:
    answer = await model.complete(asking("Say hello to Ann.", max_tokens=12), replicate=0)

    assert answer.text
    assert answer.usage is not None
    assert 0 < answer.usage.output_tokens <= 12
    assert answer.usage.input_tokens > 5
    assert answer.latency_ms is not None
    assert answer.latency_ms > 1
    assert answer.model == "SmolLM2-135M-Instruct-Q4_1"


async def test_equal_requests_get_equal_answers_whatever_was_asked_before(model: LocalModel) -> None:
    asia, africa = asking("Name a river in Asia.", max_tokens=16), asking("Name a river in Africa.", max_tokens=16)
    first = [get_reply(await model.complete(request, replicate=0)) for request in (asia, africa)]
    again = [get_reply(await model.complete(request, replicate=0)) for request in (africa, asia)]

    assert first == again[::-1]


@pytest.mark.long
async def test_replicates_of_a_random_request_differ_and_each_repeats(model: LocalModel) -> None:
    request = asking("Write a line of a poem.", max_tokens=16, temperature=1.5)
    first = [get_reply(await model.complete(request, replicate=i)) for i in range(3)]
    again = [get_reply(await model.complete(request, replicate=i)) for i in range(3)]

    assert first == again
    assert len({text for text, _, _ in first}) > 1


async def test_a_schema_is_kept_to(model: LocalModel) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
    answer = await model.complete(asking("Ann is 31 years old. How old is she?", schema), replicate=0)

    assert list(json.loads(answer.text)) == ["age"]


async def test_the_event_loop_runs_on_while_it_thinks(model: LocalModel) -> None:
    await model.complete(asking("hi", max_tokens=1), replicate=0)  # loads the weights
    task = asyncio.create_task(model.complete(asking("Count to a hundred.", max_tokens=40), replicate=0))
    ticks = 0
    while not task.done():
        await asyncio.sleep(0.01)
        ticks += 1

    assert ticks > 10


@pytest.mark.long
async def test_calls_at_once_get_the_answers_of_calls_alone(model: LocalModel) -> None:
    requests = [asking(f"Name fruit number {i}.", max_tokens=8) for i in range(3)]
    together = await asyncio.gather(*(model.complete(request, replicate=0) for request in requests))
    alone = [await model.complete(request, replicate=0) for request in requests]

    assert [get_reply(answer) for answer in together] == [get_reply(answer) for answer in alone]


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (asking("word " * 5000), "context-length"),
        (asking("hi", max_tokens="many"), "bad-request"),
        (asking("hi", n=2), "bad-request"),
        (asking("hi", {"type": "json_schema", "json_schema": {"schema": {"type": "no-such"}}}), "bad-request"),
        (Request(model="m", messages=({"role": "user"},)), "bad-request"),
    ],
)
async def test_what_it_cannot_do_is_a_failed_call(model: LocalModel, request_: Request, kind: str) -> None:
    with pytest.raises(CallError) as caught:
        await model.complete(request_, replicate=0)

    assert (caught.value.kind, caught.value.fatal) == (kind, False)
    assert (await model.complete(asking("hi", max_tokens=2), replicate=0)).text


async def test_embeddings_repeat_beside_answers_and_tell_texts_apart(model: LocalModel) -> None:
    texts = ("Your parcel comes on Tuesday.", "The package gets there Tuesday.", "I like bananas with yoghurt.")
    first = [await model.complete(make_embedding_request("any name", text), replicate=0) for text in texts]
    await model.complete(asking("hi", max_tokens=2), replicate=0)
    again = [await model.complete(make_embedding_request("any name", text), replicate=0) for text in reversed(texts)]
    embedding, near, far = (json.loads(answer.text) for answer in first)
    paraphrase, stranger = cosine_similarity(embedding, near), cosine_similarity(embedding, far)

    assert [answer.text for answer in first] == [answer.text for answer in again[::-1]]
    assert paraphrase is not None
    assert stranger is not None
    assert paraphrase > stranger + 0.1
    assert first[0].model == "SmolLM2-135M-Instruct-Q4_1"
    assert first[0].usage is not None
    assert (first[0].usage.input_tokens > 3, first[0].usage.output_tokens) == (True, 0)


@pytest.mark.parametrize(("text", "kind"), [("word " * 3000, "context-length"), ("", "bad-request")])
async def test_a_text_of_which_it_gives_no_vector_is_a_failed_call(model: LocalModel, text: str, kind: str) -> None:
    with pytest.raises(CallError) as caught:
        await model.complete(make_embedding_request("any name", text), replicate=0)

    assert (caught.value.kind, caught.value.fatal) == (kind, False)


async def test_a_cancelled_call_stops_thinking(model: LocalModel) -> None:
    await model.complete(asking("hi", max_tokens=1), replicate=0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await model.complete(asking("Tell a long story.", max_tokens=3000), replicate=0)
    started = time.process_time()
    await model.complete(asking("hi", max_tokens=1), replicate=0)

    assert time.process_time() - started < 10  # 3,000 tokens would take most of a minute


@pytest.mark.long
async def test_a_call_that_takes_too_long_is_a_time_out(file: Path) -> None:
    model = LocalModel(file, timeout_s=0.3)
    try:
        with pytest.raises(CallError) as caught:
            await model.complete(asking("Tell a long story.", max_tokens=3000), replicate=0)
    finally:
        await model.aclose()

    assert caught.value.kind == "timeout"


async def test_a_file_that_is_no_model_ends_the_run_with_advice(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF and then nothing" * 99)
    model = LocalModel(tmp_path / "bad.gguf")
    try:
        with pytest.raises(CallError, match="is damaged") as caught:
            await model.complete(asking("hi"), replicate=0)
    finally:
        await model.aclose()

    assert caught.value.fatal


PROGRAM = """
import asyncio, sys
from pathlib import Path
from promptci.providers.base import Request
from promptci.providers.local.provider import LocalModel

async def main():
    model = LocalModel(Path(sys.argv[1]))
    await model.complete(Request(model="", messages=({"role": "user", "content": "hi"},)), replicate=0)
    if sys.argv[2] == "close":
        await model.aclose()

asyncio.run(main())
"""


@pytest.mark.parametrize("ending", first_daily(["close", "forget"]))
def test_a_process_that_used_it_prints_nothing_and_ends_well(file: Path, ending: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(file), ending],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
