"""A shop that deploys one prompt and watches it: a bare remote, a frozen reference, and a clock that a test moves."""

import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.changing_model import ALIAS, JUDGE, PINNED, ChangingModel
from fakes.openai_server import OpenAIServer
from fakes.repo import RepoBuilder
from support import released
from support.repositories import GOLDENS, PROMPT, config, goldens, prompt

from promptci.app.progress import PlainProgress
from promptci.drift.night import NightLine
from promptci.evaluation.nights.acting import DriftActions
from promptci.evaluation.nights.results import DriftDocument, DriftRow
from promptci.git.data_branch import find_branch
from promptci.pipeline.environment import Environment
from promptci.usecases.drift import freeze, probe, watch
from promptci.usecases.drift.freeze import FreezeRequest
from promptci.usecases.drift.probe import ProbeRequest, ProbeResult
from promptci.usecases.drift.watch import DriftRequest

CASES = 20
FIRST = "Copy the order number, please."
SECOND = "Copy the order number."
START = datetime(2026, 3, 1, 3, 17, tzinfo=UTC)
REFERENCE = "drift/order.reference.json"


def numbers(count: int, start: int = 0) -> set[int]:
    """The numbers of some cases."""
    return {1000 + start + place for place in range(count)}


@dataclass(kw_only=True)
class DriftShop:
    """The repository, its clock, and what a run of `promptci drift` needs."""

    builder: RepoBuilder
    now: datetime = START
    environ: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def env(self) -> Environment:
        progress = PlainProgress(self.said.append)
        return Environment(environ=self.environ, progress=progress, print=self.said.append, now=lambda: self.now)

    def pass_nights(self, count: int = 1) -> "DriftShop":
        self.now += timedelta(days=count)
        return self

    def freeze(self) -> DriftDocument:
        return freeze.freeze(FreezeRequest(root=self.builder.path), self.env)

    def probe(self) -> ProbeResult:
        return probe.probe_models(ProbeRequest(root=self.builder.path), self.env)

    def watch(self, actions: DriftActions | None = None, **options: Any) -> DriftDocument:
        request = DriftRequest(root=self.builder.path, actions=actions or DriftActions(), **options)
        return watch.watch_night(request, self.env)

    def night(self, **options: Any) -> DriftRow:
        """Watch the next night, and return its only prompt."""
        self.pass_nights()
        (row,) = self.watch(**options).prompts
        return row

    def lines(self) -> list[NightLine]:
        """Every night that the remote's history branch has."""
        files = find_branch(self.builder.path, "origin").fetch()
        return [
            NightLine.parse(line, path) for path, content in files.read_all("nights") for line in content.splitlines()
        ]

    def audited(self) -> list[str]:
        """What the audit log has, without its beginning."""
        files = find_branch(self.builder.path, "origin").fetch()
        lines = [json.loads(line) for _, content in files.read_all("audit") for line in content.splitlines()]
        return [line["what"] for line in lines if line["what"] != "log-began"]

    def edit(self, files: "dict[str, str | bytes]", message: str = "edit") -> None:
        self.builder.write(files).commit(message)


def rules(row: DriftRow) -> list[str]:
    return [finding.rule for finding in row.findings]


def make_template(path: Path, server: OpenAIServer) -> Path:
    """Build the repository once: two releases deployed in turn, and a reference of four nights."""
    builder = RepoBuilder(path / "shop").write(
        {
            PROMPT: prompt(FIRST).replace("fake-1", ALIAS),
            GOLDENS: goldens(CASES),
            "promptci.yml": config(server, drift={"pinned": {ALIAS: PINNED}, "keep_answers": True}),
        }
    )
    builder.commit("base")
    released.with_remote(builder)
    for instruction in (None, SECOND):
        if instruction is not None:
            builder.write({PROMPT: prompt(instruction).replace("fake-1", ALIAS)}).commit(instruction)
        done = released.run(builder, "release", "order", "--because", "the test says so", "--json")
        version = done.value["prompts"][0]["version"]
        assert released.run(builder, "deploy", f"order@{version}", "--env", "production").code == 0
    shop = DriftShop(builder=builder, now=START - timedelta(days=4))
    for _ in range(4):
        shop.freeze()
        shop.pass_nights()
    builder.commit("freeze the reference")
    builder.git("push", "--quiet", "--tags", "origin", "main")
    return path


def copy_template(template: Path, path: Path, **options: Any) -> DriftShop:
    """Return a copy of it with a remote of its own."""
    shutil.copytree(template, path, dirs_exist_ok=True)
    builder = RepoBuilder(path / "shop")
    builder.git("remote", "set-url", "origin", str(path / "origin.git"))
    return DriftShop(builder=builder, **options)


def judged(shop: DriftShop, server: OpenAIServer, model: ChangingModel) -> DriftShop:
    """Have a judge grade the answers, and freeze a reference of that."""
    rows = goldens(CASES).replace('"expected"', '"assert": [{"type": "judge"}], "expected"')
    shop.edit(
        {
            GOLDENS: rows,
            "judges/kind.md": "The answer is the order number and nothing else.",
            "promptci.yml": config(
                server, drift={"keep_answers": True}, judge={"model": JUDGE, "rubric": "judges/kind.md"}
            ),
        }
    )
    model.reset()
    start = shop.now
    for _ in range(4):
        shop.freeze()
        shop.pass_nights()
    shop.builder.commit("freeze the judged reference")
    return replace(shop, now=max(start, shop.now - timedelta(days=1)))
