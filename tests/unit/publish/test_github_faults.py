"""The numbered ways in which GitHub's surface goes wrong, each by its name: sizes, races, refusals, renames."""

import io
import json
import threading
from contextlib import closing
from pathlib import Path

import pytest
from fakes import github as fake
from fakes import runner
from fakes.jumping_clock import NOW, JumpingClock, client
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.daily import first_daily
from support.hostile_payloads import planted, rich
from support.report_situations import HOSTILE, SITUATIONS
from support.run_notation import comparison, many, report

from promptci.action import publication as bulletins
from promptci.app.requests import RunResult
from promptci.publish import comment
from promptci.publish.comment import FRAME_BYTES, Marker, PublishedComment
from promptci.publish.github.api import Unavailable
from promptci.publish.github.github_session import MAX_LOST_S
from promptci.publish.github.pygithub_client import PyGithubClient
from promptci.publish.publish_all import Publication, publish_all
from promptci.publish.runner import workflow_commands
from promptci.publish.runner.context import ActionContext
from promptci.report.markdown import markdown_renderer
from promptci.report.model.report import ReportView
from promptci.report.output_paths import OutputPaths
from promptci.verdict import Verdict

HEAD, BASE = "a" * 40, "b" * 40
LIMIT = 60_000


def mark(run: int = 10, attempt: int = 1) -> Marker:
    return Marker(key="promptci.yml", run=run, attempt=attempt, head=HEAD)


def publish(github: PyGithubClient, body: str = "worse", marker: Marker | None = None) -> PublishedComment:
    return comment.publish_sticky(github, 7, body, marker or mark(), fallback_body="short", create=True)


def texts(server: fake.GitHub) -> list[str]:
    return [body.splitlines()[1] for body in server.bodies]


def context(folder: Path, **options: str) -> ActionContext:
    repo = {"full_name": "example/shop"}
    pull = {"number": 7, "base": {"sha": BASE, "ref": "main", "repo": repo}, "head": {"sha": HEAD, "repo": repo}}
    (folder / "event.json").write_text(json.dumps({"pull_request": pull}))
    environ = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": "example/shop",
        "GITHUB_RUN_ID": "10",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "INPUT_GITHUB-TOKEN": fake.TOKEN,
    }
    return ActionContext.from_environ({**environ, **options})


def make_publication(view: ReportView, folder: Path) -> Publication:
    """What the Action tells of a view."""
    return bulletins.build_publication(
        RunResult(exit_code=view.exit_code, view=view, paths=OutputPaths(folder=folder)), folder
    )


def post(view: ReportView, folder: Path, github: PyGithubClient, **options: str) -> tuple[str, ...]:
    return publish_all(context(folder, **options), make_publication(view, folder), github, io.StringIO())


def huge(answer: str, cases: int = 60) -> ReportView:
    rows = "\n".join(f"m-{i} | {answer} | {i} | {i} | {answer}" for i in range(cases))
    return report(
        *(comparison(rows, name=f"failing-{i}") for i in range(10)), comparison(many(right=60), name="passing")
    )


# Sizes


def test_gh_comment_exact_65536(server: fake.GitHub, github: PyGithubClient) -> None:
    room = fake.LONGEST_COMMENT - len(f"{mark()}\n")
    assert publish(github, "x" * room).action == "created"
    assert len(server.bodies[0]) == fake.LONGEST_COMMENT

    assert publish(github, "x" * (room + 1), mark(run=11)).action == "updated"
    assert texts(server) == ["short"]


@pytest.mark.long
def test_gh_comment_exact_65536_of_a_whole_report(tmp_path: Path, server: fake.GitHub, github: PyGithubClient) -> None:
    view = huge("long " * 400)
    assert post(view, tmp_path, github) == ()

    (body,) = server.bodies
    assert LIMIT / 2 < len(body.encode()) <= LIMIT
    assert view.headline[:40] in body
    assert "Left out to fit: " in body
    assert "[Run 10](<https://github.com/example/shop/actions/runs/10>)" in body


def test_gh_comment_emoji_astral_and_crlf(tmp_path: Path, server: fake.GitHub, github: PyGithubClient) -> None:
    assert post(planted(rich(), "😀" * 20_000 + "\r\nline"), tmp_path, github) == ()

    (body,) = server.bodies
    assert len(body.encode("utf-8")) <= LIMIT  # also: whole code points, or this would raise
    assert "\ufffd" not in body


@pytest.mark.parametrize("cases", first_daily([12, 1, 40]))
@pytest.mark.parametrize(
    "answer", first_daily(["```\n" * 200, "~~~\n| a | b |\n" * 100, "</details>\n" * 200, "| a |\n|--|\n" * 99])
)
def test_gh_comment_trim_inside_fence_table_details(answer: str, cases: int, tmp_path: Path) -> None:
    text = make_publication(huge(answer.replace("\n", "⏎").replace("|", "/"), cases), tmp_path).comment_md
    assert len(text.encode()) <= LIMIT - FRAME_BYTES
    fences = [t for t in MarkdownIt("commonmark").enable("table").parse(text) if t.type == "fence"]
    assert not [fence for fence in fences if "<sub>promptci" in fence.content]
    opened = [line for line in text.splitlines() if line in ("<details>", "</details>")]
    assert opened.count("<details>") == opened.count("</details>")


def test_gh_comment_422_after_trim(tmp_path: Path, server: fake.GitHub, github: PyGithubClient) -> None:
    server.longest_comment = 2_000
    view = SITUATIONS["regressed"]()
    assert post(view, tmp_path, github) == ()

    (body,) = server.bodies
    assert len(body) <= 2_000
    assert view.headline[:20] in body
    assert view.exit_code == 1


def test_marker_and_foot_fit_into_what_is_spared_for_them(tmp_path: Path, github: PyGithubClient) -> None:
    longest = Marker(key="é/" * 2_000, run=10**17, attempt=10**8, head="f" * 64)
    assert len(str(longest).encode()) < FRAME_BYTES / 2
    assert len(longest.one_time) < FRAME_BYTES / 2


@given(st.text(min_size=101), st.text(min_size=101))
def test_long_keys_that_differ_stay_apart(item: str, other: str) -> None:
    same = Marker(key=item, run=1, attempt=1, head=HEAD) == Marker(key=other, run=1, attempt=1, head=HEAD)
    plain = comment._NOT_IN_KEY
    if plain.sub("~", item) != plain.sub("~", other):
        assert comment.slug(item) != comment.slug(other)
    assert same == (item == other)


# Whose comment, and which run's


def test_gh_comment_marker_on_page_4(server: fake.GitHub, github: PyGithubClient) -> None:
    for number in range(350):
        if number == 330:
            publish(github)
        server.add_comment(f"remark {number}")

    assert publish(github, "better", mark(run=11)).action == "updated"
    assert [e.query.get("page") for e in server.exchanges if e.method == "GET"][-4:] == [None, "2", "3", "4"]
    assert sum("promptci:v1" in body for body in server.bodies) == 1


def test_gh_comment_author_changed_pat_to_app(server: fake.GitHub, github: PyGithubClient) -> None:
    old = server.add_comment(f"{mark(run=1)}\nold", "maintainer")
    published = publish(github)

    assert published.action == "created"
    assert "another account" in (published.note or "")
    assert server.comments[old]["body"].endswith("old")
    assert publish(github, "again", mark(run=11)).action == "updated"
    assert texts(server) == ["old", "again"]


def test_gh_comment_two_runs_race(server: fake.GitHub, time: JumpingClock) -> None:
    """Two real clients at once, many times over: always one comment, never the older run's."""
    for _ in range(4):
        server.comments.clear()
        gate = threading.Barrier(2)

        def work(number: int, gate: threading.Barrier = gate) -> None:
            with closing(client(server, JumpingClock())) as github:
                gate.wait()
                publish(github, f"run {number}", mark(run=number))

        threads = [threading.Thread(target=work, args=(number,)) for number in (10, 11)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        with closing(client(server, time)) as late:
            publish(late, "run 9", mark(run=9))
        assert texts(server) == ["run 11"]


def test_gh_comment_deleted_between_list_and_patch(server: fake.GitHub, github: PyGithubClient) -> None:
    publish(github)
    server.after += [("GET", lambda: None), ("GET", server.comments.clear)]

    assert publish(github, "better", mark(run=11)).action == "created"
    assert texts(server) == ["better"]


@pytest.mark.parametrize(
    "forged", [mark(run=10**17), mark(run=10**17).one_time, f"{mark(run=99)}{mark(run=99)}"], ids=str
)
def test_a_forged_marker_is_ignored(server: fake.GitHub, github: PyGithubClient, forged: object) -> None:
    server.add_comment(f"{forged}\nall is well", "mallory")

    assert publish(github).action == "created"
    assert texts(server) == ["all is well", "worse"]


def test_a_comment_of_a_run_of_its_own_is_added_whatever_stands_there(
    server: fake.GitHub, github: PyGithubClient
) -> None:
    publish(github)
    added = comment.add_comment(github, 7, "x" * 70_000, mark(run=11), fallback_body="short")

    assert added.action == "created"
    assert texts(server) == ["worse", "short"]
    assert publish(github, "again", mark(run=12)).action == "updated"
    assert texts(server) == ["again", "short"]


def test_a_comment_that_may_not_be_added_becomes_a_note(server: fake.GitHub, github: PyGithubClient) -> None:
    server.read_only = True

    assert "pull-requests: write" in (comment.add_comment(github, 7, "x", mark(), fallback_body="-").note or "")


# Refusals


@pytest.mark.parametrize("case", ["gh_comment_pr_locked", "gh_comment_pr_closed_mid_run"])
def test_the_verdict_and_the_summary_stand(
    case: str, tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    server.locked = case == "gh_comment_pr_locked"  # a closed pull request takes comments, a locked one does not
    notes = post(SITUATIONS["regressed"](), tmp_path, github)

    assert (tmp_path / "summary").read_text().startswith("### ")
    assert dict(runner.key_values((tmp_path / "output").read_text()))["verdict"] == "fail"
    assert len(server.bodies) == (0 if server.locked else 1)
    assert ("locked" in " ".join(notes)) == server.locked
    assert server.statuses[0]["state"] == "failure"


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        pytest.param(fake.no(403, fake.SECONDARY), [60.0], id="gh_secondary_limit_403_no_header"),
        pytest.param(fake.no(429, "slow down", retry_after="17"), [17.0], id="gh_secondary_limit_429_retry_after"),
        pytest.param(
            fake.no(403, fake.PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 40)),
            [41.0],
            id="gh_secondary_limit_remaining0_reset",
        ),
    ],
)
def test_a_limit_is_waited_for_within_the_deadline(
    server: fake.GitHub, github: PyGithubClient, time: JumpingClock, refusal: fake.Reply, waits: list[float]
) -> None:
    server.faults = [("POST", refusal)]
    assert publish(github).action == "created"
    assert [second for second in time.slept if second != 1.0] == waits

    server.faults = [("*", fake.no(refusal.status, fake.SECONDARY))] * 50
    assert publish(github, "again", mark(run=11)).action == "failed"
    assert sum(time.slept) <= MAX_LOST_S


def test_a_renamed_repository_is_followed(tmp_path: Path, server: fake.GitHub, github: PyGithubClient) -> None:
    server.renamed = True
    server.branches["main"] = "d" * 40
    for number in range(120):
        server.add_comment(f"remark {number}")
    for run in ("10", "11"):
        assert post(SITUATIONS["regressed"](), tmp_path, github, GITHUB_RUN_ID=run, **{"INPUT_CHECK-RUN": "true"}) == ()

    assert len(server.bodies) == 121
    assert "run=11" in server.bodies[-1]
    assert "has moved since" in server.bodies[-1]
    assert len(server.statuses) == len(server.check_runs) == 2


@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("place", ["http://evil.example/x", "https://127.0.0.1/x", ""])
def test_a_move_to_another_host_is_not_followed(
    server: fake.GitHub, github: PyGithubClient, status: int, place: str
) -> None:
    headers = {"Location": place} if place else {}
    server.faults = [("POST", fake.Reply(status=status, body={"message": "Moved"}, headers=headers))]

    with pytest.raises(Unavailable):
        github.set_status(HEAD, "success", "promptci", "x", "")
    assert server.statuses == []


def test_a_move_in_circles_ends(server: fake.GitHub, github: PyGithubClient) -> None:
    address = f"{server.url}/repos/{fake.REPOSITORY}/statuses/{HEAD}"
    server.faults = [("POST", fake.Reply(status=307, body={}, headers={"Location": address}))] * 10

    with pytest.raises(Unavailable, match="307"):
        github.set_status(HEAD, "success", "promptci", "x", "")


def test_a_page_of_a_proxy_is_no_success(server: fake.GitHub, github: PyGithubClient) -> None:
    server.faults = [("POST", fake.Reply(status=200, text="<html>log in</html>"))]

    with pytest.raises(Unavailable, match="not JSON"):
        github.set_status(HEAD, "success", "promptci", "x", "")


# Files of the runner


def test_gh_output_delimiter_in_value(tmp_path: Path) -> None:
    hostile = "x\nghadelimiter_0\nverdict=pass\nverdict<<E\npass\nE\n"
    path = tmp_path / "output"
    workflow_commands.set_outputs(path, {"verdict": "fail", "report-path": hostile})

    assert runner.key_values(path.read_text()) == [("verdict", "fail"), ("report-path", hostile)]


def test_gh_step_summary_over_1MiB(  # noqa: N802 - the case's own name
    tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    (tmp_path / "summary").write_text("x" * 800_000)
    view = SITUATIONS["regressed"]()
    publication = Publication(
        verdict=Verdict.FAIL,
        exit_code=1,
        headline="worse",
        comment_md="worse",
        short_comment_md="worse",
        summary_md="😀 long line\n" * 200_000,
        annotations=(),
        outputs={"verdict": view.verdict},
    )
    assert publish_all(context(tmp_path), publication, github, io.StringIO()) == ()

    assert (tmp_path / "summary").stat().st_size <= workflow_commands.SUMMARY_LIMIT == 900 * 1024
    assert (tmp_path / "summary").read_text().rstrip().endswith(workflow_commands.SUMMARY_NOTICE)
    assert server.statuses[0]["state"] == "failure"


# Words of others


@pytest.mark.parametrize(
    "branch", ["main", "a`b", "@everyone", "<b>x", "x\n# y", "a|b", "fixes-#1", "https://evil.example"]
)
def test_no_name_of_a_branch_is_alive_in_the_foot(
    tmp_path: Path, server: fake.GitHub, github: PyGithubClient, branch: str
) -> None:
    repo = {"full_name": "example/shop"}
    pull = {"number": 7, "base": {"sha": BASE, "ref": branch, "repo": repo}, "head": {"sha": HEAD, "repo": repo}}
    server.branches[branch] = "d" * 40
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": pull}))
    where = ActionContext.from_environ(
        {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REPOSITORY": "example/shop",
        }
    )
    publish_all(where, make_publication(SITUATIONS["regressed"](), tmp_path), github, io.StringIO())

    foot = server.bodies[0].rsplit("<sub>promptci", 1)[1]
    assert "has moved since" in foot
    live = [
        token.type
        for top in MarkdownIt("commonmark").parse(foot)
        for token in (top, *(top.children or []))
        if token.type in {"heading_open", "link_open", "html_block"} or (token.type == "text" and "@" in token.content)
    ]
    assert live == ["link_open"]


def test_hostile_words_leave_one_marker_and_no_mention(
    tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    assert post(SITUATIONS["hostile_text"](), tmp_path, github) == ()

    (body,) = server.bodies
    assert body.count("<!--") == 1
    tokens = [token for top in MarkdownIt("commonmark").parse(body) for token in (top, *(top.children or []))]
    assert not [t for t in tokens if t.type == "text" and ("@everyone" in t.content or "https://evil" in t.content)]
    assert "@everyone" in HOSTILE


def test_a_comment_leaves_room_for_what_stands_around_it() -> None:
    assert len(markdown_renderer.render_comment(huge("long " * 300), spare=20_000).encode()) <= 40_000
