"""`deploy --push` and `rollback --push`: one commit on top of the remote's branch, whatever the clone looks like."""

import subprocess
from pathlib import Path

import pytest
from fakes.repo import ENVIRON, RepoBuilder
from support import released
from support.daily import first_daily, some_daily
from support.processes import LONGEST_S
from support.released import PRODUCTION, PROMPT, prompt, run
from support.templates import copy_built

from promptci.errors import GitError, UsageError
from promptci.git import new_commit
from promptci.git.snapshot import Snapshot
from promptci.rollout.deployments import commit, remote_branch
from promptci.rollout.deployments.commit import CommitTarget, PlannedCommit

CANARY = ("deploy", "order@v1.1.0", "--env", "production", "--canary", "--push")
STAGING = "deployments/staging.yml"


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    """Two versions were released, the first runs in production, and all of that is at the remote."""
    copy_built(build_shop, tmp_path)
    return RepoBuilder(tmp_path / "shop")


def build_shop(path: Path) -> None:
    builder = released.shop(path)
    released.release(builder)
    assert run(builder, "deploy", "order@v1.0.0", "--env", "production").code == 0
    released.release(builder, "Copy only the number.")
    released.with_remote(builder)


def clone(shop: RepoBuilder, name: str, *options: str) -> RepoBuilder:
    place = shop.path.parent / name
    remote = f"file://{shop.path.parent / 'origin.git'}"
    subprocess.run(["git", "clone", "--quiet", *options, remote, str(place)], env=ENVIRON, check=True)
    return RepoBuilder(place)


def at_remote(shop: RepoBuilder, *words: str) -> str:
    return RepoBuilder(shop.path.parent / "reader").git("--git-dir", str(shop.path.parent / "origin.git"), *words)


def test_the_commit_is_at_the_remote_and_here(shop: RepoBuilder) -> None:
    done = run(shop, *CANARY)
    assert done.code == 0, done.text
    head = shop.git("rev-parse", "HEAD")
    assert done.text.splitlines()[1] == f"  commit {head[:7]} changes {PRODUCTION}; pushed to main"
    assert at_remote(shop, "rev-parse", "main") == head
    assert (shop.git("status", "--porcelain"), "share: 5" in (shop.path / PRODUCTION).read_text()) == ("", True)
    assert shop.git("log", "-1", "--format=%s %an") == "Deploy order@v1.1.0 as canary to production Ann"
    again = run(shop, *CANARY, "--json").value
    assert (again["changed"], again["commit"], again["pushed"]) == (False, None, None)


def test_a_rollback_is_pushed(shop: RepoBuilder) -> None:
    assert run(shop, *CANARY).code == 0
    dry = run(shop, "rollback", "order", "--to", "v1.0.0", "--push", "--dry-run")
    assert (dry.code, f"would change {PRODUCTION}, {PROMPT} by one commit" in dry.text) == (0, True)
    assert at_remote(shop, "log", "-1", "--format=%s", "main").startswith("Deploy")
    result = run(shop, "rollback", "order", "--to", "v1.0.0", "--push", "--json").value
    assert (result["pushed"], result["pulled"]) == ("main", True)
    assert result["commit"] == at_remote(shop, "rev-parse", "main")
    assert at_remote(shop, "show", f"main:{PROMPT}") == prompt().strip()


@pytest.mark.parametrize(
    "state",
    some_daily(["dirty file", "staged work", "detached", "another branch", "unpushed commit", "merge conflict"], 3),
)
def test_what_the_clone_looks_like_does_not_matter(shop: RepoBuilder, state: str) -> None:
    before = at_remote(shop, "rev-parse", "main")
    kept = prepare(shop, state)
    done = run(shop, *CANARY)
    assert done.code == 0, done.text
    assert at_remote(shop, "rev-parse", "main~1") == before
    assert at_remote(shop, "diff", "--name-only", "main~1", "main") == PRODUCTION
    if state == "staged work":
        assert (shop.git("status", "--porcelain"), kept) == ("A  mine.txt", "A  mine.txt")
    else:
        verb = "fetch" if state in {"detached", "another branch"} else "pull"
        assert f"`git {verb} origin main` brings it here" in done.text
        assert shop.git("status", "--porcelain") == kept


def prepare(shop: RepoBuilder, state: str) -> str:
    """Bring a clone into a state, and return what `git status` says of it."""
    if state == "dirty file":
        shop.write({PRODUCTION: "prompts: {}\n"})
    elif state == "staged work":
        shop.write({"mine.txt": "x"})
        shop.git("add", "mine.txt")
    elif state == "detached":
        shop.git("switch", "--quiet", "--detach", "HEAD")
    elif state == "another branch":
        shop.branch("mine")
    elif state == "unpushed commit":
        shop.write({"mine.txt": "x"}).commit("mine")
    else:
        shop.branch("other").write({PROMPT: prompt("One.")}).commit()
        shop.git("switch", "--quiet", "main")
        shop.write({PROMPT: prompt("Two.")}).commit()
        with pytest.raises(AssertionError):
            shop.git("merge", "other")
    return shop.git("status", "--porcelain")


def test_a_deployment_that_was_not_pushed_is_named_where_another_one_is_pushed(shop: RepoBuilder) -> None:
    assert run(shop, *CANARY[:-1], "--because", "by hand").code == 0
    done = run(shop, *CANARY)
    assert "warning: 1 commit of this clone changes the same files and is not at the remote" in done.text
    assert "`git pull origin main` brings it here" in done.text


def test_a_clone_that_is_behind_changes_the_newest_file(shop: RepoBuilder) -> None:
    behind = clone(shop, "behind")
    shop.write({PRODUCTION: (shop.path / PRODUCTION).read_text() + "# by hand\n"}).commit()
    shop.git("push", "--quiet", "origin", "main")
    assert run(behind, *CANARY).code == 0
    assert at_remote(shop, "show", f"main:{PRODUCTION}").endswith("share: 5\n# by hand")
    assert behind.git("rev-parse", "HEAD") == at_remote(shop, "rev-parse", "main")


@pytest.mark.long
def test_a_shallow_clone_pushes(shop: RepoBuilder) -> None:
    shallow = clone(shop, "shallow", "--depth=1", "--no-tags")
    done = run(shallow, *CANARY)
    assert done.code == 0, done.text
    assert at_remote(shop, "rev-list", "--count", "main") == "4"


@pytest.mark.long
def test_many_that_deploy_at_once_lose_nothing(shop: RepoBuilder) -> None:
    """Six people deploy to an environment of their own; every commit is there, and none was forced."""
    before = at_remote(shop, "rev-parse", "main")
    clones = [clone(shop, f"person-{number}") for number in range(6)]
    started = [
        released.start(builder, ["deploy", "order@v1.1.0", "--env", builder.path.name, "--new-env", "--push"])
        for builder in clones
    ]
    ends = [process.communicate(timeout=LONGEST_S) for process in started]
    assert [process.returncode for process in started] == [0] * 6, ends
    files = at_remote(shop, "ls-tree", "--name-only", "main", "deployments/").split()
    assert files == sorted(["deployments/production.yml", *(f"deployments/person-{number}.yml" for number in range(6))])
    assert at_remote(shop, "rev-list", "--count", f"{before}..main") == "6"
    assert at_remote(shop, "rev-list", "--merges", "--count", "main") == "0"


@pytest.mark.long
def test_two_that_want_different_things_do_not_undo_each_other(shop: RepoBuilder) -> None:
    """The slower one is told of the canary that has begun in the meantime, as anybody is."""
    released.release(shop, "Copy nothing but the number.")
    shop.git("push", "--quiet", "--tags", "origin", "main")
    first, two = clone(shop, "one"), clone(shop, "two")
    expected = {first: "order@v1.1.0", two: "order@v1.2.0"}
    started = [
        released.start(workspace, ["deploy", name, "--env", "production", "--canary", "--push"])
        for workspace, name in expected.items()
    ]
    ends = [process.communicate(timeout=LONGEST_S) for process in started]
    assert sorted(process.returncode for process in started) == [0, 2], ends
    assert any("is being tried there" in error for _, error in ends)
    assert at_remote(shop, "show", f"main:{PRODUCTION}").count("version:") == 1


def test_a_branch_for_a_pull_request(shop: RepoBuilder) -> None:
    main = at_remote(shop, "rev-parse", "main")
    done = run(shop, *CANARY, "--branch", "deploy/order")
    assert (done.code, "pushed to deploy/order. `git fetch origin deploy/order` brings it here" in done.text) == (
        0,
        True,
    ), done.text
    assert (at_remote(shop, "rev-parse", "main"), at_remote(shop, "rev-parse", "deploy/order~1")) == (main, main)
    again = run(shop, "deploy", "order@v1.1.0", "--env", "staging", "--new-env", "--push", "--branch", "deploy/order")
    assert again.code == 0
    assert at_remote(shop, "rev-list", "--count", "main..deploy/order") == "2"


def test_a_protected_branch_is_named_with_the_way_out(shop: RepoBuilder) -> None:
    hook = shop.path.parent / "origin.git" / "hooks" / "update"
    hook.write_text('#!/bin/sh\n[ "$1" = refs/heads/main ] && exit 1\nexit 0\n')
    hook.chmod(0o755)
    before = shop.git("rev-parse", "HEAD")
    done = run(shop, *CANARY)
    assert (done.code, "git push to main failed: hook declined" in done.text) == (4, True), done.text
    assert "pass `--branch NAME` and open a pull request" in done.text
    assert (shop.git("rev-parse", "HEAD"), shop.git("status", "--porcelain")) == (before, "")
    assert run(shop, *CANARY, "--branch", "deploy/order").code == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    first_daily(
        [
            (
                ["--remote", "nowhere"],
                2,
                "This repository has no remote `nowhere`. --remote names another one: origin;",
            ),
            (["--remote", "--upload-pack=x"], 2, "cannot be a remote"),
            (["--branch", "a b"], 2, "`a b` cannot be a branch"),
            (["--branch", "-x"], 2, "`-x` cannot be a branch"),
        ]
    ),
)
def test_what_cannot_be_pushed_to(shop: RepoBuilder, words: list[str], code: int, message: str) -> None:
    done = run(shop, *CANARY, *words)
    assert (done.code, message in done.text) == (code, True), done.text


def test_a_branch_without_a_push_is_a_mistake(shop: RepoBuilder) -> None:
    done = run(shop, "deploy", "order@v1.1.0", "--env", "production", "--branch", "x")
    assert (done.code, "Pass --push as well." in done.text) == (2, True)


def test_a_release_that_only_this_clone_has_is_not_deployed_for_others(shop: RepoBuilder) -> None:
    released.release(shop, "Copy nothing but the number.")
    words = ("deploy", "order@v1.2.0", "--env", "production", "--push")
    refused = run(shop, *words)
    assert (refused.code, "Push it first: `git push origin prompts/order/v1.2.0`." in refused.text) == (2, True)
    pushed = run(shop, "release", "order", "--push")
    assert pushed.text == "order: already released as v1.2.0: its tag was only here, and is pushed now\n"
    assert run(shop, *words).code == 0


def test_a_remote_without_a_commit_is_named(tmp_path: Path) -> None:
    builder = released.shop(tmp_path)
    released.release(builder)
    remote = tmp_path / "empty.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=other", str(remote)], env=ENVIRON, check=True)
    builder.git("remote", "add", "origin", str(remote))
    builder.git("push", "--quiet", "--tags", "origin")
    done = run(builder, "deploy", "order@v1.0.0", "--env", "production", "--push")
    assert (done.code, done.text.endswith("default branch with a commit. Push a branch to it first.")) == (4, True)
    builder.git("push", "--quiet", "origin", "HEAD:refs/heads/trunk")
    named = run(builder, "deploy", "order@v1.0.0", "--env", "production", "--push")
    assert (named.code, named.text.endswith("Name one with --branch: trunk.")) == (4, True)
    assert run(builder, "deploy", "order@v1.0.0", "--env", "production", "--push", "--branch", "trunk").code == 0


def test_a_pushed_commit_is_signed_where_git_signs(shop: RepoBuilder) -> None:
    key = shop.path.parent / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in {"gpg.format": "ssh", "user.signingkey": str(key), "commit.gpgsign": "true"}.items():
        shop.git("config", name, value)
    assert run(shop, *CANARY).code == 0
    assert "gpgsig -----BEGIN SSH SIGNATURE-----" in at_remote(shop, "cat-file", "commit", "main")


@pytest.mark.long
def test_an_executable_file_stays_one(shop: RepoBuilder) -> None:
    (shop.path / PRODUCTION).chmod(0o755)
    shop.commit()
    shop.git("push", "--quiet", "origin", "main")
    assert run(shop, *CANARY).code == 0
    assert at_remote(shop, "ls-tree", "main", PRODUCTION).startswith("100755 ")


def plan_commit(snapshot: Snapshot) -> PlannedCommit:
    data = snapshot.read("README.md") or b""
    return PlannedCommit(files={"README.md": data + b"ours\n"}, message="Add a line")


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in released.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("identity")
def test_where_somebody_was_faster_the_commit_is_planned_again(
    shop: RepoBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_commit, "MAX_WAIT_S", 0)
    other = clone(shop, "other")
    plans = 0

    def plan(snapshot: Snapshot) -> PlannedCommit:
        nonlocal plans
        plans += 1
        if plans < 3:  # between our look and our push
            other.write({f"{plans}.md": "theirs"}).commit("theirs")
            other.git("push", "--quiet", "origin", "main")
        return plan_commit(snapshot)

    target = CommitTarget(push=True)
    result = commit.commit_planned(shop.repo, target, plan, dry_run=False)
    assert (plans, result.commit) == (3, at_remote(shop, "rev-parse", "main"))
    assert at_remote(shop, "show", "main:1.md") == "theirs"

    monkeypatch.setattr(new_commit, "MAX_TRIES", 1)
    plans = 0
    other.git("pull", "--quiet")
    with pytest.raises(GitError, match="others push at the same time"):
        commit.commit_planned(shop.repo, target, plan, dry_run=False)


@pytest.mark.usefixtures("identity")
def test_a_branch_or_a_remote_that_cannot_be_is_named(shop: RepoBuilder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a branch"):
        remote_branch.fetch_tip(shop.path, "origin", "a..b")
    shop.git("remote", "add", "gone", str(tmp_path / "gone.git"))
    with pytest.raises(GitError, match="The remote `gone` cannot be read"):
        remote_branch.fetch_tip(shop.path, "gone", None)
