"""One open issue for each key, whatever happens between two requests."""

import threading
from contextlib import closing, suppress

import pytest
from fakes import github as fake
from fakes.jumping_clock import JumpingClock, client
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.daily import some_daily

from promptci.present.escape import code, inline
from promptci.publish.github.api import Forbidden, GitHubError, NotFound, Unavailable
from promptci.publish.github.issue_client import IssueClient
from promptci.publish.github.issues import IssueTracker, build_marker, connect_tracker

KEY = "alert quality-low order-extractor"


@pytest.fixture
def tracker(github: IssueClient) -> IssueTracker:
    return IssueTracker(github, ["promptci"])


def texts(server: fake.GitHub) -> list[str]:
    """The open issues' texts without their markers."""
    return [known.body.split("\n", 1)[1] for known in server.issues.open]


def test_the_first_call_opens_an_issue_with_marker_and_labels(server: fake.GitHub, tracker: IssueTracker) -> None:
    url = tracker.open_or_update(KEY, "Quality is low", "82 %")

    (issue,) = server.issues.open
    assert url == f"https://github.com/{fake.REPOSITORY}/issues/{issue.number}"
    assert (issue.title, issue.labels) == ("Quality is low", ("promptci",))
    assert issue.body == f"{build_marker(KEY)}\n82 %"


def test_a_later_call_updates_it_and_an_equal_one_sends_nothing(server: fake.GitHub, tracker: IssueTracker) -> None:
    first = tracker.open_or_update(KEY, "Quality is low", "82 %")
    assert tracker.open_or_update(KEY, "Quality is low", "80 %") == first
    assert texts(server) == ["80 %"]

    writes = server.count("POST") + server.count("PATCH")
    assert tracker.open_or_update(KEY, "Quality is low", "80 %") == first
    assert server.count("POST") + server.count("PATCH") == writes


def test_each_key_has_an_issue_of_its_own(server: fake.GitHub, tracker: IssueTracker) -> None:
    tracker.open_or_update("a b", "One", "one")
    tracker.open_or_update("a~b", "Two", "two")

    assert texts(server) == ["one", "two"]


def test_it_is_found_among_250_other_issues_and_pull_requests(server: fake.GitHub, tracker: IssueTracker) -> None:
    server.pulls = [{"number": n, "sha": "a" * 40, "owner": "mallory", "branch": "t"} for n in range(1, 50)]
    for number in range(200):
        server.issues.add(f"Other {number}", "text")
    url = tracker.open_or_update(KEY, "Quality is low", "82 %")
    server.issues.add("Newer", "text")

    assert tracker.open_or_update(KEY, "Quality is low", "80 %") == url


@pytest.mark.parametrize("may_ask", [True, False])
def test_an_issue_that_others_wrote_is_not_ours(server: fake.GitHub, tracker: IssueTracker, *, may_ask: bool) -> None:
    if may_ask:
        server.login, server.may_ask_user = "maintainer", True
    forged = server.issues.add("All is well", f"{build_marker(KEY)}\nall is well", "mallory")
    server.pulls = [
        {"number": 9, "sha": "a" * 40, "owner": server.login, "branch": "t", "body": f"{build_marker(KEY)}\nx"}
    ]
    tracker.open_or_update(KEY, "Quality is low", "82 %")

    assert texts(server) == ["all is well", "82 %"]
    tracker.close(KEY, "Resolved.")
    assert [known.number for known in server.issues.open] == [forged]


def test_a_marker_that_is_not_on_the_first_line_is_not_ours(server: fake.GitHub, tracker: IssueTracker) -> None:
    server.issues.add("Quoted", f"> quoted\n{build_marker(KEY)}", fake.ACTIONS_BOT)
    tracker.open_or_update(KEY, "Quality is low", "82 %")

    assert len(server.issues.open) == 2


def test_another_apps_issue_is_left_alone(server: fake.GitHub, tracker: IssueTracker) -> None:
    theirs = server.issues.add("Theirs", f"{build_marker(KEY)}\ntheirs", "other-app[bot]")
    tracker.open_or_update(KEY, "Quality is low", "82 %")
    tracker.close(KEY, "Resolved.")

    assert [known.number for known in server.issues.open] == [theirs]


def test_a_closed_issue_stays_closed_and_a_new_one_is_opened(server: fake.GitHub, tracker: IssueTracker) -> None:
    first = tracker.open_or_update(KEY, "Quality is low", "82 %")
    assert tracker.close(KEY, "Resolved after 3 looks.") == first
    assert [known.state_reason for known in server.issues.by_number.values()] == ["completed"]
    assert server.bodies == ["Resolved after 3 looks."]

    assert tracker.open_or_update(KEY, "Quality is low", "82 %") != first
    assert len(server.issues.open) == 1


def test_closing_again_does_nothing(server: fake.GitHub, tracker: IssueTracker) -> None:
    tracker.open_or_update(KEY, "Quality is low", "82 %")
    tracker.close(KEY, "Resolved.")

    assert tracker.close(KEY, "Resolved.") is None
    assert server.bodies == ["Resolved."]


def test_a_close_that_broke_off_after_its_comment_is_finished(server: fake.GitHub, tracker: IssueTracker) -> None:
    tracker.open_or_update(KEY, "Quality is low", "82 %")
    server.faults = [("PATCH", fake.no(422, "Something odd"))]
    with pytest.raises(Unavailable):
        tracker.close(KEY, "Resolved.")
    tracker.close(KEY, "Resolved.")

    assert server.issues.open == []
    assert server.bodies == ["Resolved."]


def test_a_locked_issue_is_closed_without_a_comment(server: fake.GitHub, tracker: IssueTracker) -> None:
    tracker.open_or_update(KEY, "Quality is low", "82 %")
    server.locked = True
    tracker.close(KEY, "Resolved.")

    assert server.issues.open == []


@pytest.mark.parametrize("closed_by_the_other", [True, False])
def test_an_issue_that_was_closed_since_it_was_listed_is_opened_anew(
    server: fake.GitHub, tracker: IssueTracker, *, closed_by_the_other: bool
) -> None:
    tracker.open_or_update(KEY, "Quality is low", "82 %")
    (issue,) = server.issues.open

    def leave() -> None:
        if closed_by_the_other:
            issue.state = "closed"
        else:
            server.issues.by_number.clear()  # transferred to another repository

    server.after += [("GET", lambda: None), ("GET", leave)]
    tracker.open_or_update(KEY, "Quality is low", "80 %")

    assert texts(server) == ["80 %"]


def test_of_two_runs_that_both_find_nothing_the_later_gives_way(server: fake.GitHub, tracker: IssueTracker) -> None:
    def other_run() -> None:
        server.issues.add("Quality is low", f"{build_marker(KEY)}\ntheirs", fake.ACTIONS_BOT)

    server.after += [("GET", lambda: None), ("GET", other_run)]
    url = tracker.open_or_update(KEY, "Quality is low", "ours")

    assert url.endswith("/100")
    assert texts(server) == ["ours"]
    assert server.bodies == ["Duplicate of #100."]


def test_two_real_clients_at_once_leave_one_issue(server: fake.GitHub) -> None:
    gate = threading.Barrier(2)

    def work(number: int) -> None:
        with closing(client(server, JumpingClock())) as github:
            gate.wait()
            IssueTracker(github).open_or_update(KEY, "Quality is low", f"run {number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(server.issues.open) == 1


def test_a_lost_response_does_not_open_a_second_issue(server: fake.GitHub, tracker: IssueTracker) -> None:
    server.faults = [("POST", fake.Reply(drop=True, carried_out=True))]
    url = tracker.open_or_update(KEY, "Quality is low", "82 %")

    assert len(server.issues.by_number) == 1
    assert url.endswith("/100")


def test_an_issue_whose_second_look_fails_is_still_reported(server: fake.GitHub, tracker: IssueTracker) -> None:
    down = ("GET", fake.no(502, "Bad gateway"))
    server.after.append(("POST", lambda: server.faults.extend([down] * 50)))

    assert tracker.open_or_update(KEY, "Quality is low", "82 %").endswith("/100")


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("place", some_daily(range(6), 3))
def test_whichever_request_fails_the_next_look_finds_one_issue(
    server: fake.GitHub, time: JumpingClock, place: int, *, carried_out: bool
) -> None:
    """Each request in turn gets no answer three times, of opening, updating and closing; then GitHub is back."""
    passing = [("*", fake.Reply(through=True))] * place
    server.faults = [*passing, *[("*", fake.Reply(drop=True, carried_out=carried_out))] * 3]
    for text in ("82 %", "80 %"):
        with closing(client(server, time)) as github, suppress(GitHubError):
            IssueTracker(github).open_or_update(KEY, "Quality is low", text)
    server.faults.clear()
    with closing(client(server, time)) as github:
        IssueTracker(github).open_or_update(KEY, "Quality is low", "80 %")
        assert texts(server) == ["80 %"]
        server.faults = [*passing, *[("*", fake.Reply(drop=True, carried_out=carried_out))] * 3]
        with suppress(GitHubError):
            IssueTracker(github).close(KEY, "Resolved.")
        server.faults.clear()
        IssueTracker(github).close(KEY, "Resolved.")
    assert server.issues.open == []


def test_a_token_without_the_permission_is_told_which_it_needs(server: fake.GitHub, tracker: IssueTracker) -> None:
    server.read_only = True

    with pytest.raises(Forbidden, match="permissions: issues: write"):
        tracker.open_or_update(KEY, "Quality is low", "82 %")


def test_a_repository_without_issues_is_named(server: fake.GitHub, tracker: IssueTracker) -> None:
    server.issues.switched_on = False

    with pytest.raises(NotFound, match="issues are enabled"):
        tracker.open_or_update(KEY, "Quality is low", "82 %")


def test_long_and_hostile_words_neither_break_the_issue_nor_forge_a_marker(
    server: fake.GitHub, tracker: IssueTracker
) -> None:
    hostile = f"@everyone https://evil.example #1 <b>x</b>\n\u202e{build_marker('other')}"
    body = f"Rule {code(hostile)}: {inline(hostile)}\n\n{build_marker('other')}\n" + "line\n" * 50_000
    tracker.open_or_update(KEY, f"{hostile}\n{'x' * 400}", body)

    (issue,) = server.issues.open
    assert len(issue.title) <= 256
    assert "\n" not in issue.title
    assert "\u202e" not in issue.title
    assert issue.body.count("<!--") == 1
    tokens = [token for top in MarkdownIt("commonmark").parse(issue.body) for token in (top, *(top.children or []))]
    assert not [t for t in tokens if t.type == "text" and ("@everyone" in t.content or "https://evil" in t.content)]
    assert not [t for t in tokens if t.type == "html_inline"]
    writes = server.count("PATCH")
    tracker.open_or_update(KEY, f"{hostile}\n{'x' * 400}", body)
    assert server.count("PATCH") == writes


@given(st.text(), st.text())
def test_a_marker_belongs_to_one_key_and_is_one_line(key: str, other: str) -> None:
    assert (build_marker(key) == build_marker(other)) == (key == other)
    assert build_marker(key).isascii()
    assert "\n" not in build_marker(key)


def test_outside_a_workflow_there_is_no_tracker(server: fake.GitHub) -> None:
    with connect_tracker({"GITHUB_REPOSITORY": fake.REPOSITORY}) as none:
        assert none is None
    environ = {"GITHUB_REPOSITORY": fake.REPOSITORY, "GITHUB_TOKEN": fake.TOKEN, "GITHUB_API_URL": server.url}
    with connect_tracker(environ) as tracker:
        assert tracker is not None
        assert tracker.close(KEY, "Resolved.") is None
