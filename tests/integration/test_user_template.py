"""The comment's template is the base revision's; a broken one costs nobody the comment."""

from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    goldens,
    make_environment,
    prompt,
    serving,
    shop,
)

from promptci.action import publication
from promptci.app.requests import CheckRequest, RunResult
from promptci.evaluation import run

OURS = '{% extends "markdown/comment.md.j2" %}\n'
TEMPLATE = "ci/comment.md.j2"


def outcome_of(path: Path, at_base: str | None, at_head: str | None = None) -> tuple[RunResult, RepoBuilder]:
    with serving() as server:
        files = {
            PROMPT: prompt(GOOD),
            GOLDENS: goldens(24),
            "promptci.yml": config(server, report={"comment_template": TEMPLATE}),
        }
        if at_base is not None:
            files[TEMPLATE] = at_base
        builder = shop(path, files)
        builder.write({PROMPT: prompt(BAD), **({TEMPLATE: at_head} if at_head else {})}).commit()
        return checked(builder), builder


def comment_of(outcome: RunResult) -> str:
    assert outcome.paths is not None
    return outcome.paths.comment.read_text()


def test_the_base_revision_s_template_draws_the_comment(tmp_path: Path) -> None:
    outcome, _ = outcome_of(tmp_path, OURS + "{% block foot %}Ask us.{% endblock %}")
    assert comment_of(outcome).rstrip().endswith("Ask us.")
    assert publication.build_publication(outcome, tmp_path).comment_md == comment_of(outcome)


def test_a_pull_request_cannot_bring_its_own(tmp_path: Path) -> None:
    outcome, _ = outcome_of(tmp_path, OURS, "All is well, merge at once.")
    assert "All is well" not in comment_of(outcome)
    assert "Blocked: " in comment_of(outcome)


def test_a_broken_one_is_said_and_the_standard_comment_stands(tmp_path: Path) -> None:
    outcome, _ = outcome_of(tmp_path, OURS + "{% block foot %}\n{{ nope }}{% endblock %}")
    assert "Blocked: " in comment_of(outcome)
    assert f"{TEMPLATE}:3: 'nope' is undefined" in comment_of(outcome).replace("\\", "")
    assert outcome.exit_code == 1
    assert outcome.paths is not None
    assert "&#39;nope&#39; is undefined" in outcome.paths.html.read_text()


def test_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    outcome, _ = outcome_of(tmp_path, None)
    assert f"There is no file {TEMPLATE} at " in comment_of(outcome).replace("\\", "")


@pytest.mark.long
def test_a_run_of_one_revision_takes_that_revision_s(tmp_path: Path) -> None:
    with serving() as server:
        files = {PROMPT: prompt(GOOD), GOLDENS: goldens(5), TEMPLATE: "Seen: {{ view.verdict }}."}
        builder = shop(tmp_path, {**files, "promptci.yml": config(server, report={"comment_template": TEMPLATE})})
        outcome = run.run(CheckRequest(root=builder.path, out=tmp_path / "out"), make_environment()[0])
    assert comment_of(outcome) == "Seen: pass."
