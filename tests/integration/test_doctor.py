"""The doctor over real repositories: a good one is left alone, and each thing to mend is named at its line."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes.openai_server import error
from fakes.repo import RepoBuilder
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving

from promptci.cli.command_group import group
from promptci.errors import GitError
from promptci.files import packaged
from promptci.usecases.setup import demo, doctor, init

WORKFLOW = ".github/workflows/prompts.yml"
PINNED = "promptci/promptci@" + "a" * 40
CONFIG = "version: 1\nprovider:\n  prices: {fake-1: {input_usd: 1, output_usd: 1}}\n"


def workflow() -> str:
    """Return the workflow that init writes, pinned as it will be from a release on."""
    text = (packaged.find_packaged_folder("templates") / "init" / "workflow.yml").read_text(encoding="utf-8")
    return re.sub(r"promptci/promptci@\S+", PINNED, text)


def repository(path: Path, **files: str | None) -> RepoBuilder:
    """Make a good repository, with some files replaced, and those that are None left out."""
    good: dict[str, str | None] = {
        "promptci.yml": CONFIG,
        PROMPT: prompt(GOOD),
        GOLDENS: goldens(20),
        WORKFLOW: workflow(),
        ".gitignore": ".promptci/\npromptci-report/\n",
    }
    builder = RepoBuilder(path / "repository")
    builder.write({name: text for name, text in {**good, **files}.items() if text is not None})
    return builder


def get_findings(builder: RepoBuilder) -> list[str]:
    """Return the findings as they are printed."""
    return [
        f"{doctor_finding.level}: {doctor_finding.problem}"
        for doctor_finding in doctor.examine(builder.path, "promptci.yml")
    ]


def changed(before: str, after: str) -> str:
    """Return the good workflow with one thing changed."""
    text = workflow()
    assert before in text
    return text.replace(before, after)


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def test_what_a_prompt_says_and_is_not_used_is_a_warning_with_its_line(tmp_path: Path) -> None:
    text = prompt(GOOD + " {{ lang | default(1) }}", extra="colour: red\n")
    assert get_findings(repository(tmp_path, **{PROMPT: text})) == [
        f"warning: {PROMPT}:{line_of(text, words)}: {message}."
        " Remove it if it is not meant so; docs/prompt-files.md lists what is used."
        for words, message in (
            ("default", "`{{ lang | default(1) }}` is not a variable and is sent as written"),
            ("colour", "`colour` is not a key of a prompt file and is ignored"),
        )
    ]


def test_a_good_repository_has_nothing_to_mend(tmp_path: Path) -> None:
    assert get_findings(repository(tmp_path)) == []


@pytest.mark.parametrize("provider", ["openai", "local"])
def test_what_init_writes_lacks_only_a_release_to_pin(provider: str, tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "fresh")
    init.write_starter_files(builder.path, provider=provider)
    (finding,) = get_findings(builder)

    assert finding.startswith("warning: .github/workflows/prompts.yml:")
    assert "`promptci/promptci@v0.1.0` is not pinned by a full SHA" in finding


def test_the_example_lacks_only_a_release_to_pin(tmp_path: Path) -> None:
    demo.create_demo_repository(tmp_path / "shop")
    (finding,) = doctor.examine(tmp_path / "shop", "promptci.yml")

    assert (finding.level, "is not pinned by a full SHA" in finding.problem.message) == ("warning", True)


CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"
WORKFLOW_CASES = {
    "permission lacking": (
        "      statuses: write        # the commit status\n",
        "",
        "error",
        "permissions:",
        "statuses: write",
    ),
    "permission to read only": (
        "pull-requests: write ",
        "pull-requests: read ",
        "error",
        "permissions:",
        "the comment needs",
    ),
    "permission too many": ("contents: read", "contents: write", "warning", "contents:", "more than promptci needs"),
    "another permission": (
        "      contents: read\n",
        "      contents: read\n      id-token: write\n",
        "warning",
        "id-token",
        "misuse",
    ),
    "time too short": (
        "timeout-minutes: 60",
        "timeout-minutes: 45",
        "error",
        "timeout-minutes",
        "killed after 45 minutes",
    ),
    "no time": ("    timeout-minutes: 60\n", "", "warning", "  promptci:", "billed for 360"),
    "one group for all": (
        "promptci-${{ github.event.pull_request.number }}",
        "promptci",
        "error",
        "concurrency:",
        "share",
    ),
    "shallow": ("fetch-depth: 0", "fetch-depth: 1", "error", "fetch-depth", "one commit only"),
    "no depth": ("          fetch-depth: 0\n", "", "error", "with:", "one commit only"),
    "credentials": ("          persist-credentials: false\n", "", "warning", "with:", "leaves the token"),
    "no checkout": (CHECKOUT, "actions/setup-node@" + "b" * 40, "error", f"- uses: {PINNED}", "not checked out"),
    "tag": (CHECKOUT, "actions/checkout@v4", "warning", "checkout@v4", "not pinned"),
    "our tag": (PINNED, "promptci/promptci@main", "warning", "promptci@main", "not pinned"),
    "target": ("  pull_request:\n", "  pull_request_target:\n", "error", "  promptci:", "Use `pull_request`"),
    "no trigger": ("  pull_request:\n", "  gollum:\n", "warning", "  promptci:", "nothing starts"),
    "key in the file": ("${{ secrets.OPENAI_API_KEY }}", "sk-abcdefghijkl", "error", "api-key", "the key itself"),
    "no key": (
        "          api-key: ${{ secrets.OPENAI_API_KEY }}\n",
        "",
        "error",
        f"- uses: {PINNED}",
        "nothing sets OPENAI_API_KEY",
    ),
    "unknown input": ("api-key:", "api_key:", "error", "api_key", "Did you mean `api-key`?"),
    "upload only if passed": ("        if: always()\n", "", "error", "upload-artifact", "is lost"),
    "no upload": ("actions/upload-artifact@", "actions/cache@", "warning", f"- uses: {PINNED}", "gone with the runner"),
    "goes on": (
        "        id: promptci\n",
        "        continue-on-error: true\n",
        "error",
        "continue-on-error",
        "lets a blocked change merge",
    ),
    "windows": ("ubuntu-latest", "windows-latest", "error", "runs-on", "Linux only"),
    "write-all": ("permissions: {}", "permissions: write-all", None, "", ""),
    "another variable": ("        id: promptci\n", "        id: promptci\n        env: {A: b}\n", None, "", ""),
}


@pytest.mark.parametrize("case", WORKFLOW_CASES)
def test_a_workflow_that_could_do_better(case: str, tmp_path: Path) -> None:
    before, after, weight, words, message = WORKFLOW_CASES[case]
    text = changed(before, after)
    findings = get_findings(repository(tmp_path, **{WORKFLOW: text}))

    if weight is None:  # the job states its own
        assert findings == []
        return
    matching = [finding for finding in findings if message in finding]
    assert len(matching) == 1, findings
    place = int(matching[0].split(":")[2])
    assert matching[0].startswith(f"{weight}: {WORKFLOW}:")
    if words == "permissions:":
        assert place == line_of(text, "    permissions:")
    elif words == "with:" or words.startswith("- uses"):
        assert abs(place - line_of(text, words)) <= 1
    else:
        assert place == line_of(text, words)


def test_a_strangers_commits_with_secrets_are_named_first_of_all(tmp_path: Path) -> None:
    text = changed("  pull_request:\n", "  pull_request_target:\n").replace(
        "          fetch-depth: 0\n",
        "          fetch-depth: 0\n          ref: ${{ github.event.pull_request.head.sha }}\n",
    )
    (finding,) = get_findings(repository(tmp_path, **{WORKFLOW: text}))
    assert "which are checked out here" in finding
    text = changed(
        "        with:\n          api-key", "        with:\n          allow-untrusted: true\n          api-key"
    )
    (finding,) = get_findings(
        repository(tmp_path / "b", **{WORKFLOW: text.replace("  pull_request:\n", "  pull_request_target:\n")})
    )
    assert "Take `allow-untrusted` out" in finding


def test_without_comment_and_status_the_token_needs_only_to_read(tmp_path: Path) -> None:
    text = changed("          api-key", "          comment: 'off'\n          status: 'false'\n          api-key")
    text = re.sub(r"      (pull-requests|statuses): write.*\n", "", text)
    assert get_findings(repository(tmp_path, **{WORKFLOW: text})) == []


def test_permissions_of_the_whole_workflow_count_where_the_job_states_none(tmp_path: Path) -> None:
    text = re.sub(r"    permissions:\n(      .*\n){3}", "", workflow())
    assert len(get_findings(repository(tmp_path, **{WORKFLOW: text}))) == 3
    assert (
        "write everything"
        in get_findings(
            repository(tmp_path / "b", **{WORKFLOW: text.replace("permissions: {}", "permissions: write-all")})
        )[0]
    )
    (finding,) = get_findings(repository(tmp_path / "c", **{WORKFLOW: text.replace("permissions: {}\n", "")}))
    assert "no permissions are stated" in finding


def test_another_variable_for_the_key_must_be_set_in_the_workflow(tmp_path: Path) -> None:
    settings = CONFIG + "  api_key_env: SHOP_KEY\n"
    (finding,) = get_findings(repository(tmp_path, **{"promptci.yml": settings}))
    assert "nothing sets SHOP_KEY, which `provider.api_key_env` names; the input `api-key` is handed on as" in finding
    text = changed(
        "        with:\n          api-key: ${{ secrets.OPENAI_API_KEY }}", "        env: {SHOP_KEY: '${{ secrets.S }}'}"
    )
    assert get_findings(repository(tmp_path / "b", **{"promptci.yml": settings, WORKFLOW: text})) == []


def test_a_constant_without_goldens_is_named_at_its_own_line(tmp_path: Path) -> None:
    code = '"""Prompts."""\n\nFIRST = "Say {a}."\n\nSECOND = "Say {b}."\n'
    settings = CONFIG + "  model: fake-1\nprompts: {include: ['src/prompts.py:SECOND']}\n"
    files = {"promptci.yml": settings, "src/prompts.py": code, "goldens/SECOND.csv": "b,expected\n"}
    builder = repository(tmp_path, **files, **{PROMPT: None, GOLDENS: None})
    (finding,) = get_findings(builder)
    assert finding.startswith("error: src/prompts.py:5: the prompt `SECOND` has no golden cases")
    assert finding.endswith("goldens/SECOND.csv is empty. Write some to goldens/SECOND.csv.")


LOOPBACK = "version: 1\nprovider:\n  base_url: http://127.0.0.1:8000/v1\n  api_key_env: LOCAL_KEY\n"


def test_an_endpoint_on_this_machine_is_out_of_reach_of_the_container(tmp_path: Path) -> None:
    builder = repository(tmp_path, **{"promptci.yml": LOOPBACK})
    keyless, unreachable = get_findings(builder)
    assert unreachable.startswith(f"warning: {WORKFLOW}")
    assert "the Action runs in a container and cannot reach http://127.0.0.1:8000/v1 on the runner" in unreachable
    assert keyless.startswith(f"warning: {WORKFLOW}")
    assert "nothing sets LOCAL_KEY, which `provider.api_key_env` names" in keyless
    assert 'If the endpoint needs no key, set `api_key_env: ""`.' in keyless
    (note,) = [note for note in doctor.check_up(builder.path, "promptci.yml").notes if "price" in note]
    assert note == (
        "the price of the model `fake-1` is not known: cost is not reported and `run.budget_usd` not kept."
        " If http://127.0.0.1:8000/v1 is free of charge, write"
        " `provider.prices: {fake-1: {input_usd: 0, output_usd: 0}}`."
    )


def test_the_composite_action_runs_on_the_runner_itself(tmp_path: Path) -> None:
    composite = workflow().replace("promptci/promptci@", "promptci/promptci/composite@")
    composite = composite.replace("ubuntu-latest", "windows-latest")
    files = {"promptci.yml": LOOPBACK.replace("  api_key_env: LOCAL_KEY\n", ""), WORKFLOW: composite}
    assert get_findings(repository(tmp_path, **files)) == []


@pytest.mark.parametrize(
    "text",
    [
        "name: promptci\non: [push, &a b]\njobs: *a\n",
        "promptci: [",
        "name: promptci\njobs: 3\n",
        "jobs:\n  promptci: {steps: {a: 1}}\n",
        "jobs:\n  promptci: {steps: [1, null, {uses: [promptci/promptci@x]}]}\n",
        "- promptci\n",
        "# promptci\n",
    ],
)
def test_a_workflow_of_another_shape_is_no_reason_to_fall_over(text: str, tmp_path: Path) -> None:
    findings = get_findings(repository(tmp_path, **{WORKFLOW: text}))
    assert findings
    assert all(finding.startswith("warning: .github/workflows") for finding in findings)


def test_without_a_workflow_it_says_so(tmp_path: Path) -> None:
    (finding,) = get_findings(repository(tmp_path, **{WORKFLOW: "on: push\njobs: {}\n"}))
    assert finding == (
        "warning: .github/workflows: no workflow runs promptci. `promptci init` writes one; the README shows it."
    )


JUDGED = json.dumps({"id": "a", "vars": {"input": "x"}, "assert": [{"type": "judge"}]}) + "\n"
FILE_CASES: dict[str, tuple[dict[str, str | None], str]] = {
    "no configuration": ({"promptci.yml": None}, "warning: promptci.yml: there is no such file"),
    "broken configuration": (
        {"promptci.yml": "gates: {}\n"},
        "error: promptci.yml:1: unknown key `gates`. Did you mean",
    ),
    "no prompts": ({PROMPT: None}, "error: promptci.yml:1: no file matches `prompts.include`"),
    "broken prompt": ({PROMPT: "model: m\nmessages: 3\n"}, f"error: {PROMPT}:2: "),
    "no goldens": ({GOLDENS: None}, f"error: {PROMPT}:1: the prompt `order` has no golden cases"),
    "goldens of no prompt": (
        {"goldens/ordre.jsonl": '{"id": "a", "vars": {"input": "x"}, "expected": "y"}\n'},
        "warning: goldens/ordre.jsonl: no prompt is called `ordre`, so these cases are not used. Did you mean `order`?",
    ),
    "goldens of a prompt that is not included": (
        {
            "goldens/topic.jsonl": '{"id": "a", "vars": {"input": "x"}, "expected": "y"}\n',
            "prompts/topic.j2": "{{input}}",
        },
        "warning: goldens/topic.jsonl: no prompt is called `topic`, so these cases are not used. prompts/topic.j2 may",
    ),
    "broken goldens": ({GOLDENS: "{\n"}, f"error: {GOLDENS}:1: "),
    "variable lacking": ({GOLDENS: '{"id": "a", "vars": {"x": 1}, "expected": "y"}\n'}, f"error: {GOLDENS}:1: "),
    "judge unset": (
        {GOLDENS: JUDGED},
        "error: promptci.yml:1: goldens use the assertion `judge`, and `judge.model` is",
    ),
    "no labels": (
        {GOLDENS: JUDGED},
        (
            "warning: goldens/order.labels.jsonl: a model marks answers of `order`, and there are no labels to check"
            " its marks against. Let people mark 50 answers or more: `promptci judge label --prompt order`. With"
        ),
    ),
    "rubric lacking": (
        {"promptci.yml": CONFIG + "judge: {model: m, rubric: j.md}\n"},
        "error: j.md: `judge.rubric` names this file, which does not exist",
    ),
    "price unknown": ({"promptci.yml": "version: 1\n"}, "warning: promptci.yml:1: the price of the model `fake-1`"),
    "endpoint overheard": (
        {"promptci.yml": "provider:\n  base_url: http://models.example/v1\n"},
        (
            "error: promptci.yml:2: `provider.base_url` is 'http://models.example/v1', which is not valid:"
            " `http://models.example` would be overheard. Use https: plain"
        ),
    ),
    "no recording": (
        {"promptci.yml": "provider:\n  kind: recorded\n  path: a.jsonl\n"},
        "error: promptci.yml:3: there is no file of recorded answers at `a.jsonl`",
    ),
    "not ignored": ({".gitignore": "promptci-report/\n"}, "warning: .gitignore: `.promptci/`, which promptci writes"),
    "report not ignored": ({".gitignore": ".promptci/\n"}, "warning: .gitignore: `promptci-report/`, which"),
}


@pytest.mark.parametrize("case", FILE_CASES)
def test_a_file_that_is_to_be_mended(case: str, tmp_path: Path) -> None:
    files, words = FILE_CASES[case]
    findings = get_findings(repository(tmp_path, **files))
    assert [finding for finding in findings if finding.startswith(words)], findings


def test_a_committed_cache_is_named(tmp_path: Path) -> None:
    builder = repository(tmp_path)
    builder.write({".promptci/cache/answers-2026-01-01.jsonl": "x"})
    builder.git("add", "--force", ".promptci/cache")
    (finding,) = get_findings(builder)
    assert finding.startswith("error: .promptci/cache/answers-2026-01-01.jsonl: 1 file is committed under")


def test_outside_of_a_repository_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError):
        doctor.examine(tmp_path, "promptci.yml")


def test_the_command_says_it_in_words_or_json_and_by_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    good = repository(tmp_path / "good")
    bad = repository(tmp_path / "bad", **{GOLDENS: None, ".gitignore": "promptci-report/\n"})

    def doctor_of(builder: RepoBuilder, *options: str) -> tuple[int, str]:
        done = CliRunner().invoke(group, ["doctor", "--repo", str(builder.path), *options], standalone_mode=False)
        assert done.exception is None
        return done.return_value, done.output

    code, text = doctor_of(good)
    assert (code, text.splitlines()) == (
        0,
        [
            "ok: configuration: promptci.yml is valid",
            "ok: prompts and goldens: 1 prompt, 20 golden cases",
            "ok: judges: none is used",
            "ok: endpoint: https://api.openai.com/v1, key from OPENAI_API_KEY, which is set here",
            "ok: ignored folders: git ignores what promptci writes",
            "ok: workflow: triggers, permissions and inputs fit",
            "note: order: 20 golden cases can show a drop of 6.5 points or more",
            "0 errors, 0 warnings",
        ],
    )
    code, text = doctor_of(bad)
    assert (code, text.splitlines()[-1]) == (1, "1 error, 1 warning")
    assert f"error: {PROMPT}:1: " in text
    code, text = doctor_of(bad, "--json")
    value = json.loads(text)
    assert (code, value["schema"]) == (1, "promptci/doctor/v1")
    assert {"file", "line", "level", "message", "hint"} == set(value["findings"][0])
    assert {result["file"] for result in value["findings"]} == {".gitignore", PROMPT}


def look(builder: RepoBuilder, **environ: str) -> list[str]:
    checkup = doctor.check_up(builder.path, "promptci.yml", environ)
    return [f"{finding.level}: {finding.problem}" for finding in checkup.findings]


def test_a_key_that_is_not_set_here_is_a_warning_but_on_ci(tmp_path: Path) -> None:
    overrides = "overrides:\n- prompts: [order]\n  provider: {base_url: https://b.example/v1, api_key_env: B_KEY}\n"
    prices = "provider:\n  prices: {fake-1: {input_usd: 1, output_usd: 1}}\n"
    text = f"version: 1\n{prices}{overrides}"
    key = "env:\n  B_KEY: ${{ secrets.B_KEY }}\n"
    builder = repository(tmp_path, **{"promptci.yml": text, WORKFLOW: f"{key}{workflow()}"})
    lacking = look(builder)
    (own,) = (line for line in lacking if "OPENAI_API_KEY" in line)
    assert own == (
        "warning: promptci.yml:2: OPENAI_API_KEY is not set here: `check` and `run` can ask nothing on this machine."
        " `export OPENAI_API_KEY=…`, the key of https://api.openai.com/v1."
    )
    assert [line.partition(": `check`")[0] for line in lacking if "B_KEY" in line] == [
        "warning: promptci.yml:4: B_KEY is not set here"
    ]
    assert look(builder, OPENAI_API_KEY="sk-1", B_KEY="sk-2") == []
    assert look(builder, CI="true") == []


def test_the_embedded_model_that_is_not_here_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = repository(tmp_path, **{"promptci.yml": "version: 1\nprovider:\n  kind: local\n"})
    model = tmp_path / "model.gguf"
    model.write_text("")
    monkeypatch.setattr("promptci.providers.registry.util.find_spec", lambda _: None)
    (finding,) = look(builder, PROMPTCI_MODEL_FILE=str(model))
    assert finding.startswith("warning: promptci.yml:3: the embedded model needs the extra `local`. ")
    monkeypatch.setattr("promptci.providers.registry.util.find_spec", lambda _: object())
    (finding,) = look(builder, PROMPTCI_CACHE_HOME=str(tmp_path))
    assert finding.startswith("warning: promptci.yml:3: the embedded model is not there yet")
    assert look(builder, PROMPTCI_MODEL_FILE=str(model)) == []


def test_a_mistake_in_the_configuration_is_one_error_and_nothing_follows_from_it(tmp_path: Path) -> None:
    moved = {PROMPT: None, GOLDENS: None, "texts/order.prompt.yml": prompt(GOOD), "cases/order.jsonl": goldens(20)}
    patterns = "prompts:\n  include: ['texts/*.prompt.yml']\n  goldens: 'cases/{name}.*'\n"
    builder = repository(tmp_path, **{"promptci.yml": f"{CONFIG}{patterns}gate:\n  max_dropp: 0.1\n", **moved})
    checkup = doctor.check_up(builder.path, "promptci.yml")
    assert [str(finding.problem) for finding in checkup.findings] == [
        "promptci.yml:8: unknown key `gate.max_dropp`. Did you mean `max_drop`?"
    ]
    assert checkup.notes == (
        "not checked until promptci.yml is valid: prompts and goldens, judges, endpoint, ignored folders, workflow",
    )


def ask(builder: RepoBuilder) -> tuple[int, str]:
    done = CliRunner().invoke(group, ["doctor", "--repo", str(builder.path), "--ask"], standalone_mode=False)
    return done.return_value, done.output


def test_each_model_is_asked_once_where_that_is_wanted(tmp_path: Path) -> None:
    with serving() as server:
        builder = repository(tmp_path, **{"promptci.yml": config(server)})
        code, text = ask(builder)
        assert (code, len(server.calls)) == (0, 1)
    assert "ok: model fake-1: answered in " in text


def test_the_model_of_an_evaluator_in_a_prompt_file_is_a_judge_too(tmp_path: Path) -> None:
    evaluator = (
        "evaluators:\n- name: fit\n  llm:\n    modelId: judge-1\n    prompt: 'Good or poor? {{completion}}'\n"
        "    choices: [{choice: good, score: 1}, {choice: poor, score: 0}]\n"
    )
    with serving() as server:
        builder = repository(tmp_path, **{"promptci.yml": config(server), PROMPT: prompt(GOOD, extra=evaluator)})
        builder.write({"goldens/order.labels.jsonl": ""})
        _, text = ask(builder)
        assert len(server.calls) == 2
    assert "ok: model judge-1: answered in " in text
    assert "ok: judges: judge-1\n" in text


def test_a_model_that_does_not_answer_is_an_error_and_so_is_a_missing_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(lambda _: error(404, "no such model")) as server:
        code, text = ask(repository(tmp_path / "a", **{"promptci.yml": config(server)}))
    assert (code, "error: model fake-1: " in text) == (1, True)
    code, text = ask(repository(tmp_path / "b"))
    assert (code, "error: no model was asked: `OPENAI_API_KEY` is not set" in text) == (1, True)


def test_init_adds_to_a_gitignore_and_takes_nothing_out(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("node_modules/\n.promptci/")
    assert ".gitignore" in init.write_starter_files(tmp_path, provider="local").written
    assert (tmp_path / ".gitignore").read_text() == (
        "node_modules/\n.promptci/\npromptci-report/\npromptci-judge/\npromptci-demo/\npromptci-site/\n"
        "dist/*.bundle.json\n/site/\n/demo-site/\n/audit-binder.*\n/logs/\n"
    )
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)


def test_warnings_are_counted_beside_models_that_do_not_answer(tmp_path: Path) -> None:
    with serving(lambda _: error(400, "no such model")) as server:
        builder = repository(tmp_path, **{"promptci.yml": config(server), ".gitignore": ".promptci/\n"})
        code, text = ask(builder)
    warnings = sum(line.startswith("warning: ") for line in text.splitlines())
    assert warnings > 1
    assert (code, text.splitlines()[-1]) == (1, f"1 error, {warnings} warnings")


def test_a_committed_report_comes_with_the_command_that_takes_it_out(tmp_path: Path) -> None:
    builder = repository(tmp_path)
    path = "promptci-report/report.json"
    builder.write({path: "{}", ".gitignore": ".promptci/\n"})
    builder.commit("all of it")
    (finding,) = (f for f in doctor.examine(builder.path, "promptci.yml") if f.problem.path == path)
    assert "`git rm -r --cached promptci-report`" in finding.problem.hint


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}])
def test_a_key_that_is_not_set_is_not_called_in_order(environ: dict[str, str], tmp_path: Path) -> None:
    with serving() as server:
        text = config(server).replace('"base_url"', '"api_key_env": "OWN_KEY", "base_url"')
        checkup = doctor.check_up(repository(tmp_path, **{"promptci.yml": text}).path, "promptci.yml", environ)
    assert not any("not set" in line for line in checkup.in_order)
    assert any(note.startswith("OWN_KEY is not set") for note in checkup.notes)
