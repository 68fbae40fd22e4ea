"""Everything is told at once, and one part that fails takes no other with it."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import github as fake
from fakes import runner

from promptci.publish.annotation import Annotation
from promptci.publish.github.pygithub_client import PyGithubClient
from promptci.publish.publish_all import Publication, publish_all
from promptci.publish.runner import workflow_commands
from promptci.publish.runner.context import ActionContext
from promptci.verdict import Verdict

HEAD, BASE = "a" * 40, "b" * 40
KEY = "sk-CANARY-0123456789abcdef"
Make = Callable[..., ActionContext]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def context(event: str = "pull_request", **options: str) -> ActionContext:
        repo = {"full_name": "example/shop"}
        pull = {"number": 7, "base": {"sha": BASE, "repo": repo}, "head": {"sha": HEAD, "repo": repo}}
        payload = {"pull_request": pull} if event == "pull_request" else {}
        (tmp_path / "event.json").write_text(json.dumps(payload))
        environ = {
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REPOSITORY": "example/shop",
            "GITHUB_RUN_ID": "10",
            "GITHUB_SHA": HEAD,
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "INPUT_API-KEY": KEY,
            "INPUT_GITHUB-TOKEN": fake.TOKEN,
        }
        return ActionContext.from_environ({**environ, **options})

    return context


def publication(
    verdict: Verdict = Verdict.FAIL, words: str = "worse", annotations: tuple[Annotation, ...] = ()
) -> Publication:
    return Publication(
        verdict=verdict,
        exit_code=0 if verdict is Verdict.NO_CHANGE else 1,
        headline=words,
        comment_md=words,
        short_comment_md=f"short {words}",
        summary_md=f"# {words}",
        annotations=annotations,
        outputs={"verdict": verdict.value, "report-path": words},
    )


def remark(number: int, level: workflow_commands.Level = "error", message: str = "broken") -> Annotation:
    return Annotation(path="prompts/a.prompt.yml", line=number, level=level, title="case", message=message)


def test_everything_is_told(make: Make, server: fake.GitHub, github: PyGithubClient, tmp_path: Path) -> None:
    log = io.StringIO()
    notes = publish_all(make(), publication(annotations=(remark(3),)), github, log)

    assert notes == ()
    assert runner.key_values((tmp_path / "output").read_text())[0] == ("verdict", "fail")
    assert (tmp_path / "summary").read_text() == "# worse\n"
    assert [command.properties["line"] for command in runner.log(log.getvalue())] == ["3"]
    assert server.bodies[0].splitlines()[1] == "worse"
    assert (server.statuses[0]["state"], server.statuses[0]["sha"]) == ("failure", HEAD)
    assert server.statuses[0]["target_url"] == "https://github.com/example/shop/actions/runs/10/attempts/1"


def test_without_a_token_the_rest_is_told(make: Make, tmp_path: Path) -> None:
    notes = publish_all(make(), publication(), None, io.StringIO())

    assert notes == ("no token: the comment was not posted",)
    assert (tmp_path / "summary").read_text() == "# worse\n"


def test_outside_a_pull_request_there_is_nothing_to_comment(
    make: Make, server: fake.GitHub, github: PyGithubClient
) -> None:
    assert publish_all(make("schedule"), publication(), github, io.StringIO()) == ()
    assert publish_all(make("schedule"), publication(), None, io.StringIO()) == ()
    assert server.bodies == []
    assert len(server.statuses) == 1


def test_comment_and_status_can_be_switched_off(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    context = make(INPUT_COMMENT="off", INPUT_STATUS="false")

    assert publish_all(context, publication(), github, io.StringIO()) == ()
    assert server.exchanges == []


def test_no_change_adds_no_comment_and_is_green(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    publish_all(make(), publication(Verdict.NO_CHANGE), github, io.StringIO())

    assert server.bodies == []
    assert server.statuses[0]["state"] == "success"


def test_another_configuration_has_its_own_status(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    publish_all(make(), publication(), github, io.StringIO())
    publish_all(make(INPUT_CONFIG="b/promptci.yml"), publication(), github, io.StringIO())

    assert [status["context"] for status in server.statuses] == ["promptci", "promptci (b/promptci.yml)"]
    assert len(server.bodies) == 2


def test_a_forks_read_only_token_leaves_files_and_annotations(
    make: Make, server: fake.GitHub, github: PyGithubClient, tmp_path: Path
) -> None:
    server.read_only = True
    notes = publish_all(make(), publication(), github, io.StringIO())

    assert len(notes) == 2
    assert "pull-requests: write" in notes[0]
    assert "statuses: write" in notes[1]
    assert (tmp_path / "output").exists()


def test_a_github_that_is_down_leaves_files_and_annotations(
    make: Make, server: fake.GitHub, github: PyGithubClient, tmp_path: Path
) -> None:
    server.faults = [("*", fake.no(503, "down"))] * 100
    notes = publish_all(make(), publication(), github, io.StringIO())

    assert [note.split(":")[0] for note in notes] == ["the comment was not posted", "the commit status was not set"]
    assert (tmp_path / "summary").exists()


def test_files_that_cannot_be_written_leave_the_comment(
    make: Make, server: fake.GitHub, github: PyGithubClient, tmp_path: Path
) -> None:
    context = make(GITHUB_OUTPUT=str(tmp_path), GITHUB_STEP_SUMMARY=str(tmp_path / "missing" / "summary"))
    notes = publish_all(context, publication(), github, io.StringIO())

    assert [note.split(":")[0] for note in notes] == [
        "the outputs were not written",
        "the step summary was not written",
    ]
    assert server.bodies[0].splitlines()[1] == "worse"


def test_a_closed_log_leaves_the_comment(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    log = io.StringIO()
    log.close()
    notes = publish_all(make(), publication(annotations=(remark(1),)), github, log)

    assert notes[0].startswith("the annotations were not written")
    assert len(server.bodies) == 1


def test_a_runner_without_files_is_no_fault(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    assert publish_all(make(GITHUB_OUTPUT="", GITHUB_STEP_SUMMARY=""), publication(), github, io.StringIO()) == ()


def test_ten_annotations_of_a_level_are_shown_and_the_others_counted(make: Make) -> None:
    log = io.StringIO()
    remarks = (*(remark(number) for number in range(1, 38)), remark(1, "warning"))
    notes = publish_all(make("schedule"), publication(annotations=remarks), None, log)

    assert [command.name for command in runner.log(log.getvalue())] == ["error"] * 10 + ["warning"]
    assert notes == ("27 more annotations are in the report only: GitHub shows 10 of a kind",)


def test_hostile_words_command_nothing(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    log = io.StringIO()
    server.read_only = True
    hostile = "x\n::add-mask::a\n##[error]b\r::stop-commands::t"
    notes = publish_all(make(), publication(words=hostile, annotations=(remark(1, message=hostile),)), github, log)

    assert [command.name for command in runner.log(log.getvalue())] == ["error"]
    assert runner.log("\n".join(notes)) == []


def test_key_and_token_are_in_nothing_that_leaves(
    make: Make, server: fake.GitHub, github: PyGithubClient, tmp_path: Path
) -> None:
    log = io.StringIO()
    leaking = f"the key is {KEY}, the token {fake.TOKEN}"
    notes = publish_all(make(), publication(words=leaking, annotations=(remark(1, message=leaking),)), github, log)

    results = [log.getvalue(), *notes, *server.bodies, repr(server.statuses)]
    results += [(tmp_path / name).read_text() for name in ("output", "summary")]
    assert len(results) >= 5
    assert not [text for text in results if KEY in text or fake.TOKEN in text]


def test_a_rerun_shows_its_attempt_and_the_same_head(make: Make, server: fake.GitHub, github: PyGithubClient) -> None:
    publish_all(make(), publication(), github, io.StringIO())
    publish_all(make(GITHUB_RUN_ATTEMPT="2"), publication(words="again"), github, io.StringIO())

    (body,) = server.bodies
    marker, text, _, foot = body.splitlines()
    assert marker == f"<!-- promptci:v1 key=promptci run=10 attempt=2 head={HEAD} verdict=fail -->"
    assert text == "again"
    assert foot == (
        f"<sub>[Run 10](<https://github.com/example/shop/actions/runs/10>), attempt 2 · commit `{HEAD[:7]}`</sub>"
    )
