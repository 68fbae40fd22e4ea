"""Approvals, asked of GitHub's reviews: who counts, for which commit, and what is said where somebody is missing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fakes import github as fake
from fakes import openapi
from fakes.github_people import account
from support.plans import prompt_plan

from promptci.config.policy import ApprovalRule
from promptci.findings import Finding
from promptci.gates.people.approval_rule import ApprovalFacts, check_approvals
from promptci.present.finding_text.describe import describe
from promptci.prompts.model import Prompt
from promptci.publish.github.change_reviews import GithubReviews
from promptci.publish.github.github_session import ClientClock
from promptci.runs.prompt_plan import PromptPlan, Status
from promptci.verdict import Verdict

HEAD, OLD = "a" * 40, "b" * 40
RULE = ApprovalRule(prompts="prompts/clinical/**", role="medical-review", by=("dr-ada", "dr-bo", "@acme/medical"))
PATH = "prompts/clinical/triage.prompt.yml"


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    """A pull request of mallory's, with doctors who may write."""
    with fake.GitHub() as server, openapi.watched(server):
        server.pulls = [{"number": 7, "sha": HEAD, "owner": "x", "branch": "topic", "user": account("mallory")}]
        server.people.roles = dict.fromkeys(("dr-ada", "dr-bo", "dr-cy", "mallory"), "write")
        server.people.teams = {"acme/medical": {"dr-cy", "mallory"}}
        yield server


def changed(path: str = PATH) -> PromptPlan:
    return prompt_plan(name="triage", path=path, status=Status.CHANGED, base=None, head=None)


def ask(server: fake.GitHub, rule: ApprovalRule = RULE, *, path: str = PATH, token: str = fake.TOKEN) -> Finding:
    clock = ClientClock(sleep=lambda _: None, monotonic=lambda: 0.0, now=lambda: 0.0)
    reviews = GithubReviews(token, fake.REPOSITORY, 7, server.url, clock=clock)
    (finding,) = check_approvals([rule], [changed(path)], reviews, HEAD)
    return finding


def approvers(finding: Finding) -> list[str]:
    assert isinstance(finding.facts, ApprovalFacts)
    return [each.login for each in finding.facts.approvers]


def test_review_of_the_head_approves(github: fake.GitHub) -> None:
    github.people.review("Dr-Ada", HEAD, at=5)
    github.people.roles["Dr-Ada"] = "write"
    finding = ask(github)
    assert (finding.rule, finding.verdict, approvers(finding)) == ("approved", Verdict.NO_CHANGE, ["Dr-Ada"])
    assert describe(finding).text == "The approval `medical-review` for `triage` is there, by `Dr-Ada`."


def test_nobody_has_reviewed(github: fake.GitHub) -> None:
    finding = ask(github)
    assert (finding.rule, finding.verdict) == ("missing-approval", Verdict.FAIL)


@pytest.mark.parametrize("state", ["COMMENTED", "CHANGES_REQUESTED", "DISMISSED", "PENDING"])
def test_review_in_another_state_does_not_count(github: fake.GitHub, state: str) -> None:
    github.people.review("dr-ada", HEAD, state=state)
    assert ask(github).rule == "missing-approval"


def test_last_review_of_a_person_counts_and_comments_change_nothing(github: fake.GitHub) -> None:
    github.people.review("dr-ada", HEAD)
    github.people.review("dr-ada", HEAD, state="COMMENTED")
    assert ask(github).rule == "approved"
    github.people.review("dr-ada", HEAD, state="CHANGES_REQUESTED")
    assert ask(github).rule == "missing-approval"
    github.people.review("dr-ada", HEAD)
    assert ask(github).rule == "approved"


def test_review_of_an_earlier_commit_is_stale(github: fake.GitHub) -> None:
    github.people.review("dr-ada", OLD)
    finding = ask(github)
    assert finding.rule == "missing-approval"
    assert "`dr-ada` approved an earlier commit, so the review is needed again." in describe(finding).text


@pytest.mark.parametrize("by", ["stranger", "dr-eve", None, "helper[bot]"])
def test_others_do_not_count(github: fake.GitHub, by: str | None) -> None:
    github.people.roles["stranger"] = "admin"
    github.people.review(by, HEAD)
    assert ask(github, replace(RULE, by=("dr-ada", "helper"))).rule == "missing-approval"


def test_author_does_not_approve_herself(github: fake.GitHub) -> None:
    github.people.review("mallory", HEAD)
    assert ask(github, replace(RULE, by=("mallory", "@acme/medical"))).rule == "missing-approval"


def test_stranger_with_the_login_that_an_approver_gave_up_does_not_count(github: fake.GitHub) -> None:
    github.people.roles["dr-ada"] = "read"
    github.people.review("dr-ada", HEAD)
    assert ask(github).rule == "missing-approval"


def test_member_of_a_team_counts(github: fake.GitHub) -> None:
    github.people.review("dr-cy", HEAD)
    assert approvers(ask(github)) == ["dr-cy"]


def test_team_that_the_token_may_not_see_is_an_error_only_where_it_is_needed(github: fake.GitHub) -> None:
    github.people.hides_teams = True
    github.people.review("dr-cy", HEAD)
    finding = ask(github)
    assert (finding.rule, finding.verdict) == ("approval-unknown", Verdict.ERROR)
    github.people.review("dr-ada", HEAD)
    assert approvers(ask(github)) == ["dr-ada"]


def test_as_many_people_as_the_rule_says(github: fake.GitHub) -> None:
    rule = replace(RULE, count=2)
    github.people.review("dr-ada", HEAD)
    github.people.review("dr-ada", HEAD)
    finding = ask(github, rule)
    assert finding.rule == "missing-approval"
    assert "1 of 2 are there" in describe(finding).text
    github.people.review("dr-bo", HEAD)
    assert approvers(ask(github, rule)) == ["dr-ada", "dr-bo"]


def test_review_beyond_the_first_hundred_counts(github: fake.GitHub) -> None:
    for place in range(230):
        github.people.review(f"stranger-{place}", HEAD, state="COMMENTED")
    github.people.review("dr-bo", HEAD)
    assert approvers(ask(github)) == ["dr-bo"]


def test_silence_of_github_is_no_approval(github: fake.GitHub) -> None:
    github.people.review("dr-ada", HEAD)
    for place in range(3):
        github.faults = [("GET", fake.Reply(through=True))] * place + [("GET", fake.no(403, "No"))] * 9
        finding = ask(github)
        assert (finding.rule, finding.verdict) == ("approval-unknown", Verdict.ERROR)
    github.faults = []
    assert "could not be checked: There is no token" in describe(ask(github, token="")).text


def test_prompt_elsewhere_needs_no_approval() -> None:
    assert check_approvals([RULE], [changed("prompts/shop/order.prompt.yml")], None, HEAD) == ()


def test_move_out_of_the_folder_does_not_escape_the_rule() -> None:
    moved = changed("prompts/free.prompt.yml")
    moved = replace(
        moved,
        change=replace(
            moved.change, base=Prompt(name="triage", path=PATH, model="m", messages=()), status=Status.RENAMED
        ),
    )
    (finding,) = check_approvals([RULE], [moved], None, HEAD)
    assert finding.rule == "approval-not-checked"


def test_terminal_says_that_it_cannot_be_checked_here() -> None:
    (finding,) = check_approvals([RULE], [changed()], None, HEAD)
    assert finding.verdict is Verdict.NO_CHANGE
    assert describe(finding).text == (
        "The approval `medical-review` for `triage` takes a review by one of `dr-ada`, `dr-bo` and `@acme/medical`, "
        "which can be checked in the pull request only."
    )
