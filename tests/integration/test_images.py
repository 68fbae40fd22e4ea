"""Golden cases with images, from the repository to the request and the verdict."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci
from support.repositories import GOLDENS, GOOD, PROMPT, config, make_environment, only, prompt, serving, shop, view

from promptci.app.requests import CheckRequest
from promptci.evaluation import check
from promptci.providers.base import CallError, Request
from promptci.providers.local.provider import LocalModel
from promptci.runs.estimate import TOKENS_PER_IMAGE, estimate_max_usage

PNG, OTHER = b"\x89PNG\r\n\x1a\nfirst", b"\x89PNG\r\n\x1a\nsecond"
PNG_URL = "data:image/png;base64,iVBORw0KGgpmaXJzdA=="
ATTACHED = {"id": "photo", "vars": {"input": "What is it?"}, "images": ["img/a.png"], "expected": "a cup"}
TURN = {
    "role": "user",
    "content": [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "img/a.png"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/b.png"}},
    ],
}
CONVERSATION = {"id": "talk", "messages": [TURN], "expected": "a cup"}


def answer(call: Call) -> str:
    return "a cup" if PNG_URL in json.dumps(call.body) else "a hat"


def repository(folder: Path, server: Any, *cases: dict[str, Any]) -> RepoBuilder:
    rows = "".join(json.dumps(case) + "\n" for case in cases)
    files: dict[str, str | bytes] = {
        "promptci.yml": config(server),
        PROMPT: prompt(GOOD),
        GOLDENS: rows,
        "goldens/img/a.png": PNG,
    }
    return shop(folder, files)


def run_check(builder: RepoBuilder, **request: Any) -> Any:
    return check.check(
        CheckRequest(root=builder.path, out=builder.path.parent / "out", **request), make_environment()[0]
    )


def test_images_are_sent_as_content_parts(tmp_path: Path) -> None:
    with serving(answer) as server:
        builder = repository(tmp_path, server, ATTACHED, CONVERSATION)
        builder.write({PROMPT: prompt(f"{GOOD} Be brief.")}).commit()
        result = run_check(builder)
        contents = {json.dumps(call.body["messages"][-1]["content"]) for call in server.calls}
        systems = {call.body["messages"][0]["content"] for call in server.calls}
    image = {"type": "image_url", "image_url": {"url": PNG_URL}}
    assert contents == {
        json.dumps([{"type": "text", "text": "What is it?"}, image]),
        json.dumps([TURN["content"][0], image, TURN["content"][2]]),
    }
    assert systems == {GOOD, f"{GOOD} Be brief."}
    assert (only(result).pairs, only(result).regressions) == (2, [])
    page = (tmp_path / "out" / "report.json").read_text()
    assert "img/a.png" in page
    assert "iVBORw0KGgpmaXJzdA" not in page


def test_a_change_of_an_image_alone_is_a_change_of_the_goldens(tmp_path: Path) -> None:
    with serving(answer) as server:
        builder = repository(tmp_path, server, ATTACHED)
        builder.write({"goldens/img/a.png": OTHER}).commit()
        result = run_check(builder)
    assert only(result).change_reasons == ["goldens changed"]
    assert view(result).verdict != "no-change"


def test_an_image_that_no_case_names_is_no_change(tmp_path: Path) -> None:
    with serving(answer) as server:
        builder = repository(tmp_path, server, ATTACHED)
        builder.write({"docs/logo.png": OTHER}).commit()
        assert view(run_check(builder)).verdict == "no-change"
        assert server.calls == []


def test_base_images_decide_where_prompt_and_image_change_together(tmp_path: Path) -> None:
    with serving(answer) as server:
        builder = repository(tmp_path, server, ATTACHED)
        builder.write({PROMPT: prompt(f"{GOOD} Be brief."), "goldens/img/a.png": OTHER}).commit()
        report = only(run_check(builder))
    assert (report.pairs, report.regressions) == (1, [])


def test_an_image_that_is_missing_is_named_with_file_and_line(tmp_path: Path) -> None:
    with serving(answer) as server:
        builder = repository(tmp_path, server, ATTACHED)
        builder.remove("goldens/img/a.png")
        builder.commit()
        done = call_promptci(["goldens", "stats"], builder.path, {})
        assert done.returncode == 4
        assert "goldens/order.jsonl:1: the image `img/a.png` of `photo` cannot be sent" in done.stderr


def test_a_link_to_a_picture_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(PNG)
    with serving(answer) as server:
        builder = repository(tmp_path, server, ATTACHED)
        (builder.path / "goldens/img/a.png").unlink()
        (builder.path / "goldens/img/a.png").symlink_to(outside)
        done = call_promptci(["goldens", "stats"], builder.path, {})
        assert (done.returncode, "symbolic link" in done.stderr) == (4, True)


@pytest.mark.parametrize("column", ["img/a.png", "img/a.png;img/a.png"])
def test_a_column_of_a_table_may_hold_them(tmp_path: Path, column: str) -> None:
    with serving(answer) as server:
        builder = repository(tmp_path, server)
        builder.remove(GOLDENS)
        builder.write({"goldens/order.csv": f"input,images,expected\nWhat is it?,{column},a cup\n"}).commit()
        done = call_promptci(["run", "--head", "."], builder.path, {"OPENAI_API_KEY": "x"})
        sent = server.calls[0].body["messages"][-1]["content"]
    assert done.returncode in {0, 1}, done.stderr
    assert [part["type"] for part in sent] == ["text", *["image_url"] * len(column.split(";"))]


def test_the_embedded_model_refuses_images_and_an_estimate_counts_them(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": PNG_URL}}
    text = {"type": "text", "text": "What is it?"}
    plain = Request(model="m", messages=({"role": "user", "content": "What is it?"},))
    request = Request(model="m", messages=({"role": "user", "content": [text, image]},))
    with pytest.raises(CallError, match="reads no images"):
        asyncio.run(LocalModel(tmp_path / "none.gguf").complete(request, replicate=0))
    with_image, without = (estimate_max_usage(asked).input_tokens for asked in (request, plain))
    assert with_image - without == TOKENS_PER_IMAGE
