"""Prompt files: every key, every mistake with its line, and a fingerprint that knows what matters."""

import json
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.git import globs
from promptci.prompts import load
from promptci.prompts.evaluators import LlmEvaluator, StringEvaluator
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.template import render

PATH = "prompts/order.prompt.yml"
WHOLE = """\
name: order-extractor
description: Copies the number
model: openai/gpt-4o-mini
modelParameters:
  maxTokens: 16
  temperature: 0
  topP: 0.9
  stop: ["\\n"]
responseFormat: json_schema
jsonSchema: |-
  {"name": "order", "schema": {"type": "object"}, "strict": true}
messages:
  - role: System
    content: Copy the order number.
  - role: user
    content: "{{input}}"
testData:
  - input: order GH-1
    expected: GH-1
evaluators:
  - name: same
    string: {equals: "{{expected}}"}
  - name: polite
    llm:
      modelId: openai/gpt-4o
      prompt: "Is this polite? {{completion}}"
      systemPrompt: "Be strict. {{input}}"
      choices:
        - {choice: yes, score: 1}
        - {choice: no, score: 0}
  - uses: github/similarity
"""
MINIMAL = "model: m\nmessages:\n  - role: user\n    content: '{{input}}'\n"


def nothing(_: str) -> bytes | None:
    return None


def read(text: str, path: str = PATH, files: Callable[[str], bytes | None] = nothing) -> Prompt:
    return load.load_prompt(path, text.encode(), files)


def problems(text: str, files: Callable[[str], bytes | None] = nothing) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text, files=files)
    return [str(problem) for problem in caught.value.problems]


def test_every_key_is_read() -> None:
    prompt = read(WHOLE)
    assert (prompt.name, prompt.model, prompt.path) == ("order-extractor", "openai/gpt-4o-mini", PATH)
    assert prompt.parameters == {"max_tokens": 16, "temperature": 0, "top_p": 0.9, "stop": ["\n"]}
    assert prompt.response_format == "json_schema"
    assert prompt.json_schema == {"name": "order", "schema": {"type": "object"}, "strict": True}
    assert [(m.role, m.content) for m in prompt.messages] == [
        ("system", "Copy the order number."),
        ("user", "{{input}}"),
    ]
    assert prompt.test_data == ({"input": "order GH-1", "expected": "GH-1"},)
    assert prompt.test_data_lines == (18,)
    same, polite, similar = prompt.evaluators
    assert same == StringEvaluator(name="same", operator="equals", value="{{expected}}")
    assert isinstance(polite, LlmEvaluator)
    assert [(c.choice, c.score) for c in polite.choices] == [("yes", 1.0), ("no", 0.0)]
    assert polite.system_prompt == "Be strict. {{input}}"
    assert isinstance(similar, LlmEvaluator)
    assert similar.last_line
    assert [c.score for c in similar.choices] == [0, 0.25, 0.5, 0.75, 1]


def test_a_prompt_without_a_name_has_its_file_s() -> None:
    assert read(MINIMAL, "prompts/shop/late.parcel.prompt.yml").name == "late.parcel"
    assert read(MINIMAL, "late.prompt.yaml").name == "late"


def test_unknown_keys_are_ignored_as_github_does_and_said() -> None:
    prompt = read(MINIMAL + "owner: me\n")
    assert prompt.notes == (f"{PATH}:5: `owner` is not a key of a prompt file and is ignored.",)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("- 1\n", "prompts/order.prompt.yml:1: a prompt file must be a map"),
        ("messages:\n  - {role: user, content: x}\n", "`model` is missing"),
        ("model: m\n", "`messages` must be a list with at least one message"),
        ("model: m\nmessages: []\n", ":2: `messages` must be a list"),
        ("model: m\nmessages:\n  - hello\n", ":3: a message must be a map"),
        ("model: m\nmessages:\n  - {role: robot, content: x}\n", "unknown role `robot`"),
        ("model: m\nmessages:\n  - {role: user, content: '  '}\n", "all messages are empty"),
        ("model: m\nmessages:\n  - {role: user, content: [x]}\n", "is neither a text nor an image"),
        (MINIMAL + "modelParameters: 3\n", ":5: `modelParameters` must be a map"),
        (MINIMAL + "modelParameters:\n  temperature: 3\n", ":6: `temperature` must be between 0 and 2"),
        (MINIMAL + "modelParameters: {maxTokens: many}\n", "`maxTokens` must be a number"),
        (MINIMAL + "modelParameters: {maxTokens: 1.5}\n", "must be a whole number"),
        (MINIMAL + "modelParameters: {stop: 3}\n", "`stop` must be a text or up to four"),
        (MINIMAL + "responseFormat: xml\n", "unknown response format `xml`"),
        (MINIMAL + "responseFormat: json_schema\n", "`json_schema` needs `jsonSchema`"),
        (MINIMAL + "jsonSchema: {a: 1}\n", "`jsonSchema` must be a text that holds JSON"),
        (MINIMAL + "jsonSchema: '{'\n", "`jsonSchema` is not JSON"),
        (MINIMAL + "jsonSchema: '{}'\n", "must have `name` and `schema`"),
        (MINIMAL + "testData: 3\n", "`testData` must be a list"),
        (MINIMAL + "testData: [3]\n", "an item of `testData` must be a map"),
        (MINIMAL + "evaluators: 3\n", "`evaluators` must be a list"),
        (MINIMAL + "evaluators: [{name: x}]\n", "exactly one of `string`, `llm` and `uses`"),
        (MINIMAL + "evaluators: [{uses: github/magic}]\n", "unknown evaluator `github/magic`"),
        (MINIMAL + "evaluators: [{string: {equals: a, contains: b}}]\n", "exactly one of equals"),
        (MINIMAL + "evaluators: [{string: {matches: a}}]\n", "exactly one of equals"),
        (MINIMAL + "evaluators: [{string: x}]\n", "`string` must be a map"),
        (MINIMAL + "evaluators: [{string: {equals: [a]}}]\n", "`equals` must be a text"),
        (MINIMAL + "evaluators: [{llm: {prompt: x}}]\n", "`llm` lacks `modelId`"),
        (MINIMAL + "evaluators: [{llm: {modelId: m, prompt: x}}]\n", "at least one choice"),
        (MINIMAL + "evaluators: [{llm: {modelId: m, prompt: x, choices: [{choice: a, score: 7}]}}]\n", "0 to 1"),
        (MINIMAL + "evaluators: [{llm: {modelId: m, prompt: x, systemPrompt: [1]}}]\n", "`systemPrompt`"),
        (MINIMAL + "name: [x]\n", "`name` must be a text"),
    ],
)
def test_every_mistake_is_named_with_its_line(text: str, output: str) -> None:
    result = problems(text)
    assert any(output in message for message in result), result
    assert all(message.startswith(f"{PATH}:") for message in result)


def test_all_mistakes_of_a_file_come_at_once() -> None:
    assert len(problems("messages:\n  - {role: robot, content: ''}\nresponseFormat: xml\n")) == 2


def test_a_file_of_another_format_is_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"Prompt files end with \.prompt\.yml"):
        load.load_prompt("a.docx", b"", nothing)


def test_all_files_are_read_and_the_broken_ones_reported_together() -> None:
    files = {"a.prompt.yml": MINIMAL.encode(), "b.prompt.yml": b"model: [", "c.prompt.yml": b"\xff\xfe"}
    result, wrong = load.load_prompts(files.get, dict.fromkeys([*files, "gone.prompt.yml"], ()))
    assert list(result) == ["a.prompt.yml"]
    assert {problem.path for problem in wrong} == {"b.prompt.yml", "c.prompt.yml"}


def test_what_is_the_same_in_two_revisions_is_parsed_once_unless_it_includes_files() -> None:
    including = b"model: m\nmessages: [{role: user, content: '{{> part.md}}'}]\n"
    files = {"a.prompt.yml": MINIMAL.encode(), "b.prompt.yml": MINIMAL.encode(), "c.prompt.yml": including}
    base = files | {"part.md": b"old"}
    head = files | {"part.md": b"new", "b.prompt.yml": MINIMAL.encode() + b"description: x\n"}
    loader = load.PromptLoader()
    before, _ = loader.load_prompts(base.get, dict.fromkeys(files, ()))
    after, _ = loader.load_prompts(head.get, dict.fromkeys(files, ()))
    assert after == load.load_prompts(head.get, dict.fromkeys(files, ()))[0]
    assert after["a.prompt.yml"] is before["a.prompt.yml"]
    assert [prompt.messages[0].content for prompt in (before["c.prompt.yml"], after["c.prompt.yml"])] == ["old", "new"]


def test_files_that_a_pattern_names_at_the_second_revision_alone_are_read() -> None:
    config = b"prompts: ['{{a}}']\nproviders: [openai:m]\ntests: cases/*.yaml\n"
    base = {"promptfooconfig.yaml": config}
    head = base | {"cases/new.yaml": b"[{vars: {a: x}, assert: [{type: contains, value: x}]}]"}
    loader = load.PromptLoader()
    counts = []
    for files in (base, head):
        prompts, problems = loader.load_prompts(
            files.get, {"promptfooconfig.yaml": ()}, glob=partial(globs.filter_paths, paths=sorted(files))
        )
        assert problems == []
        counts.append([len(prompt.own_cases) for prompt in prompts.values()])
    assert counts == [[0], [1]]


def test_a_file_that_was_broken_by_another_one_is_read_again_where_that_is_mended() -> None:
    config = b"prompts: ['{{a}}']\nproviders: [openai:m]\ntests: cases.yaml\n"
    files = {"promptfooconfig.yaml": config, "cases.yaml": b"[{vars: ["}
    loader = load.PromptLoader()
    assert loader.load_prompts(files.get, {"promptfooconfig.yaml": ()})[1]
    files["cases.yaml"] = b"[{vars: {a: x}, assert: [{type: contains, value: x}]}]"
    prompts, problems = loader.load_prompts(files.get, {"promptfooconfig.yaml": ()})
    assert (len(prompts), problems) == (1, [])


def test_prompts_that_would_share_a_name_are_named_by_their_paths() -> None:
    named = MINIMAL.encode() + b"name: same\n"
    paths = ["x/a.prompt.yml", "y/a.prompt.yml", "b.prompt.yml"]
    result, wrong = load.load_prompts(dict.fromkeys(paths, MINIMAL.encode()).get, dict.fromkeys(paths, ()))
    assert ([prompt.name for prompt in result.values()], wrong) == (["x/a", "y/a", "b"], [])
    result, _ = load.load_prompts(dict.fromkeys(paths, named).get, dict.fromkeys(paths, ()))
    assert [(prompt.name, prompt.written_name) for prompt in result.values()] == [
        ("x/a", "same"),
        ("y/a", "same"),
        ("b", "same"),
    ]
    assert result["b.prompt.yml"].notes == (
        (
            "b.prompt.yml: the name `same` is used in x/a.prompt.yml and y/a.prompt.yml too, so this prompt is"
            " called `b` here. Releases and applications go by name: give each prompt its own."
        ),
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [("prompts/router/.prompt.yml", "router"), (".prompt.yml", "prompt"), ("a/b/.prompt.yaml", "b")],
)
def test_a_file_with_an_ending_only_is_named_by_its_folder(path: str, name: str) -> None:
    assert read(MINIMAL, path).name == name


def test_a_file_without_a_model_takes_the_default() -> None:
    text = MINIMAL.replace("model: m\n", "").encode()
    assert load.load_prompt(PATH, text, nothing, PromptOptions(model="gpt-9")).model == "gpt-9"
    assert load.load_prompt(PATH, MINIMAL.encode(), nothing, PromptOptions(model="gpt-9")).model == "m"
    with pytest.raises(InputError, match=r"set `provider\.model`"):
        load.load_prompt(PATH, text, nothing)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("reasoningEffort: low", {"reasoning_effort": "low"}),
        ("reasoning_effort: low", {"reasoning_effort": "low"}),
        ("topK: 3", {"top_k": 3}),
        ("someVendorOption: {a: [1]}", {"some_vendor_option": {"a": [1]}}),
        ("stop: []", {}),
        ("seed: null", {}),
        ("logitBias: {'50256': -100}", {"logit_bias": {"50256": -100}}),
    ],
)
def test_every_parameter_is_sent_and_changes_the_fingerprint(written: str, sent: dict[str, object]) -> None:
    prompt = read(MINIMAL + f"modelParameters: {{{written}}}\n")
    assert prompt.parameters == sent
    assert (prompt.fingerprint != read(MINIMAL).fingerprint) == bool(sent)
    assert prompt.notes == ()


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("temprature", "Did you mean `temperature`?"),
        ("top-p", "Did you mean `top_p`?"),
        ("top p", "Did you mean `top_p`?"),
        ("maxTokes", "Did you mean `maxTokens`?"),
        ("reasoning_efort", "Did you mean `reasoning_effort`?"),
        ("frequencyPenality", "Did you mean `frequencyPenalty`?"),
        ("stream", "read whole"),
        ("n", "run.repeats"),
        ("streamOptions", "read whole"),
    ],
)
def test_misspelt_and_unsendable_parameters_are_refused(key: str, hint: str) -> None:
    (message,) = problems(MINIMAL + f"modelParameters: {{{key}: 1}}\n")
    assert message.startswith(f"{PATH}:5: ")
    assert hint in message


def test_tools_are_sent_and_change_the_fingerprint() -> None:
    tool = "tools:\n  - {type: function, function: {name: look_up}}\ntoolChoice: required\n"
    prompt = read(MINIMAL + tool)
    assert prompt.parameters == {
        "tools": [{"type": "function", "function": {"name": "look_up"}}],
        "tool_choice": "required",
    }
    assert prompt.fingerprint != read(MINIMAL + tool.replace("look_up", "find")).fingerprint


@pytest.mark.parametrize("key", ["response_format", "responseFormat"])
def test_a_response_format_among_the_parameters_is_read(key: str) -> None:
    prompt = read(MINIMAL + f"modelParameters: {{{key}: {{type: json_object}}}}\n")
    assert (prompt.response_format, prompt.parameters) == ("json_object", {})
    schema = "{type: json_schema, json_schema: {name: x, schema: {type: object}}}"
    prompt = read(MINIMAL + f"modelParameters: {{{key}: {schema}}}\n")
    assert prompt.json_schema == {"name": "x", "schema": {"type": "object"}}
    both = f"modelParameters: {{{key}: {{type: text}}}}\nresponseFormat: json_object\n"
    assert "is set twice" in problems(MINIMAL + both)[0]


def test_an_empty_message_is_left_out_with_a_note() -> None:
    prompt = read("model: m\nmessages:\n  - {role: system, content: ''}\n  - {role: user, content: hi}\n")
    assert [message.role for message in prompt.messages] == ["user"]
    assert prompt.notes == (f"{PATH}:3: the message is empty and is not sent.",)


def test_scalars_of_test_data_are_the_text_in_the_file() -> None:
    prompt = read(MINIMAL + "testData:\n  - {input: +4915112345678, expected: 1.10, count: 4}\n")
    assert prompt.test_data == ({"input": "+4915112345678", "expected": "1.10", "count": 4},)


def test_the_variables_of_a_prompt_are_those_of_its_messages() -> None:
    prompt = read("model: m\nmessages:\n  - {role: user, content: '{{a}} {{b.c}}'}\n")
    assert prompt.variables == {"a", "b", "b.c"}


def test_includes_are_read_at_the_same_revision_and_change_the_fingerprint() -> None:
    text = "model: m\nmessages:\n  - role: system\n    content: 'Tone: {{> ../shared/tone.md}}!'\n"
    files = {"shared/tone.md": b"kind {{> more.txt}}\n", "shared/more.txt": b"and short\n"}
    prompt = read(text, files=files.get)
    assert prompt.messages[0].content == "Tone: kind and short!"
    assert prompt.includes == ("shared/tone.md", "shared/more.txt")
    other = read(text, files={**files, "shared/more.txt": b"and long\n"}.get)
    assert other.fingerprint != prompt.fingerprint


@pytest.mark.parametrize(
    ("include", "text"),
    [
        ("/etc/passwd", "outside the repository"),
        ("../../x", "outside the repository"),
        ("gone.md", "there is no file `prompts/gone.md`"),
        ("self.md", "includes itself"),
        ("binary.md", "cannot be included"),
        ("deep0.md", "includes deep"),
    ],
)
def test_an_include_that_cannot_be_followed_is_named(include: str, text: str) -> None:
    files = {"prompts/self.md": b"{{> self.md}}", "prompts/binary.md": b"\0\1", "prompts/deep11.md": b"x"}
    files |= {f"prompts/deep{i}.md": b"{{> deep%d.md}}" % (i + 1) for i in range(11)}
    (message,) = problems(f"model: m\nmessages:\n  - role: user\n    content: '{{{{> {include}}}}}'\n", files.get)
    assert text in message
    assert message.startswith(f"{PATH}:4: ")


@pytest.mark.parametrize(
    "text",
    [
        "# comment\n" + WHOLE,
        WHOLE.replace("\n", "\r\n"),
        WHOLE.replace("description: Copies the number", "description: Other"),
        WHOLE.replace("name: order-extractor", "name: other"),
        WHOLE.replace("temperature: 0", "temperature: 0.0"),
        WHOLE.replace("role: System", "role: system"),
        WHOLE.replace("expected: GH-1", "expected: GH-2"),
        WHOLE.replace("model: openai/gpt-4o-mini\n", "") + "model: openai/gpt-4o-mini\n",
    ],
)
def test_what_cannot_change_an_answer_does_not_change_the_fingerprint(text: str) -> None:
    assert read(text).fingerprint == read(WHOLE).fingerprint


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("gpt-4o-mini", "gpt-4o"),
        ("temperature: 0", "temperature: 0.1"),
        ("Copy the order number.", "Copy the order number"),
        ("role: System", "role: assistant"),
        ('"type": "object"', '"type": "array"'),
        ("maxTokens: 16", "maxTokens: 17"),
    ],
)
def test_what_can_change_an_answer_changes_the_fingerprint(before: str, after: str) -> None:
    assert read(WHOLE.replace(before, after)).fingerprint != read(WHOLE).fingerprint


values = st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.text(), max_size=3))


@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), values, min_size=1, max_size=4))
def test_every_variable_is_filled_once_and_its_value_never_expanded(variables: dict[str, object]) -> None:
    template = "|".join(f"{{{{ {name} }}}}" for name in variables)
    assert render.render(template, variables) == "|".join(render.format_value(value) for value in variables.values())
    assert render.find_variables(template) == set(variables)


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_variables_stays_as_it_is(text: str) -> None:
    assert render.render(text, {}) == text


def test_a_value_that_holds_a_variable_is_data() -> None:
    assert render.render("{{a}}{{b}}", {"a": "{{b}}", "b": "x"}) == "{{b}}x"


def test_steps_into_maps_and_lists() -> None:
    variables = {"order": {"items": [{"id": 7}]}, "a.b": "dotted"}
    assert render.render("{{order.items.0.id}} {{a.b}}", variables) == "7 dotted"
    assert render.render("{{order}}", variables) == '{"items":[{"id":7}]}'


@pytest.mark.parametrize("name", ["gone", "order.gone", "order.items.5", "order.items.x"])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(render.MissingVariable) as caught:
        render.render(f"{{{{{name}}}}}", {"order": {"items": []}})
    assert caught.value.name == name


def test_a_message_is_not_put_together_beyond_its_bound() -> None:
    assert render.render("{{a}}{{a}}", {"a": "xy"}, max_chars=14) == "xyxy"
    with pytest.raises(render.MessageTooLong):
        render.render("{{a}}" * 60, {"a": "x" * 2**20}, max_chars=render.MAX_MESSAGE_CHARS)


@pytest.mark.parametrize(
    "payload", ["{% for x in y %}", "{{ ''.__class__ }}", "{{7*7}}", "${env:KEY}", "{{ x|attr('y') }}", "{{#if a}}"]
)
def test_templates_of_other_languages_are_plain_text(payload: str) -> None:
    assert render.render(payload, {"x": "1", "y": "2", "a": "3"}) == payload


@pytest.mark.parametrize("path", ["prompts/a.j2", "prompts/a.txt"])
def test_a_file_without_settings_is_not_told_to_name_its_model(path: str) -> None:
    with pytest.raises(InputError) as raised:
        load.load_prompt(path, b"Greet {{ name }}.", lambda _: None)
    (problem,) = raised.value.problems
    assert problem.hint == "Set `provider.model` in promptci.yml."


@pytest.mark.parametrize(
    ("name", "words"), [("../../evil", "leads out"), ("/etc/x", "leads out"), ("*", "is a pattern")]
)
def test_a_name_that_would_find_the_goldens_of_others_is_refused(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load.load_prompt(PATH, WHOLE.replace("order-extractor", json.dumps(name)).encode(), lambda _: None)
