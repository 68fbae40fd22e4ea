"""Who may override a blocked change, asked of GitHub: every way to get one without the right is refused in words."""

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import github as fake
from fakes import openapi
from fakes.github_people import account, minute, number_of

from promptci.config.policy import OverridePolicy
from promptci.gates.people.override_rule import Blocked, Override, find_override
from promptci.publish.github.change_reviews import GithubReviews
from promptci.publish.github.github_session import ClientClock
from promptci.reviews import Person
from promptci.verdict import Verdict

HEAD, OLD = "a" * 40, "b" * 40
LABEL = "promptci-override"
POLICY = OverridePolicy(label=LABEL)
COMMAND = "/promptci override the supplier's outage is over tomorrow"
PUSHED, LABELLED, WROTE = 10, 20, 30


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    """A pull request of mallory's, which ada overrode as she should."""
    with fake.GitHub() as server, openapi.watched(server):
        pull = {"number": 7, "sha": HEAD, "owner": "example", "branch": "topic", "labels": [LABEL]}
        server.pulls = [{**pull, "user": account("mallory")}]
        server.people.roles = {"ada": "maintain", "mallory": "admin", "bo": "admin", "eve": "triage"}
        server.people.push(HEAD, PUSHED)
        server.people.label(LABEL, "ada", LABELLED)
        comment(server, "ada", COMMAND)
        yield server


def comment(server: fake.GitHub, by: str | None, text: str, *, at: int = WROTE, edited: int | None = None) -> None:
    written = server.comments[server.add_comment(text)]
    written["user"] = account(by)
    written |= {"created_at": minute(at), "updated_at": minute(at if edited is None else edited)}


def ask(
    server: fake.GitHub,
    policy: OverridePolicy = POLICY,
    *,
    token: str = fake.TOKEN,
    **facts: Any,
) -> Override | str:
    waits: list[float] = []
    clock = ClientClock(sleep=waits.append, monotonic=lambda: sum(waits), now=lambda: 0.0)
    reviews = GithubReviews(token, fake.REPOSITORY, 7, server.url, clock=clock)
    blocked = {"head": HEAD, "verdict": Verdict.FAIL, "rules": ("regression",), "is_measured": True, "trailer": None}
    return find_override(Blocked(**{**blocked, **facts}), policy, reviews)


def only_comment(server: fake.GitHub, by: str | None, text: str, *, at: int = WROTE, edited: int | None = None) -> None:
    server.comments.clear()
    comment(server, by, text, at=at, edited=edited)


def test_override_names_who_why_and_what(github: fake.GitHub) -> None:
    override = ask(github)
    assert isinstance(override, Override)
    assert override.by == Person("ada", number_of("ada"))
    assert (override.permission, override.reason.source) == ("maintain", "comment")
    assert override.reason.text == "the supplier's outage is over tomorrow"
    assert f"{override.at:%H:%M}" == "09:30"
    assert override.blocked.rules == ("regression",)


def test_without_the_label_it_says_how(github: fake.GitHub) -> None:
    github.pulls[0]["labels"] = []
    assert ask(github) == (
        "To merge all the same: somebody, not the author, with the permission `maintain` puts on the label"
        " `promptci-override` and comments `/promptci override REASON`. It counts until the next push."
    )


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        ("mallory", "is by `mallory`, who is the author of the pull request"),
        ("eve", "is by `eve`, who has the permission `triage` and needs `maintain`"),
        ("stranger", "is by `stranger`, who has the permission `read` and needs `maintain`"),
        ("labeler[bot]", "is by the app `labeler[bot]`, and only people may override"),
        (None, "the account behind the label `promptci-override` is gone"),
    ],
)
def test_label_by_somebody_without_the_right(github: fake.GitHub, by: str | None, refusal: str) -> None:
    github.people.label(LABEL, "ada", LABELLED + 1, event="unlabeled")
    github.people.label(LABEL, by, LABELLED + 2)
    assert refusal in str(ask(github))
    if by is None:  # GitHub answers so, and its description of the API does not know
        github.exchanges.clear()


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        ("mallory", "the comment with the reason is by `mallory`, who is the author"),
        ("eve", "the comment with the reason is by `eve`, who has the permission `triage`"),
        ("bot[bot]", "the comment with the reason is by the app `bot[bot]`"),
        (None, "the account behind the comment with the reason is gone"),
    ],
)
def test_reason_by_somebody_without_the_right(github: fake.GitHub, by: str | None, refusal: str) -> None:
    only_comment(github, by, COMMAND)
    assert refusal in str(ask(github))


def test_reason_may_be_another_person_s_with_the_right(github: fake.GitHub) -> None:
    only_comment(github, "bo", COMMAND)
    override = ask(github)
    assert isinstance(override, Override)
    assert (override.by.login, override.reason.by) == ("ada", Person("bo", number_of("bo")))


def test_author_may_override_where_the_configuration_says_so(github: fake.GitHub) -> None:
    github.pulls[0]["user"] = account("ada")
    assert "who is the author" in str(ask(github))
    assert isinstance(ask(github, OverridePolicy(label=LABEL, own_change=True)), Override)


@pytest.mark.parametrize(
    ("role", "least", "counts"), [("write", "maintain", 0), ("write", "write", 1), ("boss", "write", 1)]
)
def test_least_permission_is_configurable(github: fake.GitHub, role: str, least: str, counts: int) -> None:
    github.people.roles["ada"] = role  # a role of the organization's own counts as what it is built on
    assert isinstance(ask(github, OverridePolicy(label=LABEL, permission=least)), Override) == bool(counts)


def test_new_push_makes_it_void(github: fake.GitHub) -> None:
    new = "c" * 40
    github.people.push(new, WROTE + 1)
    github.pulls[0]["sha"] = new
    assert "the comment with the reason was written before the last push; write a new one" in str(ask(github, head=new))
    comment(github, "ada", COMMAND, at=WROTE + 2)
    assert "was put on before the last push; take it off and put it on again" in str(ask(github, head=new))
    github.people.label(LABEL, "ada", WROTE + 3)
    assert isinstance(ask(github, head=new), Override)


def test_push_back_to_the_overridden_commit_is_a_new_push(github: fake.GitHub) -> None:
    github.people.push("c" * 40, WROTE + 1)
    github.people.push(HEAD, WROTE + 2)
    assert "before the last push" in str(ask(github))


def test_push_in_the_same_second_is_no_override(github: fake.GitHub) -> None:
    github.people.pushes[0]["timestamp"] = minute(WROTE)
    assert "before the last push" in str(ask(github))


def test_commit_other_than_the_tested_one_is_not_overridden(github: fake.GitHub) -> None:
    assert "the pull request has a newer commit" in str(ask(github, head=OLD))


def test_comment_that_names_the_commit_needs_no_time_of_the_push(github: fake.GitHub) -> None:
    github.people.pushes.clear()
    assert "name the whole commit" in str(ask(github))
    comment(github, "ada", f"/promptci override {HEAD} {COMMAND}", at=0)
    assert isinstance(ask(github), Override)


def test_short_commit_does_not_count_because_it_can_be_forged(github: fake.GitHub) -> None:
    github.people.pushes.clear()
    only_comment(github, "ada", f"/promptci override {HEAD[:12]} reason")
    assert "GitHub does not say when the head was pushed" in str(ask(github))


def test_comment_that_names_another_commit(github: fake.GitHub) -> None:
    only_comment(github, "ada", f"/promptci override {OLD} reason")
    assert "the reason names the commit `bbbbbbb`, and the head is `aaaaaaa`" in str(ask(github))


def test_author_cannot_bind_an_old_label_by_naming_the_commit_in_the_text(github: fake.GitHub) -> None:
    github.comments.clear()
    github.pulls[0]["body"] = f"Fixes it.\n/promptci override {HEAD} trust me"
    github.people.push("c" * 40, LABELLED + 1)
    github.people.push(HEAD, LABELLED + 2)
    assert "was put on before the last push" in str(ask(github))


def test_edited_comment_is_void(github: fake.GitHub) -> None:
    only_comment(github, "ada", COMMAND, edited=WROTE + 5)
    assert "the comment with the reason was edited; write a new one" in str(ask(github))


@pytest.mark.parametrize(
    "text",
    [
        "> /promptci override quoted",
        "Write `/promptci override x`",
        "/promptci overrides x",
        "LGTM\n/promptci override x",
    ],
)
def test_text_that_only_mentions_the_command_is_no_reason(github: fake.GitHub, text: str) -> None:
    only_comment(github, "ada", text)
    assert "there is no reason; comment `/promptci override REASON`" in str(ask(github))


@pytest.mark.parametrize("reason", ["", "  ", "\u202e\u200b\u2066", "...", f"{HEAD}"])
def test_reason_without_a_word_is_none(github: fake.GitHub, reason: str) -> None:
    only_comment(github, "ada", f"/promptci override {reason}")
    assert "there is no reason" in str(ask(github))


def test_reason_is_kept_short(github: fake.GitHub) -> None:
    only_comment(github, "ada", f"/promptci override {'long ' * 10_000}")
    override = ask(github)
    assert isinstance(override, Override)
    assert len(override.reason.text) == 500


@pytest.mark.parametrize("source", ["trailer", "body"])
def test_reason_in_commit_or_text_counts_with_a_label_alone(github: fake.GitHub, source: str) -> None:
    github.comments.clear()
    if source == "body":
        github.pulls[0]["body"] = "Text.\r\n/promptci override agreed in the meeting\r\n"
    facts: dict[str, Any] = {"trailer": "agreed in the meeting"} if source == "trailer" else {}
    override = ask(github, **facts)
    assert isinstance(override, Override)
    assert (override.reason.text, override.reason.source, override.reason.by) == ("agreed in the meeting", source, None)
    github.people.events.clear()
    assert "GitHub does not say who put the label" in str(ask(github, **facts))


def test_label_in_another_case_is_the_same_label(github: fake.GitHub) -> None:
    assert isinstance(ask(github, OverridePolicy(label="Promptci-Override")), Override)


def test_login_that_belongs_to_somebody_else_by_now_has_no_right(github: fake.GitHub) -> None:
    github.people.numbers["ada"] = 4  # ada was renamed, and her login was taken by another account
    assert "`ada`, who has the permission `none`" in str(ask(github))


def test_label_and_comment_are_found_on_later_pages(github: fake.GitHub) -> None:
    events, comments = list(github.people.events), dict(github.comments)
    github.people.events.clear()
    github.comments.clear()
    for at in range(130):
        github.people.label("bug", "eve", at % 9)
        comment(github, "stranger", f"Comment {at}", at=at % 9)
    github.people.events += events
    github.comments |= {number + 1_000: each for number, each in comments.items()}
    assert isinstance(ask(github), Override)
    pages = [each.query.get("page") for each in github.exchanges if each.path.endswith(("/events", "/comments"))]
    assert pages == [None, "2", None, "2"]


def test_strangers_cannot_use_up_the_requests(github: fake.GitHub) -> None:
    for place in range(150):
        comment(github, f"stranger-{place}", COMMAND, at=WROTE + 1)
    assert isinstance(ask(github), Override)
    assert sum("/collaborators/" in each.path for each in github.exchanges) == 1
    github.comments.clear()
    for place in range(150):
        comment(github, f"stranger-{place}", COMMAND, at=WROTE + 1)
    assert "has the permission `read`" in str(ask(github))
    assert sum("/collaborators/stranger" in each.path for each in github.exchanges) == 10


@pytest.mark.parametrize(
    ("facts", "policy", "refusal"),
    [
        ({"is_measured": False, "verdict": Verdict.ERROR}, POLICY, "`merge_override.errors` is not set"),
        ({"is_measured": False}, OverridePolicy(label=LABEL, errors=True), None),
        ({"rules": ("missing-approval",)}, POLICY, "`merge_override.approvals` is not set"),
        ({"rules": ("missing-approval",)}, OverridePolicy(label=LABEL, approvals=True), None),
    ],
)
def test_what_may_be_overridden_is_configurable(
    github: fake.GitHub, facts: dict[str, Any], policy: OverridePolicy, refusal: str | None
) -> None:
    result = ask(github, policy, **facts)
    assert isinstance(result, Override) if refusal is None else refusal in str(result)


@pytest.mark.parametrize("place", range(5))
def test_silence_of_github_is_no_override(github: fake.GitHub, place: int) -> None:
    """Whichever of the requests fails for good: pull, events, permission, push, comments."""
    assert isinstance(ask(github), Override)
    assert len(github.exchanges) == 5
    for reply in (
        fake.no(500, "Oops"),
        fake.no(403, "Resource not accessible by integration"),
        fake.no(403, fake.PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset="9999"),
        fake.Reply(body={"unexpected": True}),
        fake.Reply(text="<html>"),
    ):
        github.faults = [("GET", fake.Reply(through=True))] * place + [("GET", reply)] * 60
        assert str(ask(github)).startswith("Not overridden: "), reply


def test_without_a_token_there_is_no_override(github: fake.GitHub) -> None:
    assert "There is no token" in str(ask(github, token=""))
