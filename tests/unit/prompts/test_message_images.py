"""Images in prompt files: sent as content parts in their places, and read from the repository alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import run_command
from support.repositories import config, goldens, serving

from promptci.errors import InputError, UsageError
from promptci.files.image_file import MAX_IMAGE_BYTES
from promptci.prompts.jinja.filters import TemplateError
from promptci.prompts.load import load_prompt
from promptci.prompts.model import Prompt
from promptci.prompts.template.filled_messages import fill_messages
from promptci.registry.bundle_document import bundle_version
from promptci.usecases.setup.import_promptfoo import import_promptfoo

PNG = b"\x89PNG\r\n\x1a\nfirst"
SENT = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgpmaXJzdA=="}}
PARTS = [
    {"type": "text", "text": "Is {{item}} in"},
    {"type": "image_url", "image_url": {"url": "img/a.png"}},
    {"type": "text", "text": "?"},
]
EXPECTED = [{"type": "text", "text": "Is a cup in"}, SENT, {"type": "text", "text": "?"}]
GITHUB = f"model: m\nmessages: {json.dumps([{'role': 'user', 'content': PARTS}])}\n"
OPENAI = json.dumps({"model": "m", "messages": [{"role": "user", "content": PARTS}]})
PROMPTY = "---\nmodel: m\n---\nsystem:\nLook.\n\nuser:\nIs {{item}} in\n![the photo](img/a.png)\n?\n"
PROMPTFOO = "prompts: [chat.json]\nproviders: [openai:m]\ntests: [{vars: {item: a cup}}]\n"
CHAT = json.dumps([{"role": "user", "content": PARTS}])
FILES: dict[str, bytes] = {"prompts/img/a.png": PNG, "prompts/chat.json": CHAT.encode()}


def load(name: str, text: str, files: dict[str, bytes] | None = None) -> Prompt:
    return load_prompt(f"prompts/{name}", text.encode(), (FILES if files is None else files).get)


def content(prompt: Prompt, **variables: Any) -> Any:
    return fill_messages(prompt.messages, variables)[-1]["content"]


FORMATS = [
    ("look.prompt.yml", GITHUB),
    ("look.json", OPENAI),
    ("look.prompty", PROMPTY),
    ("promptfooconfig.yaml", PROMPTFOO),
]


@pytest.mark.parametrize(("name", "text"), FORMATS)
def test_an_image_is_sent_in_its_place(name: str, text: str) -> None:
    prompt = load(name, text)
    assert content(prompt, item="a cup") == EXPECTED
    assert "prompts/img/a.png" in prompt.includes
    assert prompt.variables == {"item"}


@pytest.mark.parametrize(("name", "text"), FORMATS)
def test_another_picture_under_the_same_path_is_another_prompt(name: str, text: str) -> None:
    other = load(name, text, {**FILES, "prompts/img/a.png": PNG + b"!"})
    assert load(name, text).fingerprint != other.fingerprint


@pytest.mark.parametrize(("name", "text"), [row for row in FORMATS if not row[0].startswith("promptfoo")])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../../etc/passwd.png", "outside the repository"),
        ("/etc/passwd", "outside the repository"),
        ("img/missing.png", "there is no file `prompts/img/missing.png`"),
        ("img/page.png", "not PNG, JPEG, GIF or WebP"),
        ("img/huge.png", "more than 8 MiB"),
        ("file:///etc/passwd", "outside the repository"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused(name: str, text: str, path: str, reason: str) -> None:
    files = {**FILES, "prompts/img/page.png": b"<svg/>", "prompts/img/huge.png": PNG + bytes(MAX_IMAGE_BYTES)}
    with pytest.raises(InputError, match=f"the image .* cannot be sent: .*{reason}") as caught:
        load(name, text.replace("img/a.png", path), files)
    assert caught.value.problems[0].path == f"prompts/{name}"


def test_promptfoo_leaves_out_a_prompt_whose_image_cannot_be_sent() -> None:
    with pytest.raises(InputError, match=r"cannot be sent: there is no file"):
        load("promptfooconfig.yaml", PROMPTFOO, {"prompts/chat.json": CHAT.encode()})


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:image/png;base64,iVBORw0KGgo="])
@pytest.mark.parametrize(("name", "text"), FORMATS[:3])
def test_an_address_is_sent_as_written(name: str, text: str, url: str) -> None:
    parts = content(load(name, text.replace("img/a.png", url), {}), item="a cup")
    assert parts[1] == {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize(("name", "text"), FORMATS[:3])
def test_a_variable_may_hold_an_address_and_no_path(name: str, text: str) -> None:
    prompt = load(name, text.replace("img/a.png", "{{photo}}"), {})
    address = "https://example.com/a.png"
    assert content(prompt, item="a cup", photo=address)[1]["image_url"] == {"url": address}
    with pytest.raises(TemplateError, match=r"`img/a.png` is no address"):
        content(prompt, item="a cup", photo="img/a.png")


@pytest.mark.parametrize(("name", "text"), FORMATS)
def test_a_value_of_a_case_brings_no_image(name: str, text: str) -> None:
    for value in ("![](img/a.png)", "![the photo](img/a.png)", "![](https://example.com/x.png)"):
        first, *rest = content(load(name, text), item=value)
        assert (first["text"], rest) == (f"Is {value} in", EXPECTED[1:])


def test_the_detail_of_an_image_is_sent_and_part_of_the_fingerprint() -> None:
    detailed = OPENAI.replace('"img/a.png"', '"img/a.png", "detail": "low"')
    assert content(load("look.json", detailed), item="a cup")[1]["image_url"]["detail"] == "low"
    assert load("look.json", detailed).fingerprint != load("look.json", OPENAI).fingerprint


def test_other_parts_are_refused() -> None:
    audio = OPENAI.replace('"type": "image_url"', '"type": "input_audio"')
    with pytest.raises(InputError, match="a part of the kind `input_audio` is neither a text nor an image"):
        load("look.json", audio)


def test_a_bundle_refuses_images() -> None:
    with pytest.raises(UsageError, match="has images, which a bundle cannot hold"):
        bundle_version("1.0.0", load("look.prompt.yml", GITHUB))


def test_a_link_to_a_file_outside_is_refused_in_a_real_repository(tmp_path: Path) -> None:
    with serving() as server:
        builder = RepoBuilder(tmp_path / "shop")
        files = {"promptci.yml": config(server), "prompts/look.prompt.yml": GITHUB, "goldens/look.jsonl": goldens(1)}
        builder.write({**files, "prompts/img/a.png": PNG}).commit("base")
        builder.branch("pr").remove("prompts/img/a.png").link("prompts/img/a.png", "/etc/passwd").commit("head")
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
        assert (result.verdict, server.calls) == ("error", [])
    assert "the image `img/a.png` cannot be sent" in result.text


def test_a_changed_picture_is_tested(tmp_path: Path) -> None:
    case = json.dumps({"vars": {"item": "a cup"}, "expected": "yes"})
    with serving(lambda _: "yes") as server:
        builder = RepoBuilder(tmp_path / "shop")
        files = {"promptci.yml": config(server), "prompts/look.prompt.yml": GITHUB, "goldens/look.jsonl": case}
        builder.write({**files, "prompts/img/a.png": PNG}).commit("base")
        builder.branch("pr").write({"prompts/img/a.png": PNG + b"!"}).commit("head")
        run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
        sent = [SENT in call.body["messages"][0]["content"] for call in server.calls]
        assert sorted(sent) == [False, True]


def test_an_imported_prompt_keeps_its_images(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop").write({**FILES, "prompts/promptfooconfig.yaml": PROMPTFOO})
    import_promptfoo(builder.path, "prompts/promptfooconfig.yaml")
    imported = (builder.path / "prompts/chat.prompt.yml").read_text(encoding="utf-8")
    assert content(load("chat.prompt.yml", imported), item="a cup") == EXPECTED
