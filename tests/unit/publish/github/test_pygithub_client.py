"""The real client against the fake GitHub: pages, waits, refusals, and never more lost time than allowed."""

from contextlib import closing

import pytest
from fakes import github as fake
from fakes.jumping_clock import NOW, JumpingClock, client
from hypothesis import given
from hypothesis import strategies as st

from promptci.publish.github import github_session, rate_limits
from promptci.publish.github.api import Forbidden, GitHubError, NotFound, TooLong, Unavailable
from promptci.publish.github.github_session import MAX_LOST_S
from promptci.publish.github.pygithub_client import PyGithubClient

SHA1, SHA256 = "a" * 40, "b" * 64


def test_every_page_is_read(server: fake.GitHub, github: PyGithubClient) -> None:
    numbers = [server.add_comment(f"remark {number}") for number in range(350)]

    assert [comment.id for comment in github.comments(7)] == numbers
    assert server.count("GET") == 4
    assert {exchange.query["per_page"] for exchange in server.exchanges} == {"100"}


def test_reading_stops_when_nobody_wants_more(server: fake.GitHub, github: PyGithubClient) -> None:
    for number in range(350):
        server.add_comment(f"remark {number}")

    assert next(iter(github.comments(7))).body == "remark 0"
    assert server.count("GET") == 1


def test_a_next_page_on_another_host_is_not_followed(server: fake.GitHub, github: PyGithubClient) -> None:
    reply = fake.Reply(body=[], headers={"Link": '<http://elsewhere.example/steal>; rel="next"'})
    server.faults = [("GET", reply)]

    with pytest.raises(Unavailable):
        list(github.comments(7))


def test_a_conversation_without_end_is_given_up(server: fake.GitHub, github: PyGithubClient) -> None:
    again = f'<{server.url}/repos/{fake.REPOSITORY}/issues/7/comments?page=1>; rel="next"'
    server.faults = [("GET", fake.Reply(body=[], headers={"Link": again}))] * (github_session.MAX_PAGES + 1)

    with pytest.raises(Unavailable, match="more than"):
        list(github.comments(7))


def test_an_app_s_token_may_not_ask_who_it_is(github: PyGithubClient) -> None:
    assert github.viewer_login() is None


def test_a_persons_token_has_the_persons_login(server: fake.GitHub, github: PyGithubClient) -> None:
    server.login, server.may_ask_user = "maintainer", True

    assert github.viewer_login() == "maintainer"


def test_a_comment_of_a_deleted_account_has_no_author(server: fake.GitHub, github: PyGithubClient) -> None:
    server.comments[server.add_comment("hello")]["user"] = None

    assert [comment.author for comment in github.comments(7)] == [""]


@pytest.mark.parametrize("sha", [SHA1, SHA256])
def test_a_status_stands_beside_its_commit(server: fake.GitHub, github: PyGithubClient, sha: str) -> None:
    github.set_status(sha, "failure", "promptci", "worse", "https://github.com/example/shop/actions/runs/1")

    expected = {"state": "failure", "context": "promptci", "description": "worse"}
    assert expected.items() <= server.statuses[0].items()
    assert server.statuses[0]["sha"] == sha


def test_an_enterprise_servers_address_is_used(time: JumpingClock) -> None:
    with fake.GitHub(prefix="/api/v3") as server, closing(client(server, time)) as github:
        github.create_comment(7, "hello")
        for number in range(101):
            server.add_comment(f"remark {number}")

        assert len(list(github.comments(7))) == 102
        assert server.exchanges[0].path == "/repos/example/shop/issues/7/comments"


def test_the_token_travels_in_the_header_only(server: fake.GitHub, github: PyGithubClient) -> None:
    github.create_comment(7, "hello")

    (exchange,) = server.exchanges
    assert fake.TOKEN in exchange.headers["authorization"]
    assert fake.TOKEN not in repr((exchange.path, exchange.query, exchange.body))


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        (fake.no(429, "Too many requests", retry_after="7"), [7.0]),
        (fake.no(403, fake.SECONDARY, retry_after="30"), [30.0]),
        (fake.no(403, fake.SECONDARY), [60.0]),
        (fake.no(429, "slow down"), [60.0]),
        (fake.no(429, "slow down", retry_after="-3"), [60.0]),
        (fake.no(429, "slow down", retry_after="0"), [1.0]),
        (fake.no(403, fake.PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 20)), [21.0]),
        (fake.no(403, fake.PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset="5"), [1.0]),
        (fake.no(403, fake.PRIMARY, x_ratelimit_remaining="0"), [60.0]),
        (fake.no(500, "Server Error"), [1.0]),
        (fake.no(502, "Bad gateway"), [1.0]),
        (fake.Reply(drop=True), [1.0]),
    ],
)
def test_a_passing_refusal_is_waited_for_as_long_as_github_asks(
    server: fake.GitHub, github: PyGithubClient, time: JumpingClock, refusal: fake.Reply, waits: list[float]
) -> None:
    server.faults = [("POST", refusal)]

    assert github.create_comment(7, "hello").body == "hello"
    assert time.slept == waits
    assert server.bodies == ["hello"]


@pytest.mark.parametrize(
    "refusal",
    [
        fake.no(429, "slow down", retry_after="3600"),
        fake.no(403, fake.PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 3000)),
    ],
)
def test_a_wait_that_is_too_long_is_not_begun(
    server: fake.GitHub, github: PyGithubClient, time: JumpingClock, refusal: fake.Reply
) -> None:
    server.faults = [("GET", refusal)]

    with pytest.raises(Unavailable):
        list(github.comments(7))
    assert time.slept == []


@pytest.mark.parametrize("refusal", [fake.no(503, "down"), fake.no(429, "slow down", retry_after="20")])
def test_all_calls_together_lose_no_more_than_two_minutes(
    server: fake.GitHub, github: PyGithubClient, time: JumpingClock, refusal: fake.Reply
) -> None:
    server.faults = [("*", refusal)] * 200

    for _ in range(5):
        with pytest.raises(Unavailable):
            list(github.comments(7))
    assert 60 < sum(time.slept) <= MAX_LOST_S


def test_writes_keep_a_second_between_them(github: PyGithubClient, time: JumpingClock) -> None:
    comment = github.create_comment(7, "one")
    github.update_comment(comment.id, "two")
    list(github.comments(7))
    github.delete_comment(comment.id)

    assert time.slept == [1.0, 1.0]


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (fake.no(401, "Bad credentials"), Forbidden),
        (fake.no(403, "Resource not accessible by integration"), Forbidden),
        (fake.no(403, "Unable to create comment because issue is locked."), Forbidden),
        (fake.no(404, "Not Found"), NotFound),
        (fake.no(410, "Issues are disabled for this repo"), NotFound),
        (fake.words_refused("Body is too long (maximum is 65536 characters)", "IssueComment"), TooLong),
        (fake.words_refused("was submitted too quickly", "IssueComment"), Unavailable),
        (fake.no(400, "Problems parsing JSON"), Unavailable),
    ],
)
def test_a_lasting_refusal_is_named_at_once(
    server: fake.GitHub, github: PyGithubClient, time: JumpingClock, refusal: fake.Reply, error: type[GitHubError]
) -> None:
    server.faults = [("POST", refusal)]

    with pytest.raises(GitHubError) as caught:
        github.create_comment(7, "hello")
    assert type(caught.value) is error
    assert time.slept == []


def test_the_fakes_own_limits_are_met_as_refusals(server: fake.GitHub, github: PyGithubClient) -> None:
    with pytest.raises(TooLong):
        github.create_comment(7, "x" * 65_537)
    with pytest.raises(NotFound):
        github.update_comment(1, "hello")
    with pytest.raises(NotFound):
        github.delete_comment(1)
    with pytest.raises(TooLong):
        github.set_status(SHA1, "error", "promptci", "x" * 141, "")
    server.read_only = True
    with pytest.raises(Forbidden):
        github.set_status(SHA1, "error", "promptci", "x", "")


@pytest.mark.parametrize(
    "reply",
    [
        fake.Reply(body={"id": "no number", "body": "", "html_url": ""}, status=201),
        fake.Reply(body={"message": "hi"}, status=201),
        fake.Reply(body=[], status=201),
        fake.Reply(status=201),
    ],
)
def test_an_answer_that_is_no_comment_is_an_error_of_ours_not_a_traceback(
    server: fake.GitHub, github: PyGithubClient, reply: fake.Reply
) -> None:
    server.faults = [("POST", reply)]

    with pytest.raises(Unavailable):
        github.create_comment(7, "hello")


@pytest.mark.parametrize("body", [{"message": "hi"}, None, [3], ["x"]])
def test_an_answer_that_is_no_list_of_comments_is_an_error_of_ours(
    server: fake.GitHub, github: PyGithubClient, body: object
) -> None:
    server.faults = [("GET", fake.Reply(body=body))]

    with pytest.raises(Unavailable):
        list(github.comments(7))


def test_nobody_listening_is_said_so(time: JumpingClock) -> None:
    with fake.GitHub() as gone:
        address = gone.url
    with (
        closing(PyGithubClient(fake.TOKEN, fake.REPOSITORY, address, time.clock)) as github,
        pytest.raises(Unavailable, match="cannot be reached") as caught,
    ):
        github.viewer_login()
    assert fake.TOKEN not in str(caught.value)


def test_githubs_words_cannot_command_the_runner(server: fake.GitHub, github: PyGithubClient) -> None:
    server.faults = [("POST", fake.no(403, "::error::x\n##[debug]y\x1b[31m"))]

    with pytest.raises(Forbidden) as caught:
        github.create_comment(7, "hello")
    assert str(caught.value) == "> ::error::x ## [debug]y"


@given(st.one_of(st.none(), st.text(), st.integers().map(str), st.floats().map(str)))
def test_no_header_makes_a_wait_that_is_not_a_time(value: str | None) -> None:
    seconds = rate_limits.number(value)

    assert seconds is None or 0 <= seconds < 1e16
