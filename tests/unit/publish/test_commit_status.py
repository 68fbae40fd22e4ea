"""The commit status says what the exit code does, in at most 140 characters."""

import pytest
from fakes import github as fake
from hypothesis import given
from hypothesis import strategies as st

from promptci.publish import commit_status
from promptci.publish.commit_status import CommitStatus
from promptci.publish.github.pygithub_client import PyGithubClient
from promptci.verdict import Verdict, exit_code

SHA = "a" * 40


def status(description: str = "worse") -> CommitStatus:
    return CommitStatus(state="failure", context="promptci", description=description, target_url="https://github.com/x")


@pytest.mark.parametrize(
    ("verdict", "blocking", "state"),
    [
        (Verdict.NO_CHANGE, False, "success"),
        (Verdict.PASS, False, "success"),
        (Verdict.INCONCLUSIVE, False, "success"),
        (Verdict.INCONCLUSIVE, True, "failure"),
        (Verdict.FAIL, True, "failure"),
        (Verdict.FAIL, False, "success"),
        (Verdict.ERROR, True, "error"),
        (Verdict.ERROR, False, "error"),
    ],
)
def test_each_verdict_has_its_state(verdict: Verdict, blocking: bool, state: str) -> None:
    assert commit_status.status_state(verdict, blocking) == state


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("advise", [True, False])
def test_a_status_is_green_exactly_where_the_exit_code_is_0(verdict: Verdict, *, advise: bool) -> None:
    code = exit_code(verdict, advise=advise)

    assert (commit_status.status_state(verdict, code != 0) == "success") == (code == 0)


def test_the_status_is_set(server: fake.GitHub, github: PyGithubClient) -> None:
    assert commit_status.publish_status(github, SHA, status()) is None
    assert server.statuses[0]["description"] == "worse"


@given(st.text(max_size=400))
def test_a_description_fits_however_its_characters_are_counted(text: str) -> None:
    short = commit_status.shorten_description(text)

    assert len(short.encode("utf-16-le", errors="surrogatepass")) // 2 <= 140
    assert short == text or short.endswith("…")


def test_a_long_headline_is_accepted(server: fake.GitHub, github: PyGithubClient) -> None:
    assert commit_status.publish_status(github, SHA, status("😀" * 200)) is None
    assert server.statuses[0]["description"].endswith("😀…")


def test_a_missing_permission_is_named(server: fake.GitHub, github: PyGithubClient) -> None:
    server.read_only = True

    assert "statuses: write" in (commit_status.publish_status(github, SHA, status()) or "")


def test_the_thousandth_and_first_status_is_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.statuses = [{"sha": SHA, "context": "promptci"}] * 1000

    assert "was not set" in (commit_status.publish_status(github, SHA, status()) or "")
