"""Nothing found, nothing asked, nothing passed, something left out: none of it is green, at the CLI or in the Action.

Every situation is one in which the prompt got worse, or in which nothing shows that it did not.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fakes import github as fake
from fakes.openai_server import Call, OpenAIServer, Reply, completion, error, reply
from fakes.repo import RepoBuilder
from support.action_runner import Run
from support.cli_runs import CommandResult, run_command
from support.daily import first_daily, some_daily
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving

GREEN = {"pass", "no-change"}
CASES = 20
Files = dict[str, str | bytes]
Answer = Callable[[Call], Reply | str]
Change = Callable[[RepoBuilder], object]


def number_of(call: Call) -> str:
    result = re.search(r"GH-\d+", call.last_user_message)
    return result[0] if result else "none"


def is_bad(call: Call) -> bool:
    return BAD in json.dumps(call.body["messages"])


def copy_or_chat(call: Call) -> str:
    """Copy the number; with the bad prompt, never."""
    return "Sure, with pleasure!" if is_bad(call) else number_of(call)


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """A repository, a pull request to it, and a model."""

    files: Files = field(default_factory=dict)
    """On the main branch, beside prompt and goldens; empty content: the file is not there."""
    change: Change = lambda builder: builder.write({PROMPT: prompt(BAD)})
    answer: Answer = copy_or_chat
    sections: Mapping[str, Any] = field(default_factory=dict)
    """Of promptci.yml."""
    config_path: str = "promptci.yml"
    named_config: str | None = None
    """Given as `--config`."""


def write_bad(path: str) -> Change:
    return lambda builder: builder.write({path: prompt(BAD)})


def moved(source: str, target: str, **sections: Any) -> Situation:
    def change(builder: RepoBuilder) -> None:
        builder.rename(source, target)
        builder.write({target: prompt(BAD)})

    return Situation(change=change, sections=sections)


def placed(path: str) -> Situation:
    """The prompt stands elsewhere from the start, and the default patterns look for it."""
    return Situation(files={PROMPT: "", path: prompt(GOOD)}, change=write_bad(path))


def with_parameter(before: str, after: str, **good: Any) -> Situation:
    """One parameter changes, and the model does well only with the old value on the wire."""
    text = f"model: fake-1\nmodelParameters: {{%s}}\nmessages:\n  - role: user\n    content: '{GOOD} {{{{input}}}}'\n"

    def answer(call: Call) -> str:
        return number_of(call) if all(call.body.get(key) == value for key, value in good.items()) else "?"

    return Situation(
        files={PROMPT: text % before}, change=lambda builder: builder.write({PROMPT: text % after}), answer=answer
    )


def always(text: str) -> Situation:
    """No version answers anything right."""
    return Situation(answer=lambda _: text)


def head_fails(failure: Callable[[], Reply], *, share: int = 1, **options: Any) -> Situation:
    """Head's requests fail in every case, or one of so many; base's never do."""

    def answer(call: Call) -> Reply | str:
        number = number_of(call)
        return failure() if is_bad(call) and int(number[3:]) % share == 0 else number

    return Situation(files={GOLDENS: goldens(CASES, **options)}, answer=answer)


def odd_models(call: Call) -> Reply | str:
    """One answer names another model, as after a gateway's fallback; head is all wrong."""
    other = "GH-1003" in call.last_user_message
    return reply(completion(copy_or_chat(call), model="fallback-9" if other else "fake-1"))


def edit_provider(**settings: Any) -> Change:
    """Return a change of settings that decide who answers; the prompt stays as it is."""

    def change(builder: RepoBuilder) -> None:
        whole = json.loads((builder.path / "promptci.yml").read_text())
        builder.write({"promptci.yml": json.dumps({**whole, "provider": {**whole["provider"], **settings}})})

    return change


def edit_include(*patterns: str) -> Change:
    """Return a change of the patterns by which prompts are found; every prompt stays as it is."""

    def change(builder: RepoBuilder) -> None:
        whole = json.loads((builder.path / "promptci.yml").read_text())
        builder.write({"promptci.yml": json.dumps({**whole, "prompts": {"include": patterns}})})

    return change


def rewritten_as(path: str) -> Change:
    return lambda builder: builder.remove(PROMPT).write({path: f"{BAD} Be brief. {{{{input}}}}"})


def in_code(statement: str) -> Situation:
    """A prompt is a constant of a program, and then it is set in a way that cannot be read."""
    code, before = "src/prompts.py", "OTHER = 1\nORDER = 'Copy the order number. {{input}}'\n"
    return Situation(
        files={PROMPT: "", code: before, "goldens/ORDER.jsonl": goldens(CASES)},
        change=lambda builder: builder.write({code: f"OTHER = 1\n{statement}\n"}),
        sections={"prompts": {"include": [f"{code}:ORDER"], "user": False}, "provider": {"model": "fake-1"}},
    )


def unreached(before: str, after: str, path: str) -> Situation:
    """A prompt of Jinja, and an edit that changes none of its requests."""
    start = "Copy the order number. "
    return Situation(
        files={PROMPT: "", "prompts/order.j2": start + before, "prompts/tone.txt": "Be brief."},
        change=lambda builder: builder.write({f"prompts/{path}": after if path != "order.j2" else start + after}),
        sections={"prompts": {"include": ["prompts/order.j2"]}, "provider": {"model": "fake-1"}},
    )


BROKEN = "model: fake-1\nmessages: [\n"
UNFILLED = prompt(GOOD).replace("{{input}}", "input")


SITUATIONS: dict[str, Situation] = {
    # Nothing is found.
    "prompts moved away from the pattern": moved(
        PROMPT, "src/prompts/order.prompt.yml", prompts={"include": ["prompts/*.prompt.yml"]}
    ),
    "a typo in the pattern": Situation(sections={"prompts": {"include": ["promts/*.prompt.yml"]}}),
    "a typo in one pattern of several": Situation(
        files={"prompts/shout.j2": GOOD + " {{input}}", "goldens/shout.jsonl": goldens(9)},
        sections={"prompts": {"include": ["prompts/*.prompt.yml", "prompt/*.j2"]}},
        change=lambda builder: builder.write({"prompts/shout.j2": BAD + " {{input}}"}),
    ),
    "the change breaks a pattern": Situation(
        files={"prompts/shout.j2": GOOD + " {{input}}", "goldens/shout.jsonl": goldens(9)},
        sections={"prompts": {"include": ["prompts/*.yml", "prompts/*.j2"]}, "provider": {"model": "fake-1"}},
        change=edit_include("prompts/*.yml", "prompt/*.j2"),
    ),
    "the change leaves out a prompt": Situation(
        files={"prompts/shout.j2": GOOD + " {{input}}", "goldens/shout.jsonl": goldens(9)},
        sections={"prompts": {"include": ["prompts/*.yml", "prompts/*.j2"]}, "provider": {"model": "fake-1"}},
        change=edit_include("prompts/*.yml"),
    ),
    "a pattern with a wrong suffix": Situation(sections={"prompts": {"include": ["prompts/*.prompts.yaml"]}}),
    "a named configuration that is not there": Situation(named_config="promtci.yml"),
    "the configuration ends in .yaml": Situation(config_path="promptci.yaml"),
    # The usual places of prompts.
    **{
        f"a prompt at {path}": placed(path)
        for path in (
            "order.prompt.yml", ".github/prompts/order.prompt.yml", "a/b/c/order.prompt.yaml", "src/order.prompt.yaml",
        )
    },
    # What the file says is not used.
    **{
        f"a parameter: {after}": with_parameter(before, after, **good)
        for before, after, good in (
            ("reasoningEffort: low", "reasoningEffort: minimal", {"reasoning_effort": "low"}),
            ("temperature: 0", "temprature: 0.9", {"temperature": 0}),
            ("maxTokens: 16", "maxTokens: 1", {"max_tokens": 16}),
            ("seed: 1", "seed: 2", {"seed": 1}),
            ("top_k: 1", "top_k: 50", {"top_k": 1}),
            ("presence_penalty: 0", "presence_penalty: 2", {"presence_penalty": 0}),
            ("temperature: 0", "temperature: 0, logitBias: {x: 1}", {"logit_bias": None}),
            ("temperature: 0", "temperature: 0, stream: true", {"stream": None}),
            ("temperature: 0", "temperature: 0, n: 3", {"n": None}),
        )
    },
    # Nothing passes.
    **{
        f"every answer is {text[:12]!r}": always(text)
        for text in ("<think>let me see</think>", "", " ", "I cannot help with that.", "{}", "none")
    },
    "every expectation is wrong": Situation(files={GOLDENS: goldens(CASES).replace('"GH-', '"GH ')}),
    "no variable reaches the prompt": Situation(
        files={PROMPT: UNFILLED}, change=lambda builder: builder.write({PROMPT: UNFILLED.replace(GOOD, BAD)})
    ),
    # Answers of head are missing.
    **{
        f"head fails with {name} in one of {share}{' critical cases' if options else ''}": head_fails(
            failure, share=share, **options
        )
        for name, failure in {
            "too long a context": lambda: error(400, "too long", code="context_length_exceeded"),
            "json_validate_failed": lambda: error(400, "Failed to validate JSON", code="json_validate_failed"),
            "HTTP 422": lambda: error(422, "unprocessable"),
            "an empty body": lambda: Reply(body=b""),
        }.items()
        for share, options in ((1, {}), (5, {}), (10, {"critical": True}))
    },
    "one answer names another model": Situation(answer=odd_models),
    "a file that was broken before, and its goldens change": Situation(
        files={PROMPT: BROKEN}, change=lambda builder: builder.write({GOLDENS: goldens(CASES - 1)})
    ),
    "a file that breaks": Situation(change=lambda builder: builder.write({PROMPT: BROKEN})),
    **{
        f"all of {count} cases broken": Situation(
            files={GOLDENS: goldens(count)}, sections={"run": {"repeats": "auto"}}
        )
        for count in (1, 2, 3, 5)
    },
    "no cases": Situation(files={GOLDENS: ""}),
    "every case has weight 0": Situation(files={GOLDENS: goldens(CASES, weight=0)}),
    "no case asserts anything": Situation(files={GOLDENS: '{"id": "a", "vars": {"input": "x"}}\n'}),
    "every assertion has weight 0": Situation(
        files={GOLDENS: goldens(CASES, **{"assert": [{"type": "equals", "weight": 0}]})}
    ),
    "the assertions take longer than the run allows": Situation(
        files={GOLDENS: goldens(CASES, **{"assert": [{"type": "regex", "value": "GH-|(a|aa)+[bd]"}]})},
        answer=lambda call: "a" * 22 + "c" if is_bad(call) else number_of(call),
        sections={"run": {"assertion_time": "0.1s", "repeats": 1}},
    ),
    "the prompt is deleted": Situation(change=lambda builder: builder.remove(PROMPT)),
    # No golden case reaches what the change edits.
    **{
        f"an edit that no case reaches: {name}": unreached(before, after, path)
        for name, (before, after, path) in {
            "a branch of a Jinja file": ("{{input}}", "{% if vip %}Answer none. {% endif %}{{input}}", "order.j2"),
            "a branch is removed": ("{% if vip %}Be kind.{% endif %}{{input}}", "{{input}}", "order.j2"),
            "an else": (
                "{% if input %}{{input}}{% else %}x{% endif %}", "{% if input %}{{input}}{% else %}y{% endif %}",
                "order.j2",
            ),
            "a default": ("{{ input | default('none') }}", "{{ input | default('any') }}", "order.j2"),
            "a loop": ("{{input}}", "{{input}}{% for tip in tips or [] %}{{tip}}{% endfor %}", "order.j2"),
            "a condition": (
                "{{input}}{% if vip %}!{% endif %}", "{{input}}{% if is_vip %}!{% endif %}", "order.j2",
            ),
            "an included file": (
                "{{input}}{% if vip %}{% include 'tone.txt' %}{% endif %}", "Answer none.", "tone.txt",
            ),
        }.items()
    },
    "an edit that no case reaches, and another case": replace(
        vip := unreached("{{input}}", "{% if vip %}Answer none. {% endif %}{{input}}", "order.j2"),
        change=lambda builder: vip.change(builder) and builder.write({GOLDENS: goldens(CASES + 1)}),
    ),
    "an edit that every conversation replaces": Situation(
        files={
            GOLDENS: "".join(
                json.dumps({
                    "id": str(i), "vars": {"messages": [{"role": "user", "content": f"where is GH-{i}?"}]},
                    "expected": f"GH-{i}",
                }) + "\n" for i in range(1000, 1020)
            ),
            PROMPT: prompt(GOOD).replace("{{input}}", "Hello"),
        },
        change=lambda builder: builder.write({PROMPT: prompt(GOOD).replace("{{input}}", "Be chatty.")}),
    ),
    # What the change edits is not what was asked.
    **{
        f"the change edits {' and '.join(settings)} of the provider": Situation(change=edit_provider(**settings))
        for settings in (
            {"base_url": "http://127.0.0.1:9/v1"}, {"kind": "local"}, {"strip_reasoning": False},
            {"headers": {"X-Route": "cheap"}}, {"kind": "command", "run": ["true"]},
        )
    },
    # The prompt is still there, and nothing reaches it.
    **{
        f"the prompt is rewritten as {path}": Situation(change=rewritten_as(path))
        for path in (
            "prompts/order.md", "prompts/order.prompt.md", "prompts/order.txt", "prompts/order.j2",
            "other/order.prompt", "other/order.prompty", "prompts/order.json", "prompts/order.py",
            "other/order.prompt.json",
        )
    },
    **{
        f"a constant: {statement}": in_code(statement)
        for statement in (
            "from other import ORDER", "import other as ORDER", "ORDER = open('order.txt').read()", "ORDER += BAD",
            "ORDER = 'x {{input}}'\ndel ORDER\nfrom other import *", "ORDER = 'x {{input}}'\nfrom other import *",
            "def ORDER():\n    return load('order')", "for ORDER in ['Be chatty. {{input}}']: pass", "ORDER: str",
        )
    },
    "prompt and goldens are deleted": Situation(change=lambda builder: builder.remove(PROMPT, GOLDENS)),
}  # fmt: skip


def build(folder: Path, situation: Situation, server: OpenAIServer) -> RepoBuilder:
    files: Files = {
        ".gitignore": ".promptci/\npromptci-report/\n",
        situation.config_path: config(server, **situation.sections),
        PROMPT: prompt(GOOD),
        GOLDENS: goldens(CASES),
        **situation.files,
    }
    builder = RepoBuilder(folder / "shop").write({path: text for path, text in files.items() if text})
    builder.commit("base")
    builder.branch("pr")
    situation.change(builder)
    builder.commit()
    return builder


def run_cli(folder: Path, situation: Situation, *words: str) -> CommandResult:
    """Run a command on the pull request of a situation; by default, `check`."""
    with serving(situation.answer) as server:
        builder = build(folder, situation, server)
        named = [] if situation.named_config is None else ["--config", situation.named_config]
        return run_command(builder.path, [*(words or ("check", "--base", "main")), *named], folder / "out")


@pytest.mark.parametrize("name", some_daily(SITUATIONS, 20))
def test_the_command_line_is_not_green(tmp_path: Path, name: str) -> None:
    result = run_cli(tmp_path, SITUATIONS[name])
    assert not result.is_green, (result.verdict, result.rules, result.text)
    assert result.text.strip()


def test_a_critical_case_that_is_never_answered_any_more_blocks(tmp_path: Path) -> None:
    result = run_cli(tmp_path, head_fails(lambda: Reply(body=b""), share=CASES, critical=True))
    assert (result.verdict, result.exit_code) == ("fail", 1), result.text
    assert "critical-never-answered" in result.rules


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_cases_that_all_break_fails(tmp_path: Path, count: int) -> None:
    result = run_cli(tmp_path, SITUATIONS[f"all of {count} cases broken"])
    assert (result.verdict, result.exit_code) == ("fail", 1), result.text


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as server:
        yield server


@pytest.mark.long
@pytest.mark.parametrize("name", SITUATIONS)
def test_the_action_is_not_green(tmp_path: Path, github: fake.GitHub, name: str) -> None:
    situation = SITUATIONS[name]
    with serving(situation.answer) as server:
        run = Run(tmp_path, build(tmp_path, situation, server), github)
        named = {} if situation.named_config is None else {"INPUT_CONFIG": situation.named_config}
        code, log = run(**named)
    verdict = run.outputs.get("verdict", "error")
    assert code != 0 or verdict not in GREEN, log
    green = [status for status in github.statuses if status["state"] == "success"]
    assert not green or verdict not in GREEN, (verdict, green)


@pytest.mark.parametrize(
    "event", first_daily(["workflow_dispatch", "schedule", "repository_dispatch", "issue_comment", "watch"], 2)
)
def test_another_event_on_the_same_commit_does_not_hide_a_failure(
    tmp_path: Path, github: fake.GitHub, event: str
) -> None:
    """What compares nothing never writes the gate's status, nor replaces its comment."""
    with serving(copy_or_chat) as server:
        run = Run(tmp_path, build(tmp_path, Situation(), server), github)
        code, _ = run()
        assert code == 1
        gate = github.statuses[-1]
        comments = list(github.bodies)
        run.event, run.payload = event, {"repository": {"full_name": fake.REPOSITORY}}
        run(GITHUB_SHA=run.sha("HEAD"))
    assert gate["state"] == "failure"
    assert [s for s in github.statuses if s["context"] == gate["context"]][-1]["state"] == "failure"
    assert github.bodies == comments


@pytest.mark.parametrize("name", ["every answer is ''", "every expectation is wrong"])
def test_a_run_of_one_revision_that_nothing_passes_is_not_green(tmp_path: Path, name: str) -> None:
    result = run_cli(tmp_path, SITUATIONS[name], "run")
    assert not result.is_green, (result.verdict, result.rules, result.text)
