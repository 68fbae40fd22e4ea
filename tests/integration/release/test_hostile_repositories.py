"""Releases in repositories as people, and attackers, leave them: each command says what is wrong, or goes on."""

import subprocess
from pathlib import Path

import pytest
from fakes.repo import ENVIRON, RepoBuilder
from support import released
from support.released import PRODUCTION, PROMPT, prompt, run
from support.templates import copy_built

COMMANDS = [
    ["versions"],
    ["status"],
    ["log", "order"],
    ["show", "order@v1.0.0"],
    ["release", "order", "--because", "x"],
    ["rollback", "order", "--to", "v1.0.0"],
    ["deploy", "order@v1.1.0", "--env", "production"],
    ["bundle", "--env", "production", "--dry-run"],
]


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    """Two versions were released; v1.0.0 runs in production."""
    copy_built(build_shop, tmp_path)
    return RepoBuilder(tmp_path / "shop")


def build_shop(path: Path) -> None:
    builder = released.shop(path)
    released.release(builder)
    assert run(builder, "deploy", "order@v1.0.0", "--env", "production").code == 0
    released.release(builder, "Copy only the number.")


def write_tag(shop: RepoBuilder, name: str, body: bytes, tagger: str = "Ann <a@b> 1700000000 +0000") -> None:
    """Write a tag that git itself would not make."""
    head = f"object {shop.git('rev-parse', 'HEAD')}\ntype commit\ntag {name}\ntagger {tagger}\n\n".encode()
    command = ["git", "-C", str(shop.path), "hash-object", "-t", "tag", "-w", "--literally", "--stdin"]
    done = subprocess.run(command, input=head + body, env=ENVIRON, capture_output=True, check=True)
    shop.git("update-ref", f"refs/tags/{name}", done.stdout.decode().strip())


def test_hostile_tags_change_nothing_for_the_others_and_print_nothing_harmful(shop: RepoBuilder) -> None:
    fingerprint = b"Fingerprint: " + b"a" * 64
    shop.git("tag", "prompts/order/v5.0.0", "HEAD^{tree}")
    shop.git("tag", "--annotate", "--message=x", "prompts/order/v5.1.0", f"HEAD:{PROMPT}")
    shop.git("tag", "--annotate", "--message=x", "prompts/order/v5.2.0", "prompts/order/v1.0.0")
    write_tag(shop, "prompts/order/v6.0.0", b"a\0b\n\n" + fingerprint + b"\0prompts/order/v1.0.0\0")
    write_tag(shop, "prompts/order/v6.1.0", "\x1b[2J\u202e\n\nReason: \x1b]0;x\x07\r\nFingerprint: 0".encode())
    write_tag(shop, "prompts/order/v6.2.0", b"\xff\xfe\n\nFingerprint: \xff")
    write_tag(shop, "prompts/order/v6.3.0", b"x\n\n" + b"A: b\n" * 50_000)
    write_tag(shop, "prompts/order/v6.4.0", b"x\n\n" + fingerprint, "\x1b[2JEvil\u2028 <e@e> 99999999999999 +0000")
    shop.git("tag", "prompts/evil\u202e/v1.0.0")

    for words in COMMANDS:
        done = run(shop, *words)
        expected = {"versions": 1, "log": 1}.get(words[0], 0)
        assert done.code == expected, (words, done.text)
        assert not [sign for sign in done.text if not sign.isprintable() and sign != "\n"], words
    problems = run(shop, "versions", "--json").value["problems"]
    named = {
        tag for tag in shop.git("tag", "--list").splitlines() if any(problem.startswith(tag) for problem in problems)
    }
    assert named == {
        f"prompts/order/v{number}" for number in ("5.0.0", "5.1.0", "5.2.0", "6.0.0", "6.1.0", "6.2.0")
    } | {
        "prompts/order/v6.3.0",
        "prompts/order/v6.4.0",
        "prompts/evil\u202e/v1.0.0",
    }


def test_a_tag_by_hand_takes_its_number_and_stops_no_release(shop: RepoBuilder) -> None:
    shop.git("tag", "prompts/order/v7.0.0")
    shop.write({PROMPT: prompt("Copy nothing but the number.")}).commit()
    (released_version,) = run(shop, "release", "order", "--because", "x", "--json").value["prompts"]
    assert (released_version["version"], released_version["replaces"], released_version["bump"]) == (
        "v7.1.0",
        "v1.1.0",
        "minor: messages changed",
    )


def test_only_tags_by_hand_are_no_first_release(tmp_path: Path) -> None:
    builder = released.shop(tmp_path)
    builder.git("tag", "prompts/order/v2.3.4")
    assert released.release(builder) == "v3.0.0"


def forge(shop: RepoBuilder, tag: str) -> None:
    """Move a tag to other content, with that content's own fingerprint in its message."""
    shop.write({PROMPT: prompt("Say anything.")}).commit()
    planned = run(shop, "release", "order", "--dry-run", "--because", "x", "--json").value
    fingerprint = planned["prompts"][0]["fingerprint"]
    shop.git("tag", "--force", "--annotate", f"--message=order: x\n\nFingerprint: {fingerprint}", tag, "HEAD")


def test_a_forged_tag_is_named_by_the_commit_that_deployed_it(shop: RepoBuilder) -> None:
    """There is no later release that remembers the first content; the deployment on the default branch does."""
    assert run(shop, "deploy", "order@v1.1.0", "--env", "production", "--canary").code == 0
    forge(shop, "prompts/order/v1.1.0")
    state = run(shop, "status")
    assert (state.code, "prompts/order/v1.1.0 was moved: commit" in state.text) == (1, True), state.text
    for words in (
        ["bundle", "--env", "production"],
        ["deploy", "order@v1.1.0", "--env", "production"],
        ["rollback", "order", "--to", "v1.1.0"],
    ):
        refused = run(shop, *words)
        assert (refused.code in {2, 4}, "was moved: commit" in refused.text) == (True, True), refused.text


def test_a_forged_tag_that_ran_in_one_environment_is_not_deployed_to_another(shop: RepoBuilder) -> None:
    """What was tried in staging is what production gets."""
    assert run(shop, "deploy", "order@v1.1.0", "--env", "staging", "--new-env").code == 0
    forge(shop, "prompts/order/v1.1.0")
    refused = run(shop, "deploy", "order@v1.1.0", "--env", "production")
    assert (refused.code, "was moved: commit" in refused.text) == (4, True), refused.text
    for words in (["versions"], ["show", "order@v1.1.0"], ["log", "order"]):
        named = run(shop, *words)
        assert (named.code, "prompts/order/v1.1.0 was moved: commit" in named.text) == (1, True), named.text


def test_a_forged_tag_is_named_by_a_deployment_that_came_by_a_merge(shop: RepoBuilder) -> None:
    main = shop.git("rev-parse", "--abbrev-ref", "HEAD").strip()
    shop.git("switch", "--create", "deployment")
    assert run(shop, "deploy", "order@v1.1.0", "--env", "staging", "--new-env").code == 0
    shop.git("switch", main)
    shop.git("merge", "--no-ff", "--message=Merge pull request 7", "deployment")
    forge(shop, "prompts/order/v1.1.0")
    refused = run(shop, "deploy", "order@v1.1.0", "--env", "staging")
    assert (refused.code, "was moved: commit" in refused.text) == (4, True), refused.text


def test_a_forged_tag_that_a_later_release_remembers_is_not_deployed(shop: RepoBuilder) -> None:
    forge(shop, "prompts/order/v1.0.0")
    for words in (["deploy", "order@v1.0.0", "--env", "staging"], ["rollback", "order", "--to", "v1.0.0"]):
        refused = run(shop, *words)
        assert (refused.code, "v1.1.0 replaced the fingerprint" in refused.text) == (4, True), refused.text


def test_a_tag_whose_commit_is_gone_is_named_with_the_way_out(shop: RepoBuilder) -> None:
    (shop.path / ".git" / "refs" / "tags" / "prompts" / "order" / "v9.0.0").write_text("1" * 40 + "\n")
    for words in COMMANDS:
        done = run(shop, *words)
        assert (done.code, "Fetch it again with `git fetch --tags`" in done.text) == (4, True), done.text


def test_a_shallow_clone_does_not_make_up_since_when(shop: RepoBuilder) -> None:
    """Git shows the oldest commit of a shallow clone as if it had deployed everything."""
    assert run(shop, "deploy", "order@v1.1.0", "--env", "production", "--canary", "--because", "try").code == 0
    shop.write({"notes.txt": "x"}).commit("by somebody else")
    released.with_remote(shop)
    place = shop.path.parent / "shallow"
    origin = f"file://{shop.path.parent / 'origin.git'}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", origin, str(place)], env=ENVIRON, check=True)
    shallow = RepoBuilder(place)
    refused = run(shallow, "release", "order", "--because", "x")
    assert (refused.code, "The clone is shallow and has no tag" in refused.text) == (2, True)
    shallow.git("fetch", "--quiet", "--depth=1", "origin", "refs/tags/*:refs/tags/*")
    state = run(shallow, "status")
    assert "order: v1.0.0 since an unknown time; no result" in state.text
    assert ("replaced" in state.text, "note: Since when and by whom is not known" in state.text) == (False, True)
    result = run(shallow, "log", "order", "--json").value
    assert ({event["what"] for event in result["events"]}, len(result["notes"])) == ({"released"}, 1)
    shallow.git("fetch", "--quiet", "--unshallow")
    assert "because try" in run(shallow, "status").text


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    empty = RepoBuilder(tmp_path / "empty")
    for words in COMMANDS:
        done = run(empty, *words)
        assert done.code in {2, 4}
        assert "has no commit yet" in done.text or "promptci release NAME" in done.text, done.text


def test_a_detached_head_gets_no_commit_that_would_be_lost(shop: RepoBuilder) -> None:
    shop.git("switch", "--quiet", "--detach", "HEAD")
    before = shop.git("rev-parse", "HEAD")
    for words in COMMANDS[-3:-1]:
        refused = run(shop, *words)
        assert (refused.code, "or pass --push" in refused.text) == (2, True)
    assert shop.git("rev-parse", "HEAD") == before


def test_a_merge_with_conflicts_is_left_as_it_is(shop: RepoBuilder) -> None:
    shop.branch("other").write({"notes.txt": "one"}).commit()
    shop.git("switch", "--quiet", "main")
    shop.write({"notes.txt": "two"}).commit()
    with pytest.raises(AssertionError):
        shop.git("merge", "other")
    before = (shop.git("status", "--porcelain"), (shop.path / PRODUCTION).read_text())
    for words in COMMANDS[-3:-1]:
        refused = run(shop, *words)
        assert (refused.code, "partial commit during a merge" in refused.text) == (4, True), refused.text
    assert (shop.git("status", "--porcelain"), (shop.path / PRODUCTION).read_text()) == before


def test_conflict_markers_that_were_committed_are_named_with_their_line(shop: RepoBuilder) -> None:
    shop.write({PRODUCTION: "prompts:\n<<<<<<< HEAD\n  order:\n    stable: v1.1.0\n=======\n>>>>>>> x\n"}).commit()
    for words in (["status"], *COMMANDS[-3:]):
        done = run(shop, *words)
        assert (done.code, f"{PRODUCTION}:3: not valid YAML" in done.text) == (2, True), done.text


@pytest.mark.parametrize("autocrlf", [False, True])
def test_windows_line_ends_stay_and_are_no_change(shop: RepoBuilder, *, autocrlf: bool) -> None:
    paths = [shop.path / PRODUCTION, shop.path / PROMPT]
    if autocrlf:
        shop.git("config", "core.autocrlf", "true")
        for path in paths:
            path.unlink()
        shop.git("checkout", "--", ".")
        for path in paths:
            path.write_bytes(path.read_bytes())  # a new time, so that git looks at what is in it
    else:
        for path in paths:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        shop.commit()
    assert b"\r\n" in paths[0].read_bytes()
    for words in (COMMANDS[-2], ["rollback", "order", "--to", "v1.0.0"]):
        done = run(shop, *words)
        assert done.code == 0, done.text
        assert shop.git("show", "--format=", "--name-only").splitlines() != []
    committed = subprocess.run(
        ["git", "-C", str(shop.path), "show", f"HEAD:{PRODUCTION}"], env=ENVIRON, capture_output=True, check=True
    ).stdout
    end = b"\n" if autocrlf else b"\r\n"
    assert committed == end.join([b"prompts:", b"  order:", b"    stable: prompts/order/v1.0.0", b""])
    assert shop.git("status", "--porcelain") == ""


def test_a_link_or_a_file_in_place_of_the_folder_is_not_followed(shop: RepoBuilder, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text("prompts: {}\n")
    (shop.path / PRODUCTION).unlink()
    shop.link(PRODUCTION, str(outside)).commit()
    for words in (["status"], *COMMANDS[-3:]):
        done = run(shop, *words)
        assert (done.code, "a symbolic link, which is not followed" in done.text) == (4, True), done.text
    assert outside.read_text() == "prompts: {}\n"
    shop.remove(PRODUCTION)
    (shop.path / "deployments").rmdir()
    shop.write({"deployments": "x"}).commit()
    refused = run(shop, "deploy", "order@v1.0.0", "--env", "production")
    assert (refused.code, "deployments is not a folder" in refused.text) == (4, True)
    assert (shop.path / "deployments").read_text() == "x"


def test_a_name_that_git_does_not_know_is_asked_for(shop: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write({PROMPT: prompt("Copy nothing but the number.")}).commit()
    shop.git("config", "user.useConfigOnly", "true")
    nobody = {name: value for name, value in released.ENVIRONMENT.items() if not name.endswith(("_NAME", "_EMAIL"))}
    monkeypatch.setattr(released, "ENVIRONMENT", nobody)
    for words in COMMANDS[-4:-1]:
        refused = run(shop, *words)
        assert (refused.code, "Set `user.name` and `user.email`" in refused.text) == (4, True), refused.text
    assert (shop.git("status", "--porcelain"), len(shop.git("tag").split())) == ("", 2)
