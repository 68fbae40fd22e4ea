"""`promptci versions`, `show`, `diff`, `log`, `status` and `rollback` in real repositories."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.repo import ENVIRON, RepoBuilder
from support import released
from support.daily import first_daily, some_daily
from support.released import PRODUCTION, PROMPT, prompt, run
from support.templates import copy_built

from promptci.cli.command_group import COMMANDS, FOLDERS
from promptci.rollout import state
from promptci.rollout.state import CanaryProgress

TAG = "prompts/order/v1.0.0"
SECOND = "Copy only the number."


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    """Two versions were released; v1.0.0 is stable in production, and v1.1.0 is tried."""
    copy_built(build_shop, tmp_path)
    return RepoBuilder(tmp_path / "shop")


def build_shop(path: Path) -> None:
    builder = released.shop(path)
    released.release(builder)
    assert run(builder, "deploy", "order@v1.0.0", "--env", "production", "--because", "first").code == 0
    released.release(builder, SECOND)
    assert run(builder, "deploy", "order@v1.1.0", "--env", "production", "--canary").code == 0


def moved(shop: RepoBuilder, tag: str = TAG, message: str | None = None) -> None:
    """Move a tag to content of another kind, as by a force-push."""
    shop.write({PROMPT: prompt("Say anything.")}).commit()
    kept = message or shop.git("tag", "--list", "--format=%(contents)", tag)
    shop.git("tag", "--force", "--annotate", f"--message={kept}", tag, "HEAD")


def test_versions_are_listed_newest_first(shop: RepoBuilder) -> None:
    done = run(shop, "versions")
    assert done.code == 0
    assert done.text.splitlines() == [
        "order",
        "  v1.1.0  2026-01-02, Ann: no result, released because the test says so",
        "  v1.0.0  2026-01-02, Ann: no result, released because the test says so",
    ]
    result = run(shop, "versions", "order", "--json").value
    assert [listed["version"] for listed in result["prompts"]["order"]] == ["v1.1.0", "v1.0.0"]
    assert result["prompts"]["order"][0]["replaces"] == "v1.0.0"
    assert result["problems"] == []


def test_no_version_is_not_success(tmp_path: Path) -> None:
    empty = released.shop(tmp_path)
    none = run(empty, "versions")
    assert (none.code, none.text) == (
        2,
        "No released version was found. Release one with `promptci release NAME`.",
    )
    released.with_remote(empty)
    assert "or fetch the tags: `git fetch --tags`" in run(empty, "versions").text
    released.release(empty)
    other = run(empty, "versions", "ordr")
    assert (other.code, "The prompt `ordr` has no release here. Did you mean `order`? Prompts" in other.text) == (
        2,
        True,
    )


def test_a_tag_that_was_moved_is_named(shop: RepoBuilder) -> None:
    moved(shop)
    done = run(shop, "versions")
    assert done.code == 1
    assert f"problem: {TAG}: the content of its commit" in done.text
    assert "the tag was moved or the file rewritten" in done.text
    shown = run(shop, "show", "order@v1.0.0")
    assert (shown.code, "the tag was moved" in shown.text) == (4, True)
    state = run(shop, "status")
    assert (state.code, "problem: production: order: prompts/order/v1.0.0: the content" in state.text) == (1, True)


def test_a_moved_tag_that_tells_its_new_content_is_named_by_the_version_after_it(shop: RepoBuilder) -> None:
    """The forger also wrote the fingerprint: the next release remembers what it replaced."""
    shop.write({PROMPT: prompt("Say anything.")}).commit()
    planned = run(shop, "release", "order", "--dry-run", "--because", "x", "--json").value
    fingerprint = planned["prompts"][0]["fingerprint"]
    shop.git("tag", "--force", "--annotate", f"--message=order v1.0.0: x\n\nFingerprint: {fingerprint}", TAG, "HEAD")
    done = run(shop, "versions")
    assert done.code == 1
    assert f"problem: {TAG} was moved: v1.1.0 replaced the fingerprint" in done.text
    shown = run(shop, "show", "order@v1.0.0")
    assert (shown.code, "problem: prompts/order/v1.0.0 was moved" in shown.text) == (1, True)
    assert run(shop, "status").code == 1


def test_a_tag_that_promptci_did_not_make_is_named(shop: RepoBuilder) -> None:
    shop.git("tag", "prompts/order/v7.0.0")
    shop.git("tag", "prompts/order/latest")
    done = run(shop, "versions", "order")
    assert (done.code, "problem: prompts/order/v7.0.0 was not made by `promptci release`" in done.text) == (1, True)
    assert "latest" not in done.text


def test_a_tag_on_a_commit_without_the_prompt_is_named(shop: RepoBuilder) -> None:
    shop.remove(PROMPT).commit()
    message = shop.git("tag", "--list", "--format=%(contents)", TAG)
    shop.git("tag", "--force", "--annotate", f"--message={message}", TAG, "HEAD")
    done = run(shop, "versions", "order")
    assert (done.code, f"{TAG}: its commit" in done.text, "does not hold the prompt" in done.text) == (1, True, True)


def test_tags_are_compared_with_a_remote(shop: RepoBuilder) -> None:
    (clone,) = released.with_remote(shop, "clone")
    assert run(clone, "versions", "--remote", "origin").code == 0
    released.release(shop, "A third one.")
    here = run(shop, "versions", "--remote", "origin")
    assert (here.code, "note: prompts/order/v1.2.0 is not at origin" in here.text) == (0, True)
    shop.git("push", "--quiet", "origin", "prompts/order/v1.2.0")
    outcome = run(clone, "versions", "--remote", "origin")
    assert (outcome.code, "note: prompts/order/v1.2.0 is at origin and not here" in outcome.text) == (0, True)

    planned = clone.git("rev-parse", "HEAD~1")
    shop.git("push", "--quiet", "--force", "origin", f"{planned}:refs/tags/{TAG}")
    after = run(clone, "versions", "--remote", "origin")
    assert (after.code, f"problem: {TAG} was moved: it is at" in after.text) == (1, True)
    clone.write({PROMPT: prompt("Another.")}).commit()
    refused = run(clone, "release", "order", "--because", "x", "--push")
    assert (refused.code, "is not the same here and at origin" in refused.text) == (4, True)


def test_a_version_is_shown_with_its_messages(shop: RepoBuilder) -> None:
    done = run(shop, "show", "order@v1.1.0")
    assert done.code == 0
    assert "  replaces v1.0.0; minor: messages changed" in done.text
    assert done.text.endswith(f"[system]\n{SECOND}\n[user]\n{{{{input}}}}\n")
    shop.write({PROMPT: prompt("Not committed.")})
    tree = run(shop, "show", "order@.", "--json").value
    assert (tree["release"], tree["content"]["prompt"]["messages"][0]["content"]) == (None, "Not committed.")
    assert "not released" in run(shop, "show", "order@main").text
    for name, message in {
        "order@v9.0.0": "There is no release",
        "order@gone": "no commit `gone`",
        "x@.": "no prompt `x`",
    }.items():
        bad = run(shop, "show", name)
        assert (bad.code in {2, 4}, message in bad.text) == (True, True), bad.text


def test_two_versions_are_compared(shop: RepoBuilder) -> None:
    done = run(shop, "diff", "order", "v1.0.0", "v1.1.0")
    assert done.code == 0
    assert done.text.splitlines()[:2] == [
        "order: v1.0.0 → v1.1.0 (suggests a minor release)",
        "  messages: 1 of 2 changed",
    ]
    assert "-Copy the[- order-] number.\n+Copy {+only +}the number." in done.text
    assert "are the same for a model" in run(shop, "diff", "order", "v1.1.0", "main").text
    shop.write({PROMPT: prompt(SECOND, model="gpt-5")})
    result = run(shop, "diff", "order", "v1.1.0", ".", "--json").value
    assert (result["bump"], result["facts"], result["messages"]) == ("major", ["model: gpt-4o-mini → gpt-5"], [])
    assert run(shop, "diff", "order", "v1.0.0", "v1.1.0", "--format", "markdown").text.startswith("```diff\n")


@pytest.mark.parametrize(
    ("words", "message"),
    first_daily(
        [
            (["a"], "It is not clear what to compare"),
            (["order", "v1.0.0"], "There is no file `order`"),
            (["order", "v1.0.0", "v9.0.0"], "There is no release order@v9.0.0"),
        ]
    ),
)
def test_what_cannot_be_compared(shop: RepoBuilder, words: list[str], message: str) -> None:
    done = run(shop, "diff", *words)
    assert (done.code, message in done.text) == (2, True), done.text


def test_the_log_tells_releases_and_deployments(shop: RepoBuilder) -> None:
    result = run(shop, "log", "order", "--json").value
    assert sorted(event["text"] for event in result["events"]) == [
        "production: nothing → v1.0.0",
        "production: v1.0.0 → v1.0.0, canary v1.1.0 for 5%",
        "released v1.0.0",
        "released v1.1.0",
    ]
    text = run(shop, "log", "order").text
    assert "production: nothing → v1.0.0, by Ann <ann@example.com>\n    because first; commit" in text
    assert "no result, released because the test says so" in text
    unknown = run(shop, "log", "ordr")
    assert (unknown.code, "has no release here" in unknown.text) == (2, True)


def test_the_log_survives_a_deployment_file_that_could_not_be_read(shop: RepoBuilder) -> None:
    kept = (shop.path / PRODUCTION).read_text()
    shop.write({PRODUCTION: "prompts: ["}).commit()
    shop.write({PRODUCTION: kept.replace("share: 5", "share: 25")}).commit("more")
    result = run(shop, "log", "order", "--json").value
    assert any(event["text"].endswith("→ v1.0.0, canary v1.1.0 for 25%") for event in result["events"])
    shop.remove(PRODUCTION).commit("gone")
    shop.write({PRODUCTION: kept}).commit("back")
    texts = [event["text"] for event in run(shop, "log", "order", "--json").value["events"]]
    assert any(text.endswith("for 25% → nothing") for text in texts)


def test_status_says_what_runs_since_when_and_what_it_replaced(shop: RepoBuilder) -> None:
    done = run(shop, "status")
    assert done.code == 0
    evidence = "no result, released because the test says so; replaced nothing"
    assert done.text.splitlines()[1:] == [
        f"  order: v1.0.0 since 2026-01-02, by Ann, because first; {evidence}",
        f"    canary for 5%: v1.1.0 since 2026-01-02, by Ann; {evidence}",
    ]
    run(shop, "deploy", "order@v1.1.0", "--env", "production")
    (result,) = run(shop, "status", "--env", "production", "--json").value["environments"]["production"]
    assert (result["stable"]["version"], result["stable"]["replaced"], result["canary"]) == ("v1.1.0", "v1.0.0", None)
    assert result["stable"]["commit"] == shop.git("rev-parse", "HEAD")


def test_status_says_that_a_canary_was_rolled_back(shop: RepoBuilder) -> None:
    text = (shop.path / PRODUCTION).read_text()
    progress = CanaryProgress(
        stable=TAG,
        canary="prompts/order/v1.1.0",
        share=0,
        since=datetime(2026, 1, 2, tzinfo=UTC),
        rolled_back=datetime(2026, 1, 3, tzinfo=UTC),
        rollback_reason="quality",
    )
    states = {"deployments/production.canary.json": state.dump_progress({"order": progress})}
    shop.write({PRODUCTION: text.replace("share: 5", "share: 0"), **states}).commit()
    assert "    canary rolled back 2026-01-03 (quality): v1.1.0 since" in run(shop, "status").text
    (result,) = run(shop, "status", "--json").value["environments"]["production"]
    assert (result["rolled_back"], result["share"]) == ("rolled back 2026-01-03 (quality)", 0)
    released.release(shop, "Copy nothing but the number.")
    assert run(shop, "deploy", "order@v1.2.0", "--env", "production", "--canary", "--drop-canary").code == 0
    assert "canary for 5%: v1.2.0" in run(shop, "status").text


def test_status_names_what_runs_and_does_not_exist(shop: RepoBuilder) -> None:
    text = "prompts:\n  order:\n    stable: v9.9.9\n  router:\n    stable: main\n"
    shop.write({PRODUCTION: text, "deployments/empty.yml": "prompts: {}\n"}).commit()
    done = run(shop, "status")
    assert done.code == 1
    assert "problem: production: order: There is no commit `v9.9.9` here." in done.text
    assert "problem: production: router: There is no prompt `router`" in done.text
    assert "nothing is deployed" in done.text
    missing = run(shop, "status", "--env", "staging")
    assert (missing.code, "Environments there: empty, production." in missing.text) == (2, True)


def test_status_without_deployments_is_not_success(tmp_path: Path) -> None:
    done = run(released.shop(tmp_path), "status")
    assert (done.code, "There is no deployments/*.yml" in done.text) == (2, True)


def test_a_rollback_restores_content_and_deployment_by_one_commit(shop: RepoBuilder) -> None:
    run(shop, "deploy", "order@v1.1.0", "--env", "production")
    before = shop.git("rev-parse", "HEAD")
    dry = run(shop, "rollback", "order", "--to", "v1.0.0", "--dry-run")
    assert (dry.code, f"would change {PRODUCTION}, {PROMPT} by one commit" in dry.text) == (0, True)
    assert (shop.git("rev-parse", "HEAD"), shop.git("status", "--porcelain")) == (before, "")
    done = run(shop, "rollback", "order", "--to", "v1.0.0", "--because", "wrong queue")
    assert done.code == 0, done.text
    assert "production: v1.1.0 → v1.0.0" in done.text
    assert shop.git("rev-parse", "HEAD~1") == before
    assert (shop.path / PROMPT).read_text() == prompt()
    message = shop.git("log", "-1", "--format=%B")
    assert message.startswith("Roll back order to v1.0.0\n\nRolled-back-to: order@v1.0.0\n")
    assert message.endswith("Environment: production: v1.1.0 → v1.0.0\nReason: wrong queue")
    assert "already released as v1.0.0" in run(shop, "release", "order").text
    (result,) = run(shop, "status", "--json").value["environments"]["production"]
    assert (result["stable"]["version"], result["stable"]["replaced"]) == ("v1.0.0", "v1.1.0")
    again = run(shop, "rollback", "order", "--to", "v1.0.0")
    assert (again.code, again.text) == (0, "order is at v1.0.0 already; nothing changed\n")


def test_a_rollback_ends_a_canary_and_raises_the_serial(shop: RepoBuilder) -> None:
    serial = run(shop, "bundle", "--env", "production", "--json").value["serial"]
    result = run(shop, "rollback", "order", "--to", "v1.0.0", "--keep-content", "--env", "production", "--json").value
    assert (result["files"], result["environments"]["production"]) == (
        [PRODUCTION],
        "v1.0.0, canary v1.1.0 for 5% → v1.0.0",
    )
    assert SECOND in (shop.path / PROMPT).read_text()
    after = run(shop, "bundle", "--env", "production", "--json").value
    assert (after["serial"], after["prompts"]) == (serial + 1, {"order": "v1.0.0"})


def test_a_rollback_brings_back_a_prompt_that_was_renamed_or_deleted(shop: RepoBuilder) -> None:
    text = (shop.path / PROMPT).read_text()
    shop.remove(PROMPT).write({"prompts/new.prompt.yml": f"name: order\n{text}"}).commit()
    assert run(shop, "rollback", "order", "--to", "v1.0.0").code == 0
    assert sorted(path.name for path in (shop.path / "prompts").iterdir()) == ["order.prompt.yml"]
    shop.remove(PROMPT).commit()
    assert run(shop, "rollback", "order", "--to", "v1.1.0").code == 0
    assert SECOND in (shop.path / PROMPT).read_text()


def test_a_rollback_that_would_change_another_prompt_is_refused(tmp_path: Path) -> None:
    shop = released.shop(tmp_path)
    shared = prompt("{{> rules.txt}}")
    shop.write({PROMPT: shared, "prompts/other.prompt.yml": shared, "prompts/rules.txt": "Old."}).commit()
    released.release(shop)
    shop.write({"prompts/rules.txt": "New."}).commit()
    done = run(shop, "rollback", "order", "--to", "v1.0.0")
    assert (done.code, "would change other prompts too: other" in done.text) == (4, True), done.text
    shop.remove("prompts/other.prompt.yml").commit()
    assert run(shop, "rollback", "order", "--to", "v1.0.0").code == 0
    assert (shop.path / "prompts" / "rules.txt").read_text() == "Old."


def test_a_rollback_that_the_configuration_makes_another_prompt_is_refused(tmp_path: Path) -> None:
    shop = released.shop(tmp_path)
    bare = prompt().replace("model: gpt-4o-mini\n", "")
    shop.write({PROMPT: bare, "promptci.yml": "provider: {model: gpt-4o-mini}\n"}).commit()
    released.release(shop)
    shop.write({"promptci.yml": "provider: {model: gpt-5}\n"}).commit()
    done = run(shop, "rollback", "order", "--to", "v1.0.0")
    assert (done.code, "the old file would not be the same prompt" in done.text) == (4, True)
    assert shop.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("words", "message"),
    first_daily(
        [
            (["--to", "v9.0.0"], "There is no release order@v9.0.0"),
            (["--to", "main"], "`main` is not a version"),
            (["--to", "v1.0.0", "--env", "staging"], "There is no deployments/staging.yml"),
            (["--to", "v1.0.0", "--env", "empty"], "`order` does not run in empty"),
        ]
    ),
)
def test_what_cannot_be_rolled_back(shop: RepoBuilder, words: list[str], message: str) -> None:
    shop.write({"deployments/empty.yml": "prompts: {}\n"}).commit()
    done = run(shop, "rollback", "order", *words)
    assert (done.code, message in done.text) == (2, True), done.text


def test_two_that_deploy_at_once_lose_nothing(shop: RepoBuilder) -> None:
    """The slower push is refused by git; after a rebase, both deployments are in the history."""
    shop.write({"prompts/router.prompt.yml": prompt("Route it.")}).commit()
    assert run(shop, "release", "router", "--because", "x").code == 0
    repo_builder, two = released.with_remote(shop, "one", "two")
    assert run(repo_builder, "deploy", "order@v1.1.0", "--env", "production").code == 0
    assert run(two, "deploy", "router@v1.0.0", "--env", "staging", "--new-env").code == 0
    repo_builder.git("push", "--quiet", "origin", "main")
    push = ["git", "-C", str(two.path), "push", "--quiet", "origin", "main"]
    assert subprocess.run(push, env=ENVIRON, capture_output=True, check=False).returncode != 0
    two.git("pull", "--quiet", "--rebase", "origin", "main")
    two.git("push", "--quiet", "origin", "main")
    result = run(two, "status", "--json").value["environments"]
    assert {name: prompts[0]["stable"]["version"] for name, prompts in result.items()} == {
        "production": "v1.1.0",
        "staging": "v1.0.0",
    }


@pytest.mark.parametrize("name", some_daily([*FOLDERS, "diff"], 4))
def test_every_command_shows_an_example_and_prints_json(shop: RepoBuilder, name: str) -> None:
    shown = run(shop, name, "--help").text
    assert "Example:" in shown
    assert f"promptci {name}" in shown.partition("Example:")[2]
    assert "--json" in shown
    changes = name in {"release", "deploy", "rollback", "bundle"}
    assert "--dry-run" in shown
    assert ("--push" in shown) == (changes and name != "bundle")
    assert name in COMMANDS


def test_the_risk_class_of_the_configuration_stands_in_the_tag(tmp_path: Path) -> None:
    builder = released.shop(tmp_path)
    rules = "".join(
        f"    - {{prompts: '{pattern}', role: review, by: [ada], risk: {risk}}}\n"
        for pattern, risk in (("prompts/**", "high"), ("other/**", "low"))
    )
    builder.write({"promptci.yml": f"version: 1\napprovals:\n  rules:\n{rules}"}).commit()
    released.release(builder)
    assert "\nRisk: high\n" in builder.git("tag", "--list", "--format=%(contents)", TAG) + "\n"


@pytest.mark.parametrize(
    ("words", "messages"),
    first_daily(
        [
            (
                ["order", "v1", "v1.1.0"],
                ["There is no commit `v1` here", "Did you mean `v1.1.0`?", "are v1.0.0, v1.1.0;"],
            ),
            (["ordr", "v1", "v2"], ["There is no prompt `ordr` in", "Did you mean `order`? Prompts there: order."]),
            (["ordr", "v1.0.0", "v2.0.0"], ["has no release here. Did you mean `order`?"]),
        ]
    ),
)
def test_an_unknown_name_or_version_comes_with_the_nearest(
    shop: RepoBuilder, words: list[str], messages: list[str]
) -> None:
    done = run(shop, "diff", *words)
    assert done.code != 0
    assert [message for message in messages if message not in done.text] == [], done.text


@pytest.mark.parametrize(
    "words",
    some_daily(
        [
            "audit log",
            "audit verify",
            "history check",
            "site --dry-run",
            "release order --because x --push",
            "deploy order@v1.0.0 --env production --push",
            "rollback order --to v1.0.0 --env production --push",
            "versions --remote origin",
        ],
        3,
    ),
)
def test_without_a_remote_it_is_said_what_is_missing_and_how_to_add_it(shop: RepoBuilder, words: str) -> None:
    done = run(shop, *words.split())
    assert "has no remote" in done.text, done.text
    assert "`git remote add origin ADDRESS` adds" in done.text
    assert "fatal" not in done.text
