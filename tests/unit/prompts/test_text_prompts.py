"""Plain text, Markdown and Jinja files as prompts."""

import pytest

from promptci.errors import InputError, UsageError
from promptci.git import globs
from promptci.prompts.find import find_selected_files
from promptci.prompts.load import load_prompt, load_prompts
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.registry.bundle_document import bundle_version
from promptci.usecases.release import deploy

MODEL = PromptOptions(model="m")


class Files(dict[str, bytes]):
    """The files of a revision."""

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self))

    def glob(self, pattern: str) -> list[str]:
        return globs.filter_paths(pattern, self.paths())


def read(text: str, path: str = "prompts/reply.txt", options: PromptOptions = MODEL, **files: bytes) -> Prompt:
    return load_prompt(path, text.encode(), files.get, options)


def problems(text: str, path: str = "prompts/reply.txt", options: PromptOptions = MODEL, **files: bytes) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text, path, options, **files)
    return [str(problem) for problem in caught.value.problems]


def messages(prompt: Prompt) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in prompt.messages]


@pytest.mark.parametrize(
    ("path", "text", "user", "expected"),
    [
        ("reply.txt", "Be kind.\n", None, [("system", "Be kind."), ("user", "{{input}}")]),
        ("reply.txt", "Answer {{question}}", None, [("user", "Answer {{question}}")]),
        ("system.md", "Today is {{date}}.", None, [("system", "Today is {{date}}."), ("user", "{{input}}")]),
        ("user.txt", "Hello", None, [("user", "Hello")]),
        ("reply.txt", "Be kind.", "Q: {{q}}", [("system", "Be kind."), ("user", "Q: {{q}}")]),
        ("system.md", "Be kind.", "", [("user", "Be kind.")]),
    ],
)
def test_a_text_is_the_system_message_or_the_whole_prompt(
    path: str, text: str, user: str | None, expected: list[tuple[str, str]]
) -> None:
    assert messages(read(text, path, PromptOptions(model="m", user=user))) == expected


@pytest.mark.parametrize(
    ("syntax", "text", "expected"),
    [
        ("{name}", 'Use {{"a": 1}} for {order.id}, {x[key]} {y}', 'Use {"a": 1} for {{order.id}}, {{x.key}} {{y}}'),
        ("$name", "Pay $$5 to $name, ${other} or $9", "Pay $5 to {{name}}, {{other}} or $9"),
        ("{{name}}", "Hello {name} {{ a.b }}", "Hello {name} {{ a.b }}"),
    ],
)
def test_variables_are_read_as_the_setting_says(syntax: str, text: str, expected: str) -> None:
    options = PromptOptions(model="m", syntax=syntax, user="")  # type: ignore[arg-type]
    assert messages(read(text, options=options)) == [("user", expected)]


def test_braces_that_are_no_variables_are_named_with_their_line() -> None:
    options = PromptOptions(model="m", syntax="{name}")
    advice = "is neither a variable nor plain text for `str.format`. Write `{{` and `}}` for braces, or set"
    advice += " `prompts.syntax` to how this file writes variables."
    assert problems('One\n{"a": 1}\n{x!r}', options=options) == [
        f'prompts/reply.txt:2: `{{"a": 1}}` {advice}',
        f"prompts/reply.txt:3: `{{x!r}}` {advice}",
    ]
    assert "`{{x}}` is plain text here" in problems("{{{{x}}}}", options=options)[0]


def test_a_text_with_single_braces_gets_a_note() -> None:
    (note,) = read("Hi {name}.").notes
    assert note == (
        'prompts/reply.txt:1: `{name}` is sent as written. If they are variables, set `syntax: "{name}"` under'
        " `prompts` in promptci.yml."
    )


def test_a_text_with_dollars_gets_a_note_that_names_their_syntax() -> None:
    (note,) = read("Hi $name and ${name}, that is $5.").notes
    assert note == (
        'prompts/reply.txt:1: `$name`, `${name}` are sent as written. If they are variables, set `syntax: "$name"`'
        " under `prompts` in promptci.yml."
    )


def test_swapped_letters_are_a_misspelt_key() -> None:
    assert "Did you mean `model`?" in problems("---\nmodle: gpt-x\n---\nHi\n", "prompts/a.md")[0]


def test_front_matter_sets_model_and_parameters() -> None:
    text = (
        "---\nname: greeter\nmodel: gpt-x\ntemperature: 0.5\nmodelParameters: {maxTokens: 9}\nuser: '{{q}}'\n---\nHi\n"
    )
    prompt = read(text, "prompts/hello.md")
    assert (prompt.name, prompt.model, prompt.line) == ("greeter", "gpt-x", 8)
    assert prompt.parameters == {"max_tokens": 9, "temperature": 0.5}
    assert messages(prompt) == [("system", "Hi"), ("user", "{{q}}")]


def test_mistakes_in_front_matter_are_named_with_the_nearest_key() -> None:
    text = "---\ntemprature: 0\nmodell: x\nsyntax: jinja3\ncolour: red\n---\nHi"
    assert problems(text, "a.md") == [
        "a.md:2: unknown key `temprature` of a prompt's front matter. Did you mean `temperature`?",
        "a.md:3: unknown key `modell` of a prompt's front matter. Did you mean `model`?",
        "a.md:4: unknown syntax `jinja3`. Use one of {{name}}, {name}, $name, jinja, in quotes.",
    ]
    assert read("---\ncolour: red\n---\nHi", "a.md").notes == (
        "a.md:2: `colour` is not a key of a prompt's front matter and is ignored.",
    )
    assert "must be a map of settings" in problems("---\n- a\n---\nHi", "a.md")[0]
    assert (
        "the tag `tag:yaml.org,2002:python/object:os.system` is refused"
        in problems("---\na: !!python/object:os.system x\n---\n", "a.md")[0]
    )


def test_a_line_of_dashes_in_plain_text_is_text() -> None:
    assert messages(read("---\na: 1\n---\nHi"))[0] == ("system", "---\na: 1\n---\nHi")


def test_defaults_fill_what_a_file_leaves_out() -> None:
    options = PromptOptions(model="m", parameters={"temperature": 0, "max_tokens": 5})
    assert read("Hi", options=options).parameters == {"temperature": 0, "max_tokens": 5}
    text = "---\ntemperature: 1\nmaxCompletionTokens: 7\n---\nHi"
    assert read(text, "a.md", options).parameters == {"temperature": 1, "max_completion_tokens": 7}
    assert "`model` is missing" in problems("Hi", options=PromptOptions())[0]


def test_an_empty_file_is_an_error() -> None:
    assert problems("\n \n") == ["prompts/reply.txt:2: the prompt is empty. Write its text, or remove the file."]


def test_includes_are_put_in_place_and_fingerprinted() -> None:
    before = read("{{> tone.txt}}", "a.txt", MODEL, **{"tone.txt": b"Kind.\n"})
    assert (messages(before)[0], before.includes) == (("system", "Kind."), ("tone.txt",))
    assert before.fingerprint != read("{{> tone.txt}}", "a.txt", MODEL, **{"tone.txt": b"Curt.\n"}).fingerprint


def test_jinja_includes_are_looked_up_in_the_folders_above() -> None:
    files = {"prompts/tone.j2": b"{% include 'deep/x.j2' %}!\n", "prompts/deep/x.j2": b"Kind {{ name }}"}
    prompt = read(
        "A  {%- include \"tone.j2\" -%}  B{% include 'no.j2' ignore missing %}", "prompts/a/b.j2", MODEL, **files
    )
    assert prompt.messages[0].content == "AKind {{ name }}!B"
    assert prompt.includes == ("prompts/tone.j2", "prompts/deep/x.j2")
    assert prompt.variables == {"name"}
    assert "there is no file `../../etc/passwd`" in problems("{% include '../../etc/passwd' %}", "p/a.j2")[0]
    loop = problems("{% include 'b.j2' %}", "a.j2", MODEL, **{"b.j2": b"{% include 'b.j2' %}"})
    assert "`b.j2` includes itself" in loop[0]


def test_jinja_that_is_not_read_is_named_with_its_line() -> None:
    text = (
        "{% macro m() %}{% endmacro %}\n{{ x|xmlattr }}\n{{ x.__class__.mro() }}\n{{ 2**99999999 }}\n{% extends 'a' %}"
    )
    assert [problem.partition(". ")[0] for problem in sorted(problems(text, "a.j2"))] == [
        "a.j2:1: `{% macro %}` is not supported",
        "a.j2:2: the filter `xmlattr` is not supported",
        "a.j2:3: the call `mro(…)` is not supported",
        "a.j2:4: `**` is not supported",
        "a.j2:5: `{% extends %}` is not supported",
    ]
    assert problems("A\n{% if %}", "a.j2")[0].startswith("a.j2:2: not a Jinja template: ")


def test_a_jinja_prompt_cannot_be_in_a_bundle() -> None:
    jinja = read("{% if a %}b{% endif %}", "a.j2")
    with pytest.raises(UsageError, match="Jinja template, which a bundle cannot hold"):
        bundle_version("v1", jinja)
    (warning,) = deploy.warn_of_bundle(jinja, "deployments/production.yml")
    assert "`promptci bundle` refuses the whole environment" in warning
    assert "take `a` out of `prompts` in deployments/production.yml and commit that" in warning
    assert not list(deploy.warn_of_bundle(read("Hi {{a}}", "a.txt"), "deployments/production.yml"))


def test_texts_about_a_folder_are_left_out_of_a_pattern_but_not_by_name() -> None:
    tree = Files({"prompts/README.md": b"", "prompts/a.md": b"", "node_modules/b.md": b""})
    assert find_selected_files(tree, ["**/*.md"]) == {"prompts/a.md": ()}
    assert find_selected_files(tree, ["prompts/README.md"]) == {"prompts/README.md": ()}


def test_names_are_valid_in_tags_and_separate() -> None:
    files = Files({"a/My prompt.txt": b"x", "b/My prompt.txt": b"y", "c/one.prompt.md": b"z"})
    prompts, wrong = load_prompts(files.get, dict.fromkeys(files, ()), MODEL)
    assert [prompt.name for prompt in prompts.values()] == ["a/My prompt", "b/My prompt", "one"]
    assert wrong == []
