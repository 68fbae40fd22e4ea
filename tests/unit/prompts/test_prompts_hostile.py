"""Prompt files that surprise or attack: what is read is what is written, bombs end at once, nothing is executed."""

import json
import time
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.prompts import includes, load
from promptci.prompts.evaluators import LlmEvaluator, StringEvaluator
from promptci.prompts.model import Prompt

PATH = "prompts/order.prompt.yml"
MINIMAL = "model: m\nmessages:\n  - role: user\n    content: '{{input}}'\n"
Files = Callable[[str], bytes | None]


def nothing(_: str) -> bytes | None:
    return None


def read(text: str, files: Files = nothing, path: str = PATH) -> Prompt:
    return load.load_prompt(path, text.encode(), files)


def problems(text: str, files: Files = nothing, path: str = PATH) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text, files, path)
    return [str(problem) for problem in caught.value.problems]


def saying(content: str) -> str:
    return "model: m\nmessages:\n  - role: user\n    content: " + json.dumps(content) + "\n"


@pytest.mark.parametrize("written", ["1.10", "true", "0123", "1e3", "no", "2026-01-02", "007"])
def test_an_operand_is_the_text_as_written_not_what_yaml_makes_of_it(written: str) -> None:
    (result,) = read(MINIMAL + f"evaluators: [{{name: x, string: {{equals: {written}}}}}]\n").evaluators
    assert isinstance(result, StringEvaluator)
    assert result.value == written


def test_choices_may_be_numbers_or_words_of_yaml() -> None:
    choices = "[{choice: 1, score: 0}, {choice: true, score: 0.5}, {choice: no, score: 1.0}]"
    (result,) = read(MINIMAL + f"evaluators: [{{llm: {{modelId: m, prompt: x, choices: {choices}}}}}]\n").evaluators
    assert isinstance(result, LlmEvaluator)
    assert [(c.choice, c.score) for c in result.choices] == [("1", 0.0), ("true", 0.5), ("no", 1.0)]


def test_a_choice_given_twice_is_refused() -> None:
    choices = "[{choice: Yes, score: 0}, {choice: yes, score: 1}]"
    (message,) = problems(MINIMAL + f"evaluators: [{{llm: {{modelId: m, prompt: x, choices: {choices}}}}}]\n")
    assert "the choice `yes` is listed twice" in message


def test_a_built_in_evaluator_keeps_the_name_it_is_given() -> None:
    given_name, own = read(
        MINIMAL + "evaluators: [{name: close, uses: github/similarity}, {uses: github/fluency}]\n"
    ).evaluators
    assert (given_name.name, own.name) == ("close", "github/fluency")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("colour: red\n", "`colour` is not a key of a prompt file and is ignored."),
        ('evaluators: [{string: {equals: "a\\n"}}]\n', ":5: `equals` begins or ends with whitespace"),
        (
            "evaluators: [{llm: {modelId: m, prompt: x, systemPrompt: '{{a}}', choices: [{choice: a, score: 1}]}}]\n",
            "`systemPrompt` is sent without filling in variables",
        ),
        ("modelParameters: {maxTokens: 5, maxCompletionTokens: 6}\n", "`maxTokens` is not sent"),
        ("evaluators: [{string: {contains: '{{ a | upper }}'}}]\n", ":5: `{{ a | upper }}` is not a variable"),
        (
            "evaluators: [{llm: {modelId: m, prompt: '{% if a %}', choices: [{choice: a, score: 1}]}}]\n",
            ":5: `{% if a %}` is not a variable and is sent as written.",
        ),
    ],
)
def test_traps_of_the_format_are_said(lines: str, message: str) -> None:
    assert any(message in note for note in read(MINIMAL + lines).notes)


def test_braces_that_are_no_variable_are_said_with_their_line() -> None:
    prompt = read(saying("{{first name}} {{#if x}} {{ok}}"))
    assert prompt.notes == (
        f"{PATH}:4: `{{{{first name}}}}`, `{{{{#if x}}}}` are not variables and are sent as written.",
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("modelParameters: {maxTokens: 1, max_tokens: 2}\n", "`max_tokens` is set twice"),
        ("modelParameters: []\n", "`modelParameters` must be a map"),
        ("modelParameter: {temperature: 1}\n", "Did you mean `modelParameters`?"),
        ("evaluators: [{namee: x, uses: github/fluency}]\n", "Did you mean `name`?"),
        ("prompt: Say hi\n", "Did you mean `messages`?"),
        ("testData: {}\n", "`testData` must be a list"),
        ("evaluators: {}\n", "`evaluators` must be a list"),
        ('name: "a\\nb"\n', "a prompt's name must be one line"),
        (f"name: {'x' * 201}\n", "a prompt's name must be one line"),
        ("name: ' '\n", "a prompt's name must be one line"),
        ("evaluators: [{uses: github/flueny}]\n", "Did you mean `github/fluency`?"),
        ("evaluators: [{uses: github/fluency, string: {equals: x}}]\n", "this one has `string` and `uses`"),
        ('jsonSchema: \'{"name": 3, "schema": {}}\'\n', "must have `name` and `schema`"),
        ('jsonSchema: \'{"name": "x", "schema": {}, "strict": "yes"}\'\n', "`strict`, where given, is true or false"),
    ],
)
def test_mistakes_that_would_pass_unseen_are_refused(lines: str, message: str) -> None:
    (result,) = problems(MINIMAL + lines)
    assert message in result


def test_each_mistake_is_told_once() -> None:
    assert len(problems("model: [x]\nmessages:\n  - {role: [x], content: [x]}\n")) == 3


def test_every_missing_include_is_named_with_its_own_line() -> None:
    text = "model: m\nmessages:\n  - role: user\n    content: |\n      Hello\n      {{> a.md}}\n\n      {{> b.md}}\n"
    assert [message.split(": ")[0] for message in problems(text)] == [f"{PATH}:6", f"{PATH}:8"]


def test_an_include_within_an_include_is_relative_to_its_own_folder_and_read_once() -> None:
    files = {"prompts/shared/a.md": b"A {{> b.md}}\n", "prompts/shared/b.md": b"B\n"}
    asked: list[str] = []

    def reading(path: str) -> bytes | None:
        asked.append(path)
        return files.get(path)

    prompt = read(saying("{{> shared/a.md}} {{> shared/b.md}} {{> shared/b.md}}"), reading)
    assert prompt.messages[0].content == "A B B B"
    assert (prompt.includes, asked) == (tuple(files), list(files))


def test_a_value_or_test_datum_is_no_template_and_includes_nothing() -> None:
    prompt = read(MINIMAL + "testData: [{input: '{{> /etc/passwd}}'}]\n")
    assert prompt.test_data[0]["input"] == "{{> /etc/passwd}}"


@pytest.mark.parametrize("target", ["../../.git/config", "/proc/self/environ", "../..", "a/../../../x", "..\\x"])
def test_an_include_never_leaves_the_repository(target: str) -> None:
    asked: list[str] = []

    def reading(path: str) -> bytes | None:
        asked.append(path)
        return b"secret"

    with pytest.raises(InputError, match="outside the repository"):
        read(saying(f"{{{{> {target}}}}}"), reading, "prompts/p.prompt.yml")
    assert asked == []


def test_a_bomb_of_includes_ends_at_once() -> None:
    files = {f"prompts/{i}.md": b"{{> %d.md}}" % (i + 1) * 10 for i in range(9)} | {"prompts/9.md": b"x" * 1000}
    started = time.process_time()
    (message,) = problems(saying("{{> 0.md}}"), files.get)
    assert "makes the message exceed the limit" in message
    assert time.process_time() - started < 30


def test_an_include_too_large_is_refused() -> None:
    files = {"prompts/big.md": b"x" * (includes.MAX_CHARS + 1)}
    assert "makes the message exceed the limit" in problems(saying("{{> big.md}}"), files.get)[0]


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20).filter(str.strip)
plain = texts.filter(lambda text: "{{" not in text)
prompt_files = st.fixed_dictionaries(
    {
        "model": plain,
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": plain}),
            min_size=1,
            max_size=3,
        ),
        "modelParameters": st.fixed_dictionaries(
            {}, optional={"temperature": st.floats(0, 2), "maxTokens": st.integers(1, 999), "seed": st.integers(0, 9)}
        ),
    }
)


def written(value: object, *, crlf: bool = False) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    return text.replace("\n", "\r\n") if crlf else text


@given(prompt_files, st.permutations(["model", "messages", "modelParameters"]), texts)
def test_order_comments_endings_and_labels_leave_the_fingerprint_alone(
    value: dict[str, object], keys: list[str], label: str
) -> None:
    other = {"description": label, **{key: value[key] for key in keys}, "testData": [{"input": label}]}
    moved = read("# note\r\n" + written(other, crlf=True), path="x.prompt.yaml")
    assert moved.fingerprint == read(written(value)).fingerprint


@given(prompt_files, plain, st.data())
def test_any_change_of_message_model_or_parameter_changes_the_fingerprint(
    value: dict[str, object], new: str, data: st.DataObject
) -> None:
    before = read(written(value))
    place = data.draw(st.sampled_from(["model", "content", "temperature", "message"]))
    other = json.loads(json.dumps(value))
    if place == "model":
        other["model"] += new
    elif place == "content":
        other["messages"][-1]["content"] += new
    elif place == "message":
        other["messages"].append({"role": "user", "content": new})
    else:
        other["modelParameters"]["temperature"] = 2 if before.parameters.get("temperature") != 2 else 1
    assert read(written(other)).fingerprint != before.fingerprint


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    *[
        "name",
        "description",
        "model",
        "modelParameters",
        "responseFormat",
        "jsonSchema",
        "messages",
        "testData",
        "evaluators",
    ]
]
EVALUATOR_KEYS = [
    *("name", "description", "model", "modelParameters", "responseFormat"),
    *("jsonSchema", "messages", "testData", "evaluators"),
]


def refused_or_read(text: str) -> bool:
    """Read, and let nothing but an InputError come out."""
    try:
        read(text)
    except InputError as error:
        return bool(error.problems)
    return True


@given(st.dictionaries(st.sampled_from(KEYS), junk, max_size=6))
def test_whatever_stands_under_a_key_is_read_or_refused_in_words(value: dict[str, object]) -> None:
    assert refused_or_read(json.dumps(value))


@given(
    st.dictionaries(
        st.sampled_from(["name", "string", "llm", "uses"]),
        junk | st.dictionaries(st.sampled_from(EVALUATOR_KEYS), junk),
    )
)
def test_whatever_an_evaluator_holds_is_read_or_refused_in_words(evaluator: dict[str, object]) -> None:
    assert refused_or_read(MINIMAL + "evaluators: " + json.dumps([evaluator]) + "\n")
