"""GitHub fails the Nth call, for every N and every kind, once or from then on: the verdict and what is told agree."""

import io
import json
from collections.abc import Mapping
from email.utils import formatdate
from functools import cache
from pathlib import Path

import pytest
from fakes import github as fake
from fakes.github import Reply, no
from fakes.jumping_clock import NOW, JumpingClock, client
from support.report_situations import SITUATIONS

from promptci.action import publication as bulletins
from promptci.app.requests import RunResult
from promptci.publish.github.github_session import MAX_LOST_S
from promptci.publish.publish_all import Publication, publish_all
from promptci.publish.runner.context import ActionContext
from promptci.report.model.report import ReportView
from promptci.report.output_paths import OutputPaths

HEAD, BASE = "a" * 40, "b" * 40
LONGEST_S = 3 * MAX_LOST_S
"""What all waiting together may take: of failed calls, and of the second between writes."""
SECOND = {"retry-after": "2"}
KINDS: Mapping[str, Reply] = {
    "400": no(400, "bad"),
    "401": no(401, "Bad credentials"),
    "403 read only": no(403, "Resource not accessible by integration"),
    "403 secondary limit": no(403, "You have exceeded a secondary rate limit."),
    "403 with a pause": no(403, "You have exceeded a secondary rate limit.", retry_after="2"),
    "403 until": no(403, fake.PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 5)),
    "404": no(404, "Not Found"),
    "410": no(410, "Gone"),
    "422": fake.words_refused("is invalid", "Comment"),
    "429 in seconds": no(429, "slow down", retry_after="3"),
    "429 at a date": no(429, "slow down", retry_after=formatdate(NOW + 5, usegmt=True)),
    "429 negative": no(429, "slow down", retry_after="-3"),
    "429 nan": no(429, "slow down", retry_after="nan"),
    "429 an hour": no(429, "slow down", retry_after="3600"),
    "429": no(429, "slow down"),
    "500": no(500, "Server Error"),
    "500 carried out": Reply(status=500, body={"message": "Server Error"}, carried_out=True),
    "502 page": Reply(status=502, text="<html>Unicorn!</html>", headers={"Content-Type": "text/html"}),
    "503": no(503, "Unavailable", **SECOND),
    "dropped": Reply(drop=True),
    "dropped when done": Reply(drop=True, carried_out=True),
    "truncated json": Reply(text='[{"id": 1, "bo'),
    "junk": Reply(text="\x00\x01{{{"),
    "empty": Reply(text=""),
    "a page in 200": Reply(text="<html>", headers={"Content-Type": "text/html"}),
    "another shape": Reply(body={"message": "hello"}),
    "a list of nothing": Reply(body=[None, 1, "x"]),
    "redirect elsewhere": Reply(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "moved elsewhere": Reply(status=301, body={}, headers={"Location": "http://127.0.0.1:9/x"}),
}
MOST_CALLS = 11
"""More than one announcement makes, which a test checks."""


def context(folder: Path) -> ActionContext:
    repo = {"full_name": fake.REPOSITORY}
    pull = {"number": 7, "base": {"sha": BASE, "ref": "main", "repo": repo}, "head": {"sha": HEAD, "repo": repo}}
    (folder / "event.json").write_text(json.dumps({"pull_request": pull}))
    return ActionContext.from_environ(
        {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": fake.REPOSITORY,
            "GITHUB_RUN_ID": "10",
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "INPUT_CHECK-RUN": "true",
            "INPUT_GITHUB-TOKEN": fake.TOKEN,
        }
    )


@cache
def regression() -> tuple[ReportView, Publication]:
    """A failing report, and what is announced of it: the same for every fault."""
    view, folder = SITUATIONS["regressed"](), Path("/workspace")
    outcome = RunResult(exit_code=view.exit_code, view=view, paths=OutputPaths(folder=folder))
    return view, bulletins.build_publication(outcome, folder)


def publish_with_faults(folder: Path, faults: list[tuple[str, Reply]]) -> fake.GitHub:
    """Announce a failing report while GitHub misbehaves, and assert what always holds."""
    view, bulletin = regression()
    out, time = io.StringIO(), JumpingClock()
    with fake.GitHub() as server:
        server.branches["main"] = BASE
        server.faults = faults
        notes = publish_all(context(folder), bulletin, client(server, time), out)
        if len(server.bodies) > 1:  # each was written and each answer lost: the next run leaves one
            server.faults = []
            publish_all(context(folder), bulletin, client(server, JumpingClock()), out)

    assert view.exit_code == 1
    assert time.seconds < LONGEST_S
    assert {status["state"] for status in server.statuses} <= {"failure"}
    assert {run["conclusion"] for run in server.check_runs.values()} <= {"failure"}
    assert len(server.bodies) <= 1
    # Even with GitHub gone, the runner's own files say what was found.
    assert "verdict" in (folder / "output").read_text()
    assert view.headline[:40] in (folder / "summary").read_text()
    written = "\n".join([*notes, out.getvalue(), *((folder / name).read_text() for name in ("output", "summary"))])
    assert fake.TOKEN not in written
    missing = [not server.bodies, not server.statuses, not server.check_runs]
    assert not any(missing) or notes
    assert all("\n" not in note for note in notes)
    return server


def test_undisturbed_it_takes_few_calls(tmp_path: Path) -> None:
    server = publish_with_faults(tmp_path, [])
    assert 3 <= len(server.exchanges) < MOST_CALLS
    assert (len(server.bodies), len(server.statuses), len(server.check_runs)) == (1, 1, 1)


@pytest.mark.parametrize(("at", "kind"), list(enumerate(KINDS)))
def test_each_kind_fails_one_call(at: int, kind: str, tmp_path: Path) -> None:
    """Every kind, and every call two or three times."""
    publish_with_faults(tmp_path, [*[("*", Reply(through=True))] * (at % MOST_CALLS), ("*", KINDS[kind])])


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_the_nth_call_fails(kind: str, tmp_path: Path) -> None:
    for at in range(MOST_CALLS):
        (folder := tmp_path / str(at)).mkdir()
        publish_with_faults(folder, [*[("*", Reply(through=True))] * at, ("*", KINDS[kind])])


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_call_fails_from_the_nth_on(kind: str, tmp_path: Path) -> None:
    for at in range(MOST_CALLS):
        (folder := tmp_path / str(at)).mkdir()
        publish_with_faults(folder, [*[("*", Reply(through=True))] * at, *[("*", KINDS[kind])] * 300])
