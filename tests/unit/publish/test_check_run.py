"""The check run: its conclusion, and every remark once, whatever is lost on the way."""

from dataclasses import replace

import pytest
from fakes import github as fake
from hypothesis import given
from hypothesis import strategies as st

from promptci.publish import check_run, commit_status
from promptci.publish.annotation import Annotation
from promptci.publish.github.api import CheckRun
from promptci.publish.github.pygithub_client import PyGithubClient
from promptci.verdict import Verdict, exit_code

SHA = "a" * 40


def run(**options: str) -> CheckRun:
    fields = {"sha": SHA, "name": "promptci", "title": "worse", "summary": "much worse", "external_id": "10-1"}
    return CheckRun(conclusion="failure", details_url="https://github.com/x", **{**fields, **options})


def remarks(count: int) -> list[Annotation]:
    return [
        Annotation(path=f"prompts/{n}.yml", line=n, level="error", title=f"t{n}", message="m")
        for n in range(1, count + 1)
    ]


def lines(server: fake.GitHub) -> list[int]:
    (check_run,) = server.check_runs.values()
    return [each["start_line"] for each in check_run["annotations"]]


def sizes(server: fake.GitHub) -> list[int]:
    return [len(e.body["output"]["annotations"]) for e in server.exchanges if e.method in {"POST", "PATCH"}]


@pytest.mark.parametrize("count", [0, 1, 50, 51, 100, 101])
def test_remarks_go_in_batches_of_fifty(server: fake.GitHub, github: PyGithubClient, count: int) -> None:
    assert check_run.publish_check_run(github, run(), remarks(count)) is None
    assert lines(server) == list(range(1, count + 1))
    assert max(sizes(server)) <= 50


LOST = [fake.no(502, "Bad gateway"), fake.Reply(drop=True), fake.no(429, "slow down", retry_after="3")]


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("refusal", LOST, ids=["502", "dropped", "429"])
@pytest.mark.parametrize("nth", [0, 1])
def test_gh_annotations_137(
    server: fake.GitHub, github: PyGithubClient, refusal: fake.Reply, nth: int, *, carried_out: bool
) -> None:
    """One of the two later requests fails, before or after GitHub carried it out."""
    good = [("PATCH", fake.Reply(through=True))] * nth
    server.faults = [*good, ("PATCH", replace(refusal, carried_out=carried_out))]

    assert check_run.publish_check_run(github, run(), remarks(137)) is None
    assert lines(server) == list(range(1, 138))
    assert [size for size in sizes(server) if size] in ([50, 50, 37], [50, 50, 50, 37], [50, 50, 37, 37])


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_check_run_whose_making_was_not_answered_is_made_once(
    server: fake.GitHub, github: PyGithubClient, *, carried_out: bool
) -> None:
    server.faults = [("POST", fake.Reply(drop=True, carried_out=carried_out))]

    assert check_run.publish_check_run(github, run(), remarks(60)) is None
    assert lines(server) == list(range(1, 61))


def test_another_attempt_makes_another_check_run(server: fake.GitHub, github: PyGithubClient) -> None:
    for attempt in ("10-1", "10-2"):
        server.faults = [("POST", fake.Reply(drop=True))]
        check_run.publish_check_run(github, run(external_id=attempt), remarks(1))

    assert [each_run["external_id"] for each_run in server.check_runs.values()] == ["10-1", "10-2"]


def test_a_check_run_that_stays_incomplete_says_how_much_is_missing(
    server: fake.GitHub, github: PyGithubClient
) -> None:
    server.faults = [("PATCH", fake.no(503, "down"))] * 50
    note = check_run.publish_check_run(github, run(), remarks(137))

    assert "50 of 137 annotations" in (note or "")
    assert next(iter(server.check_runs.values()))["conclusion"] == "failure"


def test_a_token_that_may_not_is_told_the_permission(server: fake.GitHub, github: PyGithubClient) -> None:
    server.read_only = True

    assert "checks: write" in (check_run.publish_check_run(github, run(), remarks(1)) or "")


def test_a_github_that_is_down_becomes_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.faults = [("*", fake.no(503, "down"))] * 50

    assert "was not made" in (check_run.publish_check_run(github, run(), remarks(1)) or "")


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("advise", [True, False])
@pytest.mark.parametrize("blocks", [True, False])
def test_the_conclusion_is_success_exactly_where_the_exit_code_is_0(
    verdict: Verdict, *, advise: bool, blocks: bool
) -> None:
    code = exit_code(verdict, advise=advise, inconclusive_blocks=blocks)

    assert (commit_status.check_conclusion(verdict, code != 0) == "success") == (code == 0)


@given(st.text(max_size=300), st.text(), st.one_of(st.none(), st.integers(1, 10**6)))
def test_every_remark_fits_and_is_told_in_signs_that_annotations_take(title: str, text: str, line: int | None) -> None:
    remark = check_run.to_remark(Annotation(path="a", line=line, level="warning", title=title, message=text * 300))
    title_, message = str(remark["title"]), str(remark["message"])

    assert len(title_) <= 255
    assert 0 < len(message.encode()) <= 64_000
    assert max(map(ord, title_ + message), default=0) <= 0xFFFF
    assert remark["start_line"] == remark["end_line"] == (line or 1)
