"""The recipe of two workflows: a fork's run without rights leaves a report, and a run with rights posts it."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes import github as fake
from fakes import openapi, runner
from fakes.openai_server import OpenAIServer
from markdown_it import MarkdownIt
from support.action_runner import FORK, HERE, Run
from support.daily import first_daily, some_daily
from support.hostile_payloads import XSS, planted, rich
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

from promptci.cli.command_group import group
from promptci.report.model import document

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(24)}
OTHER = "d" * 40
FORGED = "<!-- promptci:v1 key=promptci.yml run=99 attempt=1 head=x -->"
OURS = re.compile(r"<!-- promptci:v1 key=promptci run=10 [^>]*-->|</?details>|</?summary>|</?sub>")
LIVE = re.compile(r"@\w|#\d|https?://")


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as server, openapi.watched(server):
        yield server


class Recipe:
    """Both workflows over one repository."""

    def __init__(self, folder: Path, run: Run, github: fake.GitHub) -> None:
        self.run = run
        self.github = github
        self.head = run.sha("HEAD")
        self.artifact = folder / "second" / "artifact"
        self.artifact.parent.mkdir()
        github.pulls = [{"number": 7, "sha": self.head, "owner": "mallory", "branch": "topic"}]

    def first(self, **options: str) -> int:
        """The fork's run: a token that may read, and no secrets; its report becomes the artifact."""
        self.run.event, self.run.payload = "pull_request", self.run.pull_request(FORK)
        self.github.read_only = True
        code, _ = self.run(**options)
        self.github.read_only = False
        shutil.rmtree(self.artifact, ignore_errors=True)
        shutil.copytree(self.run.workspace / "promptci-report", self.artifact)
        return code

    def payload(self, **options: Any) -> dict[str, Any]:
        about = {
            "id": 10,
            "run_attempt": 1,
            "event": "pull_request",
            "head_sha": self.head,
            "head_branch": "topic",
            "head_repository": FORK,
            "pull_requests": [],
            **options,
        }
        return {"action": "completed", "workflow_run": about, "repository": HERE}

    def second(self, **options: Any) -> tuple[int, str]:
        """The run with rights, in a workspace that holds the artifact alone."""
        self.run.event, self.run.payload = "workflow_run", self.payload(**options)
        self.run.workspace = self.artifact.parent
        result = self.run(INPUT_FROM="artifact", GITHUB_RUN_ID="999", **{"INPUT_API-KEY": "sk-0123456789abcdef"})
        self.run.workspace = self.run.builder.path
        return result

    def edit(self, **fields: Any) -> None:
        """Write other things into the report, as whoever opened the pull request can."""
        file = self.artifact / "report.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def fork(folder: Path, github: fake.GitHub, server: OpenAIServer | None = None) -> Recipe:
    """Return both workflows before the first of them has run."""
    builder = shop(folder, FILES if server is not None else {**FILES, "promptci.yml": config()}, server)
    builder.write({PROMPT: prompt(BAD)}).commit()
    return Recipe(folder, Run(folder, builder, github), github)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Return a fork whose own run is over; the tests change copies of its report, and nothing else."""
    folder = tmp_path_factory.mktemp("fork")
    with fake.GitHub() as github, serving() as server:
        recipe = fork(folder, github, server)
        assert recipe.first() == 1
    return recipe


@pytest.fixture
def recipe(tested: Recipe, tmp_path: Path, github: fake.GitHub) -> Recipe:
    run = Run(tmp_path, tested.run.builder, github)
    run.attempt = tested.run.attempt
    recipe = Recipe(tmp_path, run, github)
    shutil.copytree(tested.artifact, recipe.artifact)
    return recipe


def test_the_report_of_a_forks_run_is_posted(tmp_path: Path, github: fake.GitHub) -> None:
    with serving() as server:
        recipe = fork(tmp_path, github, server)
        assert recipe.first() == 1
        asked = len(server.calls)
        code, _ = recipe.second()

    (body,) = github.bodies
    assert code == 0
    assert "run=10 attempt=1" in body.splitlines()[0]
    assert f"head={recipe.head}" in body.splitlines()[0]
    assert "Sure! Your number is" in body
    assert "written by a run over a fork" in body
    assert "actions/runs/10>" in body
    assert "written by a run over a fork" in recipe.run.summary
    assert (github.statuses, github.check_runs, recipe.run.outputs) == ([], {}, {})
    assert len(server.calls) == asked


def test_a_report_of_this_repository_s_own_run_needs_no_warning(recipe: Recipe, github: fake.GitHub) -> None:
    github.pulls = [{**github.pulls[0], "owner": "example"}]
    recipe.second(head_repository={**HERE, "owner": {"login": "example"}})

    assert "Sure! Your number is" in github.bodies[0]
    assert "written by a run over" not in github.bodies[0]


def test_a_fork_without_a_key_has_its_reason_posted(tmp_path: Path, github: fake.GitHub) -> None:
    recipe = fork(tmp_path, github)
    assert recipe.first() == 4
    assert recipe.second()[0] == 0

    assert "gives no secrets to pull requests from forks" in github.bodies[0]


def test_a_fork_whose_clone_was_too_shallow_has_its_reason_posted(tmp_path: Path, github: fake.GitHub) -> None:
    recipe = fork(tmp_path, github)
    assert recipe.first(INPUT_BASE="1" * 40) == 4
    assert recipe.second()[0] == 0

    assert "There is no commit" in github.bodies[0]


def test_the_next_report_updates_the_comment_and_an_older_one_does_not(recipe: Recipe, github: fake.GitHub) -> None:
    recipe.second(id=11)
    recipe.second(id=10)
    assert ["run=11" in body for body in github.bodies] == [True]

    recipe.second(id=11, run_attempt=2)
    assert ["run=11 attempt=2" in body for body in github.bodies] == [True]


def test_a_zip_file_is_read_without_unpacking_it(recipe: Recipe, github: fake.GitHub) -> None:
    packed = recipe.artifact.parent / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(recipe.artifact / "report.json", "report.json")
    shutil.rmtree(recipe.artifact)
    packed.rename(recipe.artifact)

    assert recipe.second()[0] == 0
    assert len(github.bodies) == 1


def test_the_command_does_the_same(recipe: Recipe, github: fake.GitHub) -> None:
    recipe.run.event, recipe.run.payload = "workflow_run", recipe.payload()
    environ = {**recipe.run.environ(), "INPUT_GITHUB-TOKEN": "", "GITHUB_TOKEN": fake.TOKEN}
    del environ["INPUT_GITHUB-TOKEN"]
    done = CliRunner().invoke(group, ["comment", "--from", str(recipe.artifact)], env=environ, standalone_mode=False)

    assert (done.exception, done.return_value) == (None, 0)
    assert len(github.bodies) == 1


def command(recipe: Recipe, *options: str, **about: Any) -> str:
    """Run `promptci comment` in the second workflow, and return its stdout."""
    recipe.run.event, recipe.run.payload = "workflow_run", recipe.payload(**about)
    environ = {**recipe.run.environ(), "INPUT_GITHUB-TOKEN": fake.TOKEN}
    done = CliRunner().invoke(
        group, ["comment", "--from", str(recipe.artifact), *options], env=environ, standalone_mode=False
    )
    assert (done.exception, done.return_value) == (None, 0)
    return done.stdout


def test_the_command_prints_what_it_did_for_programs(recipe: Recipe, github: fake.GitHub) -> None:
    created = json.loads(command(recipe, "--json"))
    (number,) = github.comments
    assert created["schema"] == "promptci/comment/v1"
    assert (created["pull_request"], created["action"], created["dry_run"]) == (7, "created", False)
    assert (created["url"], created["body"]) == (github.comments[number]["html_url"], github.bodies[0])
    updated = json.loads(command(recipe, "--json", id=11))
    assert (updated["action"], updated["url"], updated["body"]) == ("updated", created["url"], github.bodies[0])
    older = json.loads(command(recipe, "--json"))
    assert (older["action"], older["body"]) == ("none", None)
    assert "a newer run" in older["notes"][0]


def test_a_run_that_was_for_no_pull_request_is_an_explicit_none(recipe: Recipe, github: fake.GitHub) -> None:
    result = json.loads(command(recipe, "--json", event="push"))
    assert (result["pull_request"], result["action"], github.bodies) == (None, "none", [])
    assert result["notes"] == ["the run was not for a pull request: there is nothing to comment"]


def test_a_run_whose_comment_is_turned_off_says_so(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INPUT_COMMENT", "off")
    result = json.loads(command(recipe, "--json"))
    assert (result["action"], result["notes"]) == ("none", ["no comment was posted: the input `comment` is `off`"])


def test_a_comment_tried_dry_is_found_and_not_written(recipe: Recipe, github: fake.GitHub) -> None:
    sent = [exchange for exchange in github.exchanges if exchange.method != "GET"]
    shown = command(recipe, "--dry-run")
    assert shown.splitlines()[0] == "the comment on pull request 7 would be created"
    assert "Sure! Your number is" in shown
    dry = json.loads(command(recipe, "--dry-run", "--json"))
    assert (dry["action"], dry["url"], dry["dry_run"]) == ("created", None, True)
    assert (github.bodies, recipe.run.summary) == ([], "")
    assert [exchange for exchange in github.exchanges if exchange.method != "GET"] == sent

    command(recipe)
    before = github.bodies
    (comment,) = github.comments.values()
    dry = json.loads(command(recipe, "--dry-run", "--json", id=11))
    assert (dry["action"], dry["url"]) == ("updated", comment["html_url"])
    assert "run=11" in dry["body"]
    assert "run=10" in before[0]
    assert github.bodies == before


# What a stranger can put into the artifact


def not_json(recipe: Recipe) -> None:
    (recipe.artifact / "report.json").write_text("{" * 100_000)


def unknown_key(recipe: Recipe) -> None:
    recipe.edit(surprise=1)


def invented_verdict(recipe: Recipe) -> None:
    recipe.edit(verdict="splendid")


def another_commit(recipe: Recipe) -> None:
    recipe.edit(head={"rev": "x", "sha": OTHER})


def a_link(recipe: Recipe) -> None:
    (recipe.artifact / "passwd").symlink_to("/etc/passwd")


def the_report_a_link(recipe: Recipe) -> None:
    (recipe.artifact / "report.json").unlink()
    (recipe.artifact / "report.json").symlink_to("/etc/passwd")


def nothing(recipe: Recipe) -> None:
    (recipe.artifact / "report.json").unlink()


@pytest.mark.parametrize(
    "spoil",
    some_daily([not_json, unknown_key, invented_verdict, another_commit, a_link, the_report_a_link, nothing], 4),
)
def test_an_artifact_that_is_no_report_of_this_run_is_refused(
    recipe: Recipe, github: fake.GitHub, spoil: Callable[[Recipe], None]
) -> None:
    spoil(recipe)
    asked = github.count("GET")
    code, log = recipe.second()

    assert code == 4
    assert github.bodies == []
    assert github.count("GET") == asked
    assert runner.log(log) == []


def test_a_report_cannot_name_another_pull_request(recipe: Recipe, github: fake.GitHub) -> None:
    recipe.edit(pull_request=1)
    recipe.second()

    (posted,) = [e for e in github.exchanges if e.method == "POST" and e.reply.status == 201]
    assert posted.path == "/repos/example/shop/issues/7/comments"


def test_of_two_pull_requests_of_one_commit_the_report_may_choose(recipe: Recipe, github: fake.GitHub) -> None:
    github.pulls.append({**github.pulls[0], "number": 8})
    recipe.edit(pull_request=8)
    recipe.second()

    (posted,) = [e for e in github.exchanges if e.method == "POST" and e.reply.status == 201]
    assert posted.path == "/repos/example/shop/issues/8/comments"


@pytest.mark.parametrize(
    "payload", first_daily([FORGED, "@everyone", "![i](https://evil.example/i.png)", "fixes #1", *XSS], 8)
)
def test_nothing_in_a_report_is_alive_in_the_comment(recipe: Recipe, github: fake.GitHub, payload: str) -> None:
    hostile = json.loads(document.dump(planted(rich(), payload)))
    (recipe.artifact / "comment.md").write_text(payload)
    (recipe.artifact / "report.json").write_text(json.dumps({**hostile, "head": {"rev": payload, "sha": recipe.head}}))
    code, log = recipe.second()

    (body,) = github.bodies
    assert code == 0
    assert runner.log(log) == []
    tokens = [t for top in MarkdownIt("commonmark").enable("table").parse(body) for t in (top, *(top.children or []))]
    html = "".join(OURS.sub("", t.content) for t in tokens if t.type in {"html_block", "html_inline"})
    assert "<" not in html
    assert body.count("<!--") == 1
    assert [t.attrs["href"] for t in tokens if t.type == "link_open"] == [
        "https://github.com/example/shop/actions/runs/10"
    ]
    assert not [t for t in tokens if t.type == "image" or (t.type == "text" and LIVE.search(t.content))]


def test_a_report_that_passes_makes_nothing_green(recipe: Recipe, github: fake.GitHub) -> None:
    """Whoever writes the fork's workflow writes the report: a pass in it is a claim."""
    recipe.edit(verdict="pass", exit_code=0, headline="Pass: all is well.")
    recipe.second()

    assert (github.statuses, github.check_runs) == ([], {})
    assert "no commit status was set from it" in github.bodies[0]


# What may have become of the pull request


@pytest.mark.parametrize(
    ("pulls", "words"),
    first_daily(
        [
            ([], "there is no pull request of this commit"),
            ([{"number": 7, "sha": OTHER, "owner": "mallory", "branch": "topic"}], "has moved on since"),
        ]
    ),
)
def test_a_pull_request_that_is_not_at_this_commit_is_left_alone(
    recipe: Recipe, github: fake.GitHub, pulls: list[dict[str, Any]], words: str
) -> None:
    github.pulls = pulls
    code, log = recipe.second()

    assert (code, github.bodies) == (0, [])
    assert words in log


def test_a_deleted_fork_has_nobody_to_comment_to(recipe: Recipe, github: fake.GitHub) -> None:
    code, log = recipe.second(head_repository=None)

    assert (code, github.bodies) == (0, [])
    assert "is gone" in log


def test_a_run_that_was_not_for_a_pull_request_has_no_comment(recipe: Recipe, github: fake.GitHub) -> None:
    code, log = recipe.second(event="push")

    assert (code, github.bodies) == (0, [])
    assert "nothing to comment" in log


def test_a_github_that_is_down_is_said(recipe: Recipe, github: fake.GitHub) -> None:
    github.faults = [("GET", fake.no(404, "Not Found"))]
    code, log = recipe.second()

    assert (code, github.bodies) == (0, [])
    assert "was not found" in log


def test_another_event_is_refused(recipe: Recipe) -> None:
    recipe.run.event, recipe.run.payload = "pull_request", None
    code, log = recipe.run(INPUT_FROM="artifact")

    assert code == 2
    assert "workflow_run" in log


def test_without_a_token_it_says_what_is_missing(recipe: Recipe) -> None:
    recipe.run.event, recipe.run.payload = "workflow_run", recipe.payload()
    recipe.run.workspace = recipe.artifact.parent
    code, log = recipe.run(INPUT_FROM="artifact", **{"INPUT_GITHUB-TOKEN": ""})

    assert code == 2
    assert "pull-requests: write" in log
