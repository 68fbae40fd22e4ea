"""One comment for each pull request, whatever happens between two requests."""

import re

import pytest
from fakes import github as fake
from hypothesis import given
from hypothesis import strategies as st

from promptci.publish import comment
from promptci.publish.comment import Marker, PublishedComment
from promptci.publish.github.pygithub_client import PyGithubClient

HEAD = "a" * 40
NUMBER = 7


def mark(run: int = 10, attempt: int = 1, key: str = "promptci.yml") -> Marker:
    return Marker(key=key, run=run, attempt=attempt, head=HEAD)


def publish(
    github: PyGithubClient, body: str = "worse", marker: Marker | None = None, *, create: bool = True
) -> PublishedComment:
    return comment.publish_sticky(github, NUMBER, body, marker or mark(), fallback_body="short", create=create)


def test_the_first_run_adds_a_comment_with_the_marker_on_its_first_line(
    server: fake.GitHub, github: PyGithubClient
) -> None:
    published = publish(github)

    assert published.action == "created"
    assert published.note is None
    assert server.bodies == [f"<!-- promptci:v1 key=promptci.yml run=10 attempt=1 head={HEAD} -->\nworse"]
    assert published.url == next(iter(server.comments.values()))["html_url"]


def test_the_next_run_updates_it_in_place(server: fake.GitHub, github: PyGithubClient) -> None:
    first = publish(github)
    second = publish(github, "better", mark(run=11))

    assert (second.action, second.url) == ("updated", first.url)
    assert [body.splitlines()[1] for body in server.bodies] == ["better"]


def test_the_comment_is_found_among_350_others(server: fake.GitHub, github: PyGithubClient) -> None:
    for number in range(350):
        if number == 250:
            publish(github)
        server.add_comment(f"remark {number}")

    assert publish(github, "better", mark(run=11)).action == "updated"
    assert sum("promptci:v1" in body for body in server.bodies) == 1


def test_a_rerun_of_the_same_run_updates_and_shows_its_attempt(server: fake.GitHub, github: PyGithubClient) -> None:
    publish(github)

    assert publish(github, "again", mark(attempt=2)).action == "updated"
    assert "attempt=2" in server.bodies[0]


@pytest.mark.parametrize("newer", [mark(run=11), mark(attempt=2)])
def test_a_slow_old_run_does_not_overwrite_a_newer_one(
    server: fake.GitHub, github: PyGithubClient, newer: Marker
) -> None:
    publish(github, "newer", newer)
    published = publish(github, "older")

    assert published.action == "skipped-newer"
    assert "newer run" in (published.note or "")
    assert [body.splitlines()[1] for body in server.bodies] == ["newer"]


def test_another_configuration_has_its_own_comment(server: fake.GitHub, github: PyGithubClient) -> None:
    publish(github)
    publish(github, "the other", mark(key="other/promptci.yml"))

    assert len(server.bodies) == 2


def test_a_marker_written_by_somebody_else_is_not_ours(server: fake.GitHub, github: PyGithubClient) -> None:
    forged = server.add_comment(f"{mark(run=99)}\nall is well", "mallory")
    published = publish(github)

    assert published.action == "created"
    assert "another account" in (published.note or "")
    assert server.comments[forged]["body"].endswith("all is well")


def test_a_marker_that_is_not_on_the_first_line_is_not_ours(server: fake.GitHub, github: PyGithubClient) -> None:
    quoted = server.add_comment(f"> quoted\n{mark()}", fake.ACTIONS_BOT)

    assert publish(github).action == "created"
    assert server.comments[quoted]["body"].startswith("> quoted")


def test_nothing_changed_adds_no_comment(server: fake.GitHub, github: PyGithubClient) -> None:
    assert publish(github, create=False) == PublishedComment(action="none")
    assert server.bodies == []
    assert server.count("POST") == 0


def test_nothing_changed_brings_an_existing_comment_up_to_date(server: fake.GitHub, github: PyGithubClient) -> None:
    publish(github)

    assert publish(github, "no prompt changed", mark(run=11), create=False).action == "updated"
    assert "no prompt changed" in server.bodies[0]


def test_of_two_comments_of_ours_the_oldest_stays(server: fake.GitHub, github: PyGithubClient) -> None:
    oldest = server.add_comment(f"{mark(run=1)}\none", fake.ACTIONS_BOT)
    server.add_comment(f"{mark(run=2)}\ntwo", fake.ACTIONS_BOT)

    assert publish(github).action == "updated"
    assert list(server.comments) == [oldest]


def test_a_comment_deleted_between_listing_and_update_is_written_again(
    server: fake.GitHub, github: PyGithubClient
) -> None:
    publish(github)
    server.after.append(("GET", lambda: None))  # GET /user
    server.after.append(("GET", server.comments.clear))

    assert publish(github, "better", mark(run=11)).action == "created"
    assert [body.splitlines()[1] for body in server.bodies] == ["better"]


@pytest.mark.parametrize(
    ("partner", "stays", "action"),
    [(mark(run=9), "ours", "updated"), (mark(run=11), "theirs", "skipped-newer")],
)
def test_two_runs_that_both_find_nothing_end_with_one_comment_of_the_newest(
    server: fake.GitHub, github: PyGithubClient, partner: Marker, stays: str, action: str
) -> None:
    server.after.append(("GET", lambda: None))  # GET /user
    server.after.append(("GET", lambda: server.add_comment(f"{partner}\ntheirs", fake.ACTIONS_BOT)))

    assert publish(github, "ours").action == action
    assert [body.splitlines()[1] for body in server.bodies] == [stays]


def test_of_two_runs_the_one_that_came_first_leaves_the_other_to_give_way(
    server: fake.GitHub, github: PyGithubClient
) -> None:
    server.after.append(("POST", lambda: server.add_comment(f"{mark(run=11)}\ntheirs", fake.ACTIONS_BOT)))

    assert publish(github, "ours").action == "created"
    assert len(server.bodies) == 2


def test_an_app_that_may_not_ask_who_it_is_still_keeps_one_comment(server: fake.GitHub, github: PyGithubClient) -> None:
    server.login = "acme-prompts[bot]"
    publish(github, "one")

    assert publish(github, "two", mark(run=11)).action == "updated"
    assert [body.splitlines()[1] for body in server.bodies] == ["two"]


def test_a_personal_token_finds_its_own_comment(server: fake.GitHub, github: PyGithubClient) -> None:
    server.login, server.may_ask_user = "maintainer", True
    publish(github, "one")

    assert publish(github, "two", mark(run=11)).action == "updated"
    assert server.count("DELETE") == 0


def test_a_text_at_the_limit_is_posted_whole(server: fake.GitHub, github: PyGithubClient) -> None:
    room = fake.LONGEST_COMMENT - len(f"{mark()}\n")
    publish(github, "x" * room)

    assert len(server.bodies[0]) == fake.LONGEST_COMMENT


@pytest.mark.parametrize("first", [True, False])
def test_a_text_one_character_too_long_is_posted_short(
    server: fake.GitHub, github: PyGithubClient, *, first: bool
) -> None:
    if not first:
        publish(github)
    room = fake.LONGEST_COMMENT - len(f"{mark()}\n")
    published = publish(github, "x" * (room + 1))

    assert published.action == ("created" if first else "updated")
    assert server.bodies == [f"{mark()}\nshort"]


def test_a_short_text_that_is_too_long_as_well_becomes_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.longest_comment = 5
    published = publish(github)

    assert published.action == "failed"
    assert "was not posted" in (published.note or "")


def test_a_read_only_token_becomes_a_note_that_names_the_permission(
    server: fake.GitHub, github: PyGithubClient
) -> None:
    server.read_only = True
    published = publish(github)

    assert published.action == "forbidden"
    assert "pull-requests: write" in (published.note or "")
    assert "fork" in (published.note or "")
    assert "Resource not accessible by integration" in (published.note or "")


def test_a_locked_conversation_becomes_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.locked = True

    assert "locked" in (publish(github).note or "")


def test_a_pull_request_that_the_token_is_not_shown_becomes_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.faults = [
        ("GET", fake.no(403, "Resource not accessible by integration")),
        ("GET", fake.no(404, "Not Found")),
    ]
    published = publish(github)

    assert published.action == "failed"
    assert "pull request 7" in (published.note or "")


def test_a_github_that_is_down_becomes_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.faults = [("*", fake.no(503, "Service unavailable"))] * 50
    published = publish(github)

    assert published.action == "failed"
    assert "503" in (published.note or "")


def test_a_comment_that_could_not_be_looked_after_is_still_posted(server: fake.GitHub, github: PyGithubClient) -> None:
    down = ("GET", fake.no(502, "Bad gateway"))
    server.after.append(("POST", lambda: server.faults.extend([down] * 50)))
    published = publish(github)

    assert published.action == "created"
    assert "502" in (published.note or "")
    assert len(server.bodies) == 1


def test_a_duplicate_that_cannot_be_deleted_does_no_harm(server: fake.GitHub, github: PyGithubClient) -> None:
    for run in (1, 2):
        server.add_comment(f"{mark(run=run)}\nold", fake.ACTIONS_BOT)
    server.faults = [("DELETE", fake.no(403, "Resource not accessible by integration"))]

    assert publish(github).action == "updated"


@given(st.text())
def test_no_key_ends_the_marker_or_stands_for_another_field(key: str) -> None:
    line = str(Marker(key=key, run=1, attempt=1, head=HEAD))

    assert re.fullmatch(r"<!-- promptci:v1 key=[^\s<>-]+ run=1 attempt=1 head=a{40} -->", line)
    assert comment._read(f"{line}\nbody", key) == (1, 1, 0)


def test_a_marker_of_a_form_to_come_is_taken_for_the_oldest_run() -> None:
    assert comment._read("<!-- promptci:v1 key=promptci.yml -->\nbody", "promptci.yml") == (0, 0, 0)
