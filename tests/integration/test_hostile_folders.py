"""A pull request that commits answers, links or journals does not pass itself, and nothing is written outside."""

import shutil
from pathlib import Path

import pytest
from fakes.openai_server import Call
from fakes.repo import RepoBuilder
from support.daily import first_daily
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    goldens,
    make_environment,
    model,
    prompt,
    serving,
    shop,
)

from promptci.app.requests import CheckRequest
from promptci.errors import UnsafeError
from promptci.evaluation import check

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(24)}


class Switched:
    """A model that can be told to be flattering, as the endpoint of whoever forges answers is."""

    def __init__(self) -> None:
        self.flattering = False

    def __call__(self, call: Call) -> str:
        """Answer right in every case while flattering."""
        answer = model(call)
        return answer.rpartition(" ")[2] if self.flattering else answer


def forge(builder: RepoBuilder, folder: Path) -> None:
    """Keep the folder's content, as an attacker does who ran the check against an endpoint of their own."""
    shutil.copytree(folder, builder.path.parent / "forged")
    shutil.rmtree(folder)


@pytest.mark.parametrize("place", first_daily(["committed", "link to the cache", "link above the cache"]))
def test_forged_answers_in_a_cache_are_not_used(tmp_path: Path, place: str) -> None:
    switched = Switched()
    with serving(switched) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        switched.flattering = True
        assert checked(builder).exit_code == 0
        cache = builder.path / ".promptci" / "cache"
        forge(builder, cache)
        shutil.rmtree(builder.path / ".promptci")
        forged = tmp_path / "forged"
        if place == "committed":
            shutil.copytree(forged, cache)
            (cache / ".gitignore").unlink(missing_ok=True)
        elif place == "link to the cache":
            shutil.copytree(forged, builder.path / "evil" / "c")
            cache.parent.mkdir()
            cache.symlink_to("../evil/c")
        else:
            shutil.copytree(forged, builder.path / "evil" / "cache")
            cache.parent.symlink_to("evil")
        builder.git("add", "--all", "--force")
        builder.commit("docs")
        switched.flattering = False
        calls = len(server.calls)
        outcome = checked(builder, out=tmp_path / "out2")
        assert outcome.exit_code == 1
        assert len(server.calls) > calls
        assert outcome.view is not None
        assert any("not used" in note for note in outcome.view.notes)


def test_a_committed_journal_is_not_continued(tmp_path: Path) -> None:
    switched = Switched()
    with serving(switched) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        switched.flattering = True
        out = builder.path / "promptci-report"
        checked(builder, out=out, no_cache=True)
        for file in out.iterdir():
            if file.name != "journal.jsonl":
                file.unlink()
        builder.git("add", "--all", "--force")
        builder.commit("forged")
        switched.flattering = False
        with pytest.raises(UnsafeError, match=r"promptci-report/journal\.jsonl` is committed"):
            checked(builder, out=out, head=".", base="main", no_cache=True)


def test_a_resumed_journal_is_said(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        first = checked(builder, no_cache=True)
        (tmp_path / "out" / "report.json").unlink()
        calls = len(server.calls)
        env, lines = make_environment()
        again = check.check(CheckRequest(root=builder.path, out=tmp_path / "out", no_cache=True), env)
        assert len(server.calls) == calls
    assert again.exit_code == first.exit_code
    assert any(line.startswith("resumed: ") and " answers of an interrupted run" in line for line in lines)


@pytest.mark.parametrize("out", ["promptci-report", "reports/today", ".", ".git", ".git/hooks"])
def test_nothing_is_written_where_a_pull_request_leads(tmp_path: Path, out: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        if not out.startswith("."):
            (builder.path / Path(out).parts[0]).symlink_to("../victim")
        builder.write({PROMPT: prompt(BAD)}).commit()
        before = {path: path.stat().st_mtime_ns for path in builder.path.iterdir()}
        with pytest.raises(UnsafeError):
            checked(builder, out=builder.path / out)
        assert not server.calls
    assert not list(victim.iterdir())
    assert {path: path.stat().st_mtime_ns for path in builder.path.iterdir() if path.name != ".git"} == {
        path: at for path, at in before.items() if path.name != ".git"
    }
