"""The examples of docs/runtime.md, docs/openfeature.md and docs/bundle.md run as they stand."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import tools
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import Reason
from support.processes import LONGEST_S
from support.runtime_readers import VECTORS, bundle

from promptci import runtime

ROOT = Path(__file__).parents[2]
SDK_ANSWER = {"id": "chatcmpl-1", "model": "gpt-4o-mini-2024-07-18"}


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "production.bundle.json").write_text(bundle())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(code: list[str], **names: Any) -> dict[str, Any]:
    exec("\n".join(code), names)  # noqa: S102 - the page's own lines
    return names


def test_the_python_of_the_runtime_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[dict[str, Any]] = []

    def create(**request: Any) -> dict[str, str]:
        sent.append(request)
        return SDK_ANSWER

    completions = SimpleNamespace(create=create)
    client = SimpleNamespace(chat=SimpleNamespace(completions=completions))
    import time

    result = run(blocks("runtime", "python"), client=client, time=time)
    assert capsys.readouterr().out.split() == [result["use"].arm, result["use"].version, "gpt-4o-mini"]
    assert sent[0]["messages"][1] == {"role": "user", "content": "Where is parcel HB-48213?"}
    assert sent[0]["temperature"] == 0
    logged = [json.loads(line) for line in (folder / "requests.jsonl").read_text().splitlines()]
    assert {line["promptci.request"] for line in logged} == {result["request"]}
    assert (logged[0]["gen_ai.response.id"], logged[1]["gen_ai.evaluation.score.value"]) == ("chatcmpl-1", 1)
    assert logged[2]["promptci.signal"] == "negative"


def test_the_javascript_of_the_runtime_page_runs(folder: Path) -> None:
    node = shutil.which("node")
    if node is None:
        tools.missing("npm", "node is not installed")
    shutil.copy(ROOT / "javascript" / "promptci-runtime.mjs", folder)
    (folder / "app.mjs").write_text("\n".join(blocks("runtime", "js")))
    done = subprocess.run(
        [str(node), "app.mjs"], cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    assert done.stderr == ""
    use = runtime.Bundle("production.bundle.json").choose("order-extractor", "account-4711")
    assert done.stdout.split() == [use.arm, use.version, "gpt-4o-mini"]
    assert len((folder / "requests.jsonl").read_text().splitlines()) == 2


def test_the_lines_of_the_runtime_page_have_the_attributes_that_are_written(folder: Path) -> None:
    shown = [json.loads(text) for text in blocks("runtime", "json")]
    prompts = runtime.Bundle("production.bundle.json", log="requests.jsonl")
    prompts.late(prompts.choose("order-extractor", "x").record(), quality=1)
    written = [json.loads(line) for line in (folder / "requests.jsonl").read_text().splitlines()]
    assert [list(line) for line in shown] == [list(line) for line in written]


def test_every_argument_of_the_bundle_is_described() -> None:
    page = (ROOT / "docs" / "runtime.md").read_text(encoding="utf-8")
    described = re.findall(r"(?m)^\| `(\w+)` \|", page)
    assert described == list(runtime.Bundle.__dataclass_fields__)


def test_the_bundle_of_the_page_is_read(folder: Path) -> None:
    (text,) = blocks("bundle", "json")
    (folder / "production.bundle.json").write_text(text)
    assert runtime.Bundle("production.bundle.json").choose("order-extractor", "x").version == "v1.2.0"


def test_the_vectors_of_the_page_are_those_of_the_file() -> None:
    page = (ROOT / "docs" / "bundle.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `(.*?)` \| (?:`(.*?)`|a lone (U\+D800)).* \| (\d+) \| (.*?) \|$", page)
    assert len(rows) == 6
    points = {(item["salt"], item["key"]): item for item in VECTORS["hash"]["vectors"]}
    for salt, key, lone, point, shares in rows:
        vector = points[salt, "\ud800" if lone else key]
        assert vector["point"] == int(point)
        assert [share for share in vector["canary"] if share != 9999] == [int(share) for share in shares.split(", ")]


def test_the_adapter_of_the_openfeature_page_works(folder: Path) -> None:
    result = run(blocks("openfeature", "python"))
    details = result["details"]
    assert (details.variant, details.reason) == ("stable", Reason.SPLIT)
    assert (details.value["version"], details.value["model"]) == ("v1.2.0", "gpt-4o-mini")
    assert result["messages"][1]["content"] == "Where is parcel HB-48213?"

    client = result["client"]
    tried = client.get_object_details("order-extractor", {}, EvaluationContext(targeting_key="user-2"))
    assert (tried.variant, tried.value["version"]) == ("canary", "v1.3.0")
    anonymous = client.get_object_details("order-extractor", {})
    assert anonymous.variant == "stable"
    unknown = client.get_object_details("refund-writer", {"model": "default"})
    assert unknown.value == {"model": "default"}
    assert "no bundle had the prompt `refund-writer`" in unknown.error_message

    (folder / "production.bundle.json").write_text("{")
    provider = result["PromptProvider"](runtime.Bundle("production.bundle.json", builtin=bundle().encode()))
    api.set_provider(provider)
    assert client.get_object_details("order-extractor", {}).reason == Reason.STALE
    api.shutdown()
