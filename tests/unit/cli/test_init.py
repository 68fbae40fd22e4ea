"""`promptci init`: what it detects, what it writes, and what comes next."""

import json
import subprocess
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci
from support.repositories import GOLDENS, GOOD, PROMPT, goldens, prompt

from promptci.app.release_commit import find_release_commit
from promptci.config.load import load_config
from promptci.providers.local import model_file
from promptci.usecases.setup import doctor

KEY = {"MISTRAL_API_KEY": "m-0123456789"}


def init(builder: RepoBuilder, **environ: str) -> "subprocess.CompletedProcess[str]":
    return call_promptci(["init"], builder.path, {"PATH": "/usr/bin:/bin", **environ})


@pytest.fixture
def builder(tmp_path: Path) -> RepoBuilder:
    new = RepoBuilder(tmp_path / "shop")
    new.write({PROMPT: prompt(GOOD), GOLDENS: goldens(2)}).commit()
    return new


def test_the_key_that_is_set_chooses_the_endpoint_and_is_named_only(builder: RepoBuilder) -> None:
    done = init(builder, **KEY)
    assert done.returncode == 0, done.stderr
    written = {path: (builder.path / path).read_text() for path in ("promptci.yml", ".github/workflows/prompts.yml")}
    provider = load_config(written["promptci.yml"].encode(), "promptci.yml").provider
    assert (provider.base_url, provider.api_key_env) == ("https://api.mistral.ai/v1", "MISTRAL_API_KEY")
    assert "MISTRAL_API_KEY: ${{ secrets.MISTRAL_API_KEY }}" in written[".github/workflows/prompts.yml"]
    assert KEY["MISTRAL_API_KEY"] not in done.stdout + "".join(written.values())
    findings = doctor.examine(builder.path, "promptci.yml")
    assert {finding.level for finding in findings} == {"warning"}
    *unpinned, price = (finding.problem for finding in findings)
    assert "the price of the model `fake-1` is not known" in price.message
    commit, workflow = find_release_commit(), written[".github/workflows/prompts.yml"]
    if commit is not None:  # these tests run in a clone at a release's tag
        assert not unpinned
        assert f"promptci/promptci@{commit} # v" in workflow
        return
    assert "`promptci/promptci@v0.1.0` is not pinned" in unpinned[0].message
    lookup = "git ls-remote https://github.com/promptci/promptci v0.1.0 'v0.1.0^{}'"
    assert lookup in workflow
    assert lookup in unpinned[0].hint


def test_in_a_folder_the_files_go_to_the_top_of_the_repository(builder: RepoBuilder) -> None:
    folder = builder.path / "src" / "llm"
    folder.mkdir(parents=True)
    done = call_promptci(["init"], folder, {"PATH": "/usr/bin:/bin", **KEY})
    assert f"{folder} is a folder of the repository {builder.path}: the files go there" in done.stdout
    assert "wrote ../../promptci.yml" in done.stdout
    assert not [*folder.iterdir()]
    assert (builder.path / ".github/workflows/prompts.yml").exists()
    assert "kept ../../promptci.yml" in call_promptci(["init"], folder, {"PATH": "/usr/bin:/bin", **KEY}).stdout


def test_prompts_models_and_missing_goldens_are_named_and_no_example_is_written(builder: RepoBuilder) -> None:
    builder.write({"prompts/new.prompt.yml": prompt(GOOD).replace("order", "new", 1)})
    done = init(builder, **KEY)
    assert "found models: fake-1\n" in done.stdout
    assert "no golden cases for new: write some to goldens/new.jsonl" in done.stdout
    assert not (builder.path / "prompts" / "email-finder.prompt.yml").exists()


def test_files_that_are_there_are_kept_and_the_others_written(builder: RepoBuilder) -> None:
    builder.write({"promptci.yml": "version: 1\n"})
    done = init(builder, **KEY)
    assert "kept promptci.yml, which was there already" in done.stdout
    assert "wrote .github/workflows/prompts.yml" in done.stdout
    assert (builder.path / "promptci.yml").read_text() == "version: 1\n"


def test_the_configuration_of_another_tool_is_to_be_imported(builder: RepoBuilder) -> None:
    builder.write({"promptfooconfig.yaml": "prompts: []\n"})
    assert "`promptci import promptfoo promptfooconfig.yaml` imports it" in init(builder, **KEY).stdout


def test_a_configuration_of_the_other_suffix_is_kept_and_said_to_be(builder: RepoBuilder) -> None:
    files = {"promptci.yaml": "version: 1\n", "promptfooconfig.yaml": PROMPTFOO, "prompts/polite.txt": "Hi {{name}}."}
    builder.write(files)
    done = init(builder, **KEY)
    assert "kept promptci.yaml, which was there already" in done.stdout
    assert "found prompts; add to `prompts.include` those that it does not name yet: " in done.stdout
    assert "found an endpoint: https://llm.example/v1; `promptci doctor` says" in done.stdout
    assert not (builder.path / "promptci.yml").exists()


def test_an_endpoint_without_a_key_is_asked_without_one(tmp_path: Path) -> None:
    text = "prompts: ['Hi {{a}}']\nproviders: [ollama:llama3]\ntests: [{vars: {a: x}, assert: [{type: is-json}]}]\n"
    builder = RepoBuilder(tmp_path / "shop").write({"promptfooconfig.yaml": text})
    builder.commit()
    assert "OPENAI_API_KEY" not in init(builder).stdout
    provider = load_config((builder.path / "promptci.yml").read_bytes(), "promptci.yml").provider
    assert (provider.base_url, provider.api_key_env) == ("http://localhost:11434/v1", "")


PROMPTFOO = """\
prompts: [file://prompts/polite.txt]
providers: [{id: "openai:chat:gpt-4o-mini", config: {apiBaseUrl: "https://llm.example/v1"}}]
tests: [{vars: {name: Ann}, assert: [{type: contains, value: Ann}]}]
"""


def test_a_configuration_of_promptfoo_is_read_as_it_is_with_its_files_and_its_endpoint(tmp_path: Path) -> None:
    files = {"promptfooconfig.yaml": PROMPTFOO, "prompts/polite.txt": "Greet {{name}}.", "prompts/rude.txt": "Hi."}
    builder = RepoBuilder(tmp_path / "shop").write(files)
    builder.commit()
    done = init(builder)
    assert "import promptfoo" not in done.stdout
    assert "  export OPENAI_API_KEY=…" in done.stdout
    config = load_config((builder.path / "promptci.yml").read_bytes(), "promptci.yml")
    assert config.provider.base_url == "https://llm.example/v1"
    assert [path for path in config.prompts.include if ".prompt.y" not in path] == [
        "prompts/rude.txt",
        "promptfooconfig.yaml",
    ]


def test_it_ends_with_three_commands(builder: RepoBuilder) -> None:
    for environ in ({}, KEY):
        last = init(builder, **environ).stdout.splitlines()[-4:]
        assert last[0] == "Next:"
        assert all(line.startswith("  ") for line in last[1:])


def test_missing_goldens_come_first_with_their_file(builder: RepoBuilder) -> None:
    builder.write({"prompts/new.prompt.yml": prompt(GOOD).replace("order", "new", 1), "prompts/old.md": "Greet.\n"})
    steps = init(builder, **KEY).stdout.partition("Next:\n")[2].splitlines()
    assert steps[0] == "  # put golden cases into goldens/new.jsonl, one a line; 1 more: promptci doctor"
    assert steps[2].startswith("  promptci run ")


def test_outside_of_a_repository_git_is_named_and_its_command(tmp_path: Path) -> None:
    done = call_promptci(["init"], tmp_path, {"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert "This folder is in no git repository, and checks compare versions in git: `git init`" in done.stdout
    assert done.stdout.partition("Next:\n")[2].startswith("  git init  ")


def test_what_git_ignores_already_is_not_ignored_twice(builder: RepoBuilder) -> None:
    builder.write({".gitignore": "promptci-*\n/dist\n"})
    init(builder, **KEY)
    assert (builder.path / ".gitignore").read_text() == (
        "promptci-*\n/dist\n.promptci/\n/site/\n/demo-site/\n/audit-binder.*\n/logs/\n"
    )


def test_the_workflow_that_it_wrote_is_no_prompt(builder: RepoBuilder) -> None:
    init(builder, **KEY)
    assert ".github/workflows" not in init(builder, **KEY).stdout.partition("kept")[0]


def test_a_dry_run_writes_nothing_and_json_names_the_files(builder: RepoBuilder) -> None:
    tried = call_promptci(["init", "--dry-run", "--json"], builder.path, {"PATH": "/usr/bin:/bin", **KEY})
    result = json.loads(tried.stdout)
    assert (result["files"][0], result["dry_run"]) == ("promptci.yml", True)
    assert not (builder.path / "promptci.yml").exists()
    assert not (builder.path / ".gitignore").exists()
    assert "would write promptci.yml" in call_promptci(["init", "--dry-run"], builder.path, {**KEY}).stdout


def test_a_dry_import_writes_nothing(tmp_path: Path) -> None:
    files = {"promptfooconfig.yaml": PROMPTFOO, "prompts/polite.txt": "Greet {{name}}."}
    shop = RepoBuilder(tmp_path / "shop").write(files)
    shop.commit()
    tried = call_promptci(["import", "promptfoo", "--dry-run", "--json"], shop.path, {"PATH": "/usr/bin:/bin"})
    assert (json.loads(tried.stdout)["dry_run"], (shop.path / "goldens").exists()) == (True, False), tried.stderr
    call_promptci(["init"], shop.path, {"PATH": "/usr/bin:/bin"})
    done = call_promptci(["import", "promptfoo"], shop.path, {"PATH": "/usr/bin:/bin"})
    assert "take promptfooconfig.yaml out of `prompts.include` in promptci.yml now" in done.stdout
    assert "released or deployed as `polite` has no prompt" in done.stdout
    assert "written: goldens/" in done.stdout


def test_the_model_of_prompts_that_name_none_is_one_that_was_found(builder: RepoBuilder) -> None:
    builder.write({"prompts/old.md": "Greet.\n"})
    init(builder, **KEY)
    assert 'model: "fake-1" ' in (builder.path / "promptci.yml").read_text()


def test_without_a_model_to_be_found_its_name_is_in_the_endpoints_spelling(tmp_path: Path) -> None:
    for key, name in (("OPENAI_API_KEY", "gpt-4o-mini"), ("OPENROUTER_API_KEY", "openai/gpt-4o-mini")):
        repository = RepoBuilder(tmp_path / key).write({"prompts/old.md": "Greet.\n"})
        init(repository, **{key: "sk-1"})
        assert f'model: "{name}" ' in (repository.path / "promptci.yml").read_text()


def test_without_a_key_the_workflow_fetches_the_model_and_hands_over_no_key(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop").write({"site/index.html": "x"})
    builder.commit()
    assert init(builder).returncode == 0
    workflow = (builder.path / ".github/workflows/prompts.yml").read_text()
    assert "OPENAI_API_KEY" not in workflow
    place = f".promptci/model/{model_file.FILE_NAME}"
    assert f'echo "{model_file.SHA256}  {place}" | sha256sum' in workflow
    assert f"          PROMPTCI_MODEL_FILE: {place}\n" in workflow
    documented = (Path(__file__).parents[3] / "docs" / "github.md").read_text(encoding="utf-8")
    step = workflow[workflow.index("      - name: Fetch") : workflow.index("      # To pin it")]
    assert documented.count(step) == 1
    ignored = (builder.path / ".gitignore").read_text().splitlines()
    assert "/audit-binder.*" in ignored
    assert "/site/" not in ignored, "it is the repository's own"
