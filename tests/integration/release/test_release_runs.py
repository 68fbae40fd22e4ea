"""`promptci release`, `deploy` and `bundle` in real repositories."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support import released
from support.processes import LONGEST_S
from support.released import PRODUCTION, PROMPT, prompt, run

from promptci.memory.model import VerdictRecord
from promptci.memory.store import Memory
from promptci.registry import tags
from promptci.registry.bundle_document import BundleDocument
from promptci.runtime import Bundle


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    return released.shop(tmp_path)


def fingerprint(builder: RepoBuilder) -> str:
    planned = run(builder, "release", "order", "--dry-run", "--because", "x", "--json").value
    return str(planned["prompts"][0]["fingerprint"])


def test_nothing_is_released_without_a_passing_result(shop: RepoBuilder) -> None:
    refused = run(shop, "release", "order")
    assert refused.code == 1
    assert "order: refused: no result of this version is found. Run `promptci run`, which writes" in refused.text
    assert "or pass --report FILE of another run, or --because" in refused.text
    for verdict in ("fail", "inconclusive", "error"):
        path = released.report(shop.path / "promptci-report" / "report.json", fingerprint(shop), verdict)
        failed = run(shop, "release", "order")
        assert (failed.code, f"its last result is `{verdict}`" in failed.text) == (1, True)
    released.report(path, "0" * 64)
    assert run(shop, "release", "order").code == 1
    assert shop.git("tag") == ""


def test_an_edit_that_is_not_committed_is_named_where_the_commit_is_released_already(shop: RepoBuilder) -> None:
    assert run(shop, "release", "order", "--because", "x").code == 0
    shop.write({PROMPT: prompt("Be terse.")})
    again = run(shop, "release", "order")
    assert "order: already released as v1.0.0" in again.text
    warning = f"warning: the edit of {PROMPT} in the working tree is not committed, and is not released"
    assert warning in again.text
    assert warning in run(shop, "release", "--changed").text
    shop.commit("edit")
    assert "not committed" not in run(shop, "release", "order", "--because", "x").text


def test_the_pass_of_an_incomplete_run_releases_nothing_by_itself(shop: RepoBuilder) -> None:
    path = released.report(shop.path / "promptci-report" / "report.json", fingerprint(shop), errors=3)
    refused = run(shop, "release", "order")
    assert (refused.code, "its last result is `pass, 3 answers are missing`" in refused.text) == (1, True)
    assert run(shop, "release", "order", "--dry-run", "--because", "the endpoint is down").code == 0
    released.report(path, fingerprint(shop))
    report = json.loads(path.read_text())
    path.write_text(json.dumps({**report, "problems": [{"rule": "filtered"}]}))
    assert "`pass, of a part of the cases`" in run(shop, "release", "order").text
    assert shop.git("tag") == ""


def test_a_passing_report_is_kept_as_evidence(shop: RepoBuilder, tmp_path: Path) -> None:
    path = released.report(tmp_path / "elsewhere.json", fingerprint(shop))
    words = ["--pull-request", "247", "--proposed-by", "bob", "--approved-by", "ann", "--approved-by", "cem"]
    done = run(shop, "release", "order", "--report", str(path), *words)
    assert done.code == 0, done.text
    assert "released as v1.0.0 (first release)" in done.text
    (release,) = tags.list_releases(shop.path)["order"]
    trailers = dict(release.trailers)
    assert trailers.pop("Report").removeprefix("sha256:")[:4] != ""
    assert trailers.pop("Policy").startswith("sha256:")
    assert trailers == {
        "Fingerprint": fingerprint(shop),
        "Bump": "first release",
        "Verdict": "pass; 97 of 100 cases right (97%), -0.4 points: a drop over 1.9 is excluded",
        "Pull-request": "247",
        "Proposed-by": "bob",
        "Approved-by": "ann, cem",
    }
    assert (release.tagged_by, release.at) == ("Ann <ann@example.com>", "2026-01-02T03:04:05+00:00")


def test_the_memory_of_earlier_checks_is_evidence(shop: RepoBuilder) -> None:
    record = VerdictRecord(
        id="x",
        at="2026-01-02T03:04:05Z",
        base=None,
        head=None,
        prompt="order",
        status="changed",
        fingerprints=(None, fingerprint(shop)),
        mode="block",
        verdict="pass",
        blocks=False,
        pairs=40,
    )
    from datetime import UTC, datetime

    today = datetime.now(UTC).date()
    written = VerdictRecord(
        **{**{name: getattr(record, name) for name in record.__slots__}, "at": f"{today}T00:00:00Z"}
    )
    memory = Memory(shop.path / ".promptci" / "memory", today=today)
    memory.append([replace(written, id="w", missing=1)])
    assert "`pass, 1 answer is missing`" in run(shop, "release", "order").text
    memory.append([written])
    done = run(shop, "release", "order")
    assert done.code == 0, done.text
    assert "evidence: pass, 40 cases, by the check of" in done.text


def test_the_number_follows_what_changed(shop: RepoBuilder) -> None:
    assert released.release(shop) == "v1.0.0"
    assert released.release(shop, "Copy only the number.") == "v1.1.0"
    assert released.release(shop, "Copy only the number.", model="gpt-5") == "v2.0.0"
    assert released.release(shop, "Copy only the number.", model="gpt-5", user="{{order}}") == "v3.0.0"
    again = run(shop, "release", "order")
    assert (again.code, again.text) == (0, "order: already released as v3.0.0\n")
    patch = run(shop, "release", "order", "--bump", "patch", "--because", "a better description")
    assert "released as v3.0.1 (patch: nothing that changes an answer)" in patch.text
    replaced = tags.list_releases(shop.path)["order"][-1].replaces
    assert replaced is not None
    assert str(replaced[0]) == "v3.0.0"


def test_changed_releases_all_or_nothing(shop: RepoBuilder) -> None:
    shop.write({"prompts/router.prompt.yml": prompt("Route it.")}).commit()
    path = released.report(shop.path / "promptci-report" / "report.json", fingerprint(shop))
    half = run(shop, "release", "--changed")
    assert half.code == 1
    assert "order: not released, because another was refused: v1.0.0" in half.text
    assert "router: refused" in half.text
    assert shop.git("tag") == ""
    done = run(shop, "release", "--changed", "--because", "first")
    assert done.code == 0
    assert shop.git("tag").split() == ["prompts/order/v1.0.0", "prompts/router/v1.0.0"]
    path.unlink()
    nothing = run(shop, "release", "--changed")
    assert (nothing.code, nothing.text.startswith("Nothing to release: every prompt of")) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "It is not clear what to release"),
        (["order", "--changed"], 2, "It is not clear what to release"),
        (["ordr", "--because", "x"], 2, "There is no prompt `ordr`"),
        (["order", "--report", "none.json"], 4, "none.json: cannot be read"),
        (["order", "--report", PROMPT], 4, f"{PROMPT}:1: not valid JSON"),
        (["order", "--rev", "gone"], 4, "There is no commit `gone` here"),
    ],
)
def test_what_cannot_be_released(shop: RepoBuilder, words: list[str], code: int, message: str) -> None:
    done = run(shop, "release", *words)
    assert (done.code, message in done.text) == (code, True), done.text
    assert shop.git("tag") == ""


def test_a_prompt_that_cannot_be_read_is_not_nothing_to_release(shop: RepoBuilder) -> None:
    released.release(shop)
    shop.write({"prompts/broken.prompt.yml": "messages: ["}).commit()
    done = run(shop, "release", "--changed")
    assert (done.code, "prompts/broken.prompt.yml" in done.text) == (4, True)
    shop.remove("prompts/broken.prompt.yml", PROMPT).commit()
    none = run(shop, "release", "--changed")
    assert (none.code, "No prompt is found" in none.text) == (2, True)


def test_a_dry_run_writes_nothing(shop: RepoBuilder) -> None:
    assert "would be released: v1.0.0" in run(shop, "release", "order", "--because", "x", "--dry-run").text
    assert shop.git("tag") == ""
    released.release(shop)
    before = shop.git("rev-parse", "HEAD")
    assert (
        "would be changed by one commit" in run(shop, "deploy", "order@v1.0.0", "--env", "production", "--dry-run").text
    )
    assert (shop.git("rev-parse", "HEAD"), shop.git("status", "--porcelain")) == (before, "")


def test_a_name_that_git_takes_in_no_tag_is_refused_before_anything_is_released(shop: RepoBuilder) -> None:
    shop.write({"prompts/two words.prompt.yml": released.prompt("Other.")}).commit("two words")
    done = run(shop, "release", "--changed", "--because", "first")
    assert done.code == 1
    assert "two words: refused: `two words` cannot be in the name of a git tag. Give the prompt a `name:`" in done.text
    assert "order: not released, because another was refused: v1.0.0" in done.text
    assert shop.git("tag", "--list") == ""


def test_two_that_release_at_once_lose_nothing(shop: RepoBuilder) -> None:
    """Each from a clone of its own, with another content: both get a number, and no tag is overwritten."""
    released.release(shop)
    clones = released.with_remote(shop, "one", "two", "three")
    for clone in clones:
        clone.write({PROMPT: prompt(f"Copy the number, {clone.path.name}.")}).commit()
    words = ["release", "order", "--because", "at once", "--push"]
    processes = [released.start(clone, words) for clone in clones]
    ends = [process.communicate(timeout=LONGEST_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    remote = RepoBuilder(shop.path.parent / "reader")
    remote.git("fetch", "--quiet", str(shop.path.parent / "origin.git"), "refs/tags/*:refs/tags/*")
    result = tags.list_releases(remote.path)["order"]
    assert [str(version.number) for version in result] == ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"]
    assert len({version.fingerprint for version in result}) == 4
    for version, before in zip(result[1:], result, strict=False):
        assert version.replaces == (before.number, before.fingerprint)


@pytest.mark.long
def test_two_that_release_the_same_content_make_one_version(shop: RepoBuilder) -> None:
    clones = released.with_remote(shop, "one", "two")
    words = ["release", "order", "--because", "at once", "--push"]
    processes = [released.start(clone, words) for clone in clones]
    ends = [process.communicate(timeout=LONGEST_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    printed = sorted(out for out, _ in ends)
    assert sum("released as v1.0.0 (first release)" in text for text in printed) == 1
    assert sum("already released as v1.0.0" in text for text in printed) == 1


def test_a_tag_that_cannot_be_pushed_is_not_kept(shop: RepoBuilder) -> None:
    released.with_remote(shop)
    hook = shop.path.parent / "origin.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    done = run(shop, "release", "order", "--because", "x", "--push")
    assert done.code == 4, done.text
    assert "git push failed" in done.text
    assert shop.git("tag") == ""


def deployed(shop: RepoBuilder, name: str, *words: str) -> released.Outcome:
    return run(shop, "deploy", name, "--env", "production", *words)


def test_a_version_is_deployed_tried_and_made_stable_by_one_commit_each(shop: RepoBuilder) -> None:
    released.release(shop)
    first = deployed(shop, "order@v1.0.0", "--because", "it is time")
    assert (first.code, first.text.splitlines()[0]) == (0, "order in production: nothing → v1.0.0")
    message = shop.git("log", "-1", "--format=%B")
    assert message.startswith("Deploy order@v1.0.0 to production\n\nDeployed: order@v1.0.0\nFingerprint: ")
    assert message.endswith("Environment: production\nAfter: v1.0.0\nReason: it is time")
    same = deployed(shop, "order@v1.0.0")
    assert (same.code, same.text) == (0, "order in production: already v1.0.0; nothing changed\n")
    released.release(shop, "Copy only the number.")
    tried = deployed(shop, "order@v1.1.0", "--canary")
    assert "v1.0.0 → v1.0.0, canary v1.1.0 for 5%" in tried.text
    assert deployed(shop, "order@v1.1.0", "--canary").text.endswith("nothing changed\n")
    final = deployed(shop, "order@v1.1.0")
    assert "v1.0.0, canary v1.1.0 for 5% → v1.1.0" in final.text
    assert (shop.path / PRODUCTION).read_text() == "prompts:\n  order:\n    stable: prompts/order/v1.1.0\n"
    assert shop.git("show", "--name-only", "--format=").split() == [PRODUCTION]


def test_a_mistyped_environment_is_not_begun_beside_another(shop: RepoBuilder) -> None:
    released.release(shop)
    assert deployed(shop, "order@v1.0.0").code == 0
    refused = run(shop, "deploy", "order@v1.0.0", "--env", "prod")
    assert (refused.code, "There is no environment `prod` yet" in refused.text) == (2, True)
    assert "Did you mean `production`? Environments there: production. Pass --new-env" in refused.text
    assert run(shop, "deploy", "order@v1.0.0", "--env", "staging", "--new-env").code == 0
    assert run(shop, "deploy", "order@v1.0.0", "--env", "staging").text.endswith("nothing changed\n")


def test_what_speaks_against_a_deployed_version_is_named(shop: RepoBuilder, tmp_path: Path) -> None:
    """A version without a passing result, and one that was rolled back there, is deployed with a warning."""
    report = released.report(tmp_path / "report.json", fingerprint(shop))
    assert run(shop, "release", "order", "--report", str(report)).code == 0
    assert "warning" not in deployed(shop, "order@v1.0.0").text
    released.release(shop, "Copy only the number.")
    first = deployed(shop, "order@v1.1.0")
    assert "warning: order@v1.1.0 was released on no result, because the test says so" in first.text
    assert "rolled back" not in first.text
    assert run(shop, "rollback", "order", "--to", "v1.0.0", "--because", "complaints").code == 0
    again = deployed(shop, "order@v1.1.0")
    assert "warning: order@v1.1.0 was rolled back in production on 2026-01-02 (complaints)" in again.text


def test_a_rollback_of_the_file_alone_is_an_event(shop: RepoBuilder) -> None:
    released.release(shop)
    released.release(shop, "Copy only the number.")
    assert run(shop, "rollback", "order", "--to", "v1.0.0", "--because", "complaints").code == 0
    log = run(shop, "log", "order").text
    assert "file rolled back to v1.0.0; no environment changed" in log
    assert "because complaints" in log
    assert deployed(shop, "order@v1.1.0").code == 0
    assert run(shop, "rollback", "order", "--to", "v1.0.0", "--keep-content").code == 0
    assert run(shop, "log", "order").text.count("rolled back") == 1


def test_a_canary_of_another_version_is_not_cut_off_by_the_way(shop: RepoBuilder) -> None:
    released.release(shop)
    released.release(shop, "Copy only the number.")
    released.release(shop, "Copy nothing but the number.")
    for words in (["order@v1.0.0"], ["order@v1.1.0", "--canary"]):
        assert deployed(shop, *words).code == 0
    for words in (["order@v1.2.0"], ["order@v1.2.0", "--canary"], ["order@v1.0.0"]):
        refused = deployed(shop, *words)
        assert (refused.code, "The canary v1.1.0 is being tried there" in refused.text) == (2, True)
    assert "→ v1.0.0, canary v1.2.0" in deployed(shop, "order@v1.2.0", "--canary", "--drop-canary").text
    assert "→ v1.0.0\n" in deployed(shop, "order@v1.0.0", "--drop-canary").text


def test_a_canary_that_was_rolled_back_is_no_longer_tried(shop: RepoBuilder) -> None:
    released.release(shop)
    released.release(shop, "Copy only the number.")
    released.release(shop, "Copy nothing but the number.")
    for words in (["order@v1.0.0"], ["order@v1.1.0", "--canary"]):
        assert deployed(shop, *words).code == 0
    tags_of = {"stable": "prompts/order/v1.0.0", "canary": "prompts/order/v1.1.0"}
    dates = {"since": "2026-03-01T00:00:00Z", "rolled_back": "2026-03-02T00:00:00Z"}
    entry = {**tags_of, **dates, "share": 0.0, "paused": False, "rollback_reason": "quality"}
    state = {"schema": "promptci/canary-state/v1", "prompts": {"order": entry}}
    file = (shop.path / PRODUCTION).read_text().replace("share: 5", "share: 0")
    shop.write({PRODUCTION: file, "deployments/production.canary.json": json.dumps(state)}).commit()
    again = deployed(shop, "order@v1.1.0", "--canary")
    assert again.code == 2
    assert "order@v1.1.0 was rolled back there on 2026-03-02 (quality)" in again.text
    assert "→ v1.0.0, canary v1.2.0 for 5%" in deployed(shop, "order@v1.2.0", "--canary").text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["order"], 2, "`order` does not name a version"),
        (["order@v9.0.0"], 2, "There is no release order@v9.0.0. Released: v1.0.0."),
        (["order@main"], 2, "`main` is not a version"),
        (["router@v1.0.0"], 2, "The prompt `router` has no release here. Prompts with releases: order."),
        (["order@v1.0.0", "--canary"], 2, "Nothing of `order` runs in production to compare with"),
    ],
)
def test_what_cannot_be_deployed(shop: RepoBuilder, words: list[str], code: int, message: str) -> None:
    released.release(shop)
    done = deployed(shop, *words)
    assert (done.code, message in done.text) == (code, True), done.text
    assert shop.git("status", "--porcelain") == ""


def test_the_stable_version_is_no_canary_of_itself(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    done = deployed(shop, "order@v1.0.0", "--canary")
    assert (done.code, "order@v1.0.0 is the stable version there" in done.text) == (2, True)


def test_a_file_with_changes_of_its_own_is_left_alone(shop: RepoBuilder) -> None:
    released.release(shop)
    shop.write({PRODUCTION: "prompts: {}\n"})
    done = deployed(shop, "order@v1.0.0")
    assert (done.code, (shop.path / PRODUCTION).read_text()) == (4, "prompts: {}\n")


def test_a_commit_that_git_refuses_leaves_the_files_as_they_were(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    released.release(shop, "Copy only the number.")
    hook = shop.path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho error: not today >&2\nexit 1\n")
    hook.chmod(0o755)
    before = (shop.path / PRODUCTION).read_text()
    done = deployed(shop, "order@v1.1.0")
    assert (done.code, "not today" in done.text) == (4, True)
    assert ((shop.path / PRODUCTION).read_text(), shop.git("status", "--porcelain")) == (before, "")


def test_staged_work_of_the_user_stays_out_of_the_commit(shop: RepoBuilder) -> None:
    released.release(shop)
    shop.write({"notes.txt": "mine"})
    shop.git("add", "notes.txt")
    assert deployed(shop, "order@v1.0.0").code == 0
    assert shop.git("show", "--name-only", "--format=").split() == [PRODUCTION]
    assert shop.git("status", "--porcelain") == "A  notes.txt"


def bundled(shop: RepoBuilder, *words: str) -> released.Outcome:
    return run(shop, "bundle", "--env", "production", *words)


def test_a_bundle_is_what_applications_read(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    released.release(shop, "Copy only the number.")
    deployed(shop, "order@v1.1.0", "--canary")
    done = bundled(shop)
    assert done.code == 0, done.text
    path = shop.path / "dist" / "production.bundle.json"
    bundle = BundleDocument.load(path)
    assert (bundle.serial, bundle.commit, bundle.made) == (2, shop.git("rev-parse", "HEAD"), "2026-01-02T03:04:05Z")
    entry = bundle.prompts["order"]
    assert (entry.share, entry.salt) == (500, "order@v1.1.0")
    prompts = Bundle(str(path), needs=["order"])
    chosen = {
        (use.version, use.messages(input="x")[0]["content"]) for n in range(200) for use in [prompts.choose("order", n)]
    }
    assert chosen == {("v1.0.0", "Copy the order number."), ("v1.1.0", "Copy only the number.")}
    assert prompts.content.digest in done.text
    first = path.read_bytes()
    assert bundled(shop, "--out", "again.json").code == 0
    assert (shop.path / "again.json").read_bytes() == first


def test_every_deployment_raises_the_serial_and_so_does_a_merge(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    serials = [bundled(shop, "--json").value["serial"]]
    released.release(shop, "Copy only the number.")
    shop.branch("side")
    deployed(shop, "order@v1.1.0")
    shop.git("switch", "--quiet", "main")
    shop.write({"deployments/staging.yml": "prompts: {}\n"}).commit()
    serials.append(bundled(shop, "--json").value["serial"])
    shop.git("merge", "--quiet", "--no-edit", "--strategy=ours", "side")
    serials.append(bundled(shop, "--json").value["serial"])
    deployed(shop, "order@v1.1.0")
    serials.append(bundled(shop, "--json").value["serial"])
    assert serials == sorted(serials)
    assert serials[0] < serials[1] < serials[3]


def test_what_the_deployment_file_has_wrong_is_named_with_its_line(shop: RepoBuilder) -> None:
    released.release(shop)
    text = (
        "prompts:\n  order:\n    stable: prompts/order/v1.0.0\n    canary:\n      version: v9.9.9\n      share: 2.55\n"
        "  router:\n    stable: main\n  other:\n    stable: main\n"
    )
    shop.write({"prompts/other.prompt.yml": prompt("Other."), PRODUCTION: text}).commit()
    done = bundled(shop)
    assert done.code == 2
    assert f"{PRODUCTION}:5: `v9.9.9`: There is no commit `v9.9.9` here" in done.text
    assert f"{PRODUCTION}:8: `main`: There is no prompt `router`" in done.text
    assert f"{PRODUCTION}:10: `main` is not a release, a tag or a commit: what it stands for moves" in done.text
    assert not (shop.path / "dist").exists()


def test_a_release_that_was_moved_is_in_no_bundle(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    shop.write({PROMPT: prompt("Say anything.")}).commit()
    message = shop.git("tag", "--list", "--format=%(contents)", "prompts/order/v1.0.0")
    shop.git("tag", "--force", "--annotate", f"--message={message}", "prompts/order/v1.0.0", "HEAD")
    done = bundled(shop)
    assert done.code == 2
    assert f"{PRODUCTION}:3: `prompts/order/v1.0.0`: prompts/order/v1.0.0: the content of its commit" in done.text
    assert "the tag was moved or the file rewritten" in done.text
    again = deployed(shop, "order@v1.0.0", "--canary")
    assert (again.code, "the tag was moved" in again.text) == (4, True)


def test_a_commit_may_be_deployed_by_its_name(shop: RepoBuilder) -> None:
    sha = shop.git("rev-parse", "HEAD")
    shop.write({PRODUCTION: f'prompts:\n  order:\n    stable: "{sha}"\n'}).commit()
    assert f"order: {sha}" in bundled(shop).text


def test_a_branch_makes_no_bundle(shop: RepoBuilder) -> None:
    released.release(shop)
    shop.branch("pr")
    deployed(shop, "order@v1.0.0")
    done = bundled(shop)
    assert (done.code, "is not part of the default branch main" in done.text) == (2, True)


def test_a_shallow_clone_makes_no_bundle(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    place = shop.path.parent / "shallow"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{shop.path}", str(place)], check=True)
    done = bundled(RepoBuilder(place))
    assert (done.code, "the clone is shallow" in done.text) == (4, True)


def test_changes_that_are_not_committed_are_not_in_the_bundle(shop: RepoBuilder) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    (shop.path / PRODUCTION).write_text("prompts: {}\n")
    done = bundled(shop, "--dry-run")
    assert (done.code, "warning: deployments/production.yml has changes that are not in this commit" in done.text) == (
        0,
        True,
    )
    assert not (shop.path / "dist").exists()


def test_no_environment_and_no_prompt_are_said(shop: RepoBuilder) -> None:
    missing = bundled(shop)
    assert (missing.code, "There is no deployments/production.yml" in missing.text) == (2, True)
    shop.write({PRODUCTION: "prompts: {}\n"}).commit()
    empty = bundled(shop)
    assert (empty.code, "deployments/production.yml has no prompt" in empty.text) == (2, True)
    bad = run(shop, "bundle", "--env", "../etc")
    assert (bad.code, "cannot be an environment" in bad.text) == (2, True)


def test_a_bundle_is_signed_with_an_ssh_key(shop: RepoBuilder, tmp_path: Path) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for _ in range(2):
        assert bundled(shop, "--sign", "--key", str(key)).code == 0
    path = shop.path / "dist" / "production.bundle.json"
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"releases@example.com {key.with_suffix('.pub').read_text()}")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "releases@example.com", "-n", "promptci-bundle"]
    command += ["-s", f"{path}.sig"]
    assert subprocess.run(command, input=path.read_bytes(), capture_output=True, check=False).returncode == 0
    forged = path.read_bytes().replace(b"Copy", b"Keep")
    assert subprocess.run(command, input=forged, capture_output=True, check=False).returncode != 0


def test_a_bundle_that_cannot_be_signed_is_an_error(shop: RepoBuilder, tmp_path: Path) -> None:
    released.release(shop)
    deployed(shop, "order@v1.0.0")
    nothing = bundled(shop, "--sign")
    assert (nothing.code, "There is no key to sign with" in nothing.text) == (2, True)
    (tmp_path / "key").write_text("no key")
    broken = bundled(shop, "--sign", "--key", str(tmp_path / "key"))
    assert (broken.code, "The bundle was written and not signed" in broken.text) == (2, True)


def test_the_json_is_one_document(shop: RepoBuilder) -> None:
    released.release(shop)
    result = deployed(shop, "order@v1.0.0", "--json").value
    assert (result["schema"], result["after"], len(result["commit"])) == ("promptci/deployment/v1", "v1.0.0", 40)
    assert json.loads(bundled(shop, "--json").text)["prompts"] == {"order": "v1.0.0"}
    assert os.listdir(shop.path / "dist") == ["production.bundle.json"]  # noqa: PTH208 - names alone
