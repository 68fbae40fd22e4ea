from typing import Any

import pytest

from promptci.goldens.model import Case, GoldenSet
from promptci.pipeline.collection.equal_requests import asks_the_same
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.pipeline.collection.unreached_change import find_unreached_change, means_the_same
from promptci.prompts.model import Message, MessageSyntax, Prompt


def version(
    *messages: tuple[str, str], syntax: MessageSyntax = "fill", cases: list[dict[str, Any]] | None = None
) -> PromptVersion:
    variables = cases or [{"word": "a"}, {"word": "b"}]
    return PromptVersion(
        prompt=Prompt(
            name="p",
            path="p.prompt.yml",
            model="m",
            messages=tuple(Message(role=role, content=text, syntax=syntax) for role, text in messages),
        ),
        goldens=GoldenSet(
            paths=(),
            cases=tuple(Case(id=str(number), vars=each, path="p.jsonl") for number, each in enumerate(variables)),
        ),
    )


@pytest.mark.parametrize(
    ("head", "same"),
    [
        (version(("system", "Be kind."), ("user", "{{ word }}")), True),
        (version(("system", "Be kind."), ("user", "{{word}}"), cases=[{"word": "b"}, {"word": "a"}]), True),
        (
            version(
                ("system", "Be {{how}}."),
                ("user", "{{word}}"),
                cases=[{"word": "a", "how": "kind"}, {"word": "b", "how": "kind"}],
            ),
            True,
        ),
        (version(("system", "Be rude."), ("user", "{{word}}")), False),
        (version(("developer", "Be kind."), ("user", "{{word}}")), False),
        (version(("system", "Be kind."), ("user", "{{word}}"), ("system", "Be brief.")), False),
        (version(("system", "Be kind."), ("user", "{{word}}"), cases=[{"word": "a"}, {"word": "a"}]), False),
        (version(("system", "Be kind."), ("user", "{{word}} {{missing}}")), False),
        (version(("user", "{{word}}")), False),
    ],
)
def test_versions_ask_the_same_where_all_requests_are_equal_and_equally_many(head: PromptVersion, same: bool) -> None:
    base = version(("system", "Be kind."), ("user", "{{word}}"))

    assert asks_the_same(base, head) is same
    assert asks_the_same(head, base) is same


def test_an_instruction_stays_the_same_where_a_conversation_takes_the_place_of_the_other_messages() -> None:
    talks: list[dict[str, Any]] = [{"messages": [{"role": "user", "content": "Hi"}]}]
    base = version(("system", "Be kind."), ("user", "Hello"), cases=talks)

    assert asks_the_same(base, version(("system", "Be kind."), ("user", "Good morning"), cases=talks))
    assert not asks_the_same(base, version(("system", "Be rude."), ("user", "Hello"), cases=talks))


def test_a_jinja_instruction_is_compared_as_it_is_sent() -> None:
    base = version(("system", "Be {{ 'kind' }}."), ("user", "{{word}}"), syntax="jinja")
    head = version(("system", "Be kind."), ("user", "{{word}}"), syntax="jinja")

    assert asks_the_same(base, head)


LOOP = "{% for item in items %}{{ item.name }}, {% endfor %}{{word}}"
ITEMS: list[dict[str, Any]] = [{"word": "a", "items": [{"name": "x"}]}]
RENAMED: list[dict[str, Any]] = [{"term": "a"}, {"term": "b"}]


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ("{{word}}", "{# which one? #}{{ word }}"),
        ("{%if vip%}Be kind. {%endif%}{{word}}", "{% if vip %}Be {# very? #}kind. {% endif %}{{ word }}"),
        ("{{ 'a' }} is {% set x = 1 %}kind", "a is kind"),
    ],
)
def test_comments_and_blanks_in_tags_change_no_meaning(base: str, head: str) -> None:
    assert means_the_same(version(("user", base), syntax="jinja"), version(("user", head), syntax="jinja"))


def test_a_renamed_variable_of_a_loop_changes_no_meaning() -> None:
    base, head = (version(("user", text), syntax="jinja", cases=ITEMS) for text in (LOOP, LOOP.replace("item.", "i.")))
    renamed = version(("user", LOOP.replace("item.", "i.").replace("item ", "i ")), syntax="jinja", cases=ITEMS)
    assert means_the_same(base, renamed)
    assert not means_the_same(base, head)


@pytest.mark.parametrize("syntax", ["fill", "jinja"])
def test_a_variable_renamed_in_prompt_and_goldens_changes_no_meaning(syntax: MessageSyntax) -> None:
    base = version(("user", "Say {{word}}."), syntax=syntax)
    assert means_the_same(base, version(("user", "Say {{ term }}."), syntax=syntax, cases=RENAMED))
    assert not means_the_same(base, version(("user", "Say {{ term }}."), syntax=syntax))


def test_exchanged_variables_are_no_renamed_ones() -> None:
    cases: list[dict[str, Any]] = [{"a": "x", "b": "x"}]
    base, head = (version(("user", text), cases=cases) for text in ("{{a}} or {{b}}", "{{b}} or {{a}}"))
    assert asks_the_same(base, head)
    assert not means_the_same(base, head)


@pytest.mark.parametrize(
    ("base", "head", "conditions", "unset"),
    [
        ("{{word}}", "{% if vip %}Be rude.{% endif %}{{word}}", ["{% if vip %}"], ["vip"]),
        ("{% if vip %}Be kind.{% endif %}{{word}}", "{{word}}", ["{% if vip %}"], ["vip"]),
        (
            "{% if word %}{% if vip %}A{% endif %}{% endif %}",
            "{% if word %}{% if vip %}B{% endif %}{% endif %}",
            ["{% if vip %}"],
            ["vip"],
        ),
        (
            "{% if lang %}!{% endif %}{{word}}",
            '{% if lang %}!{% endif %}{% if word == "c" %}C{% endif %}{{word}}',
            ['{% if word == "c" %}'],
            [],
        ),
        ("{% if word %}A{% else %}B{% endif %}", "{% if word %}A{% else %}C{% endif %}", ["{% if word %}"], []),
        ("{{word}}{% for i in tips or [] %}{{i}}{% endfor %}", "{{word}}", ["{% for i in tips or [] %}"], ["tips"]),
        ("{{ word | default('x') }}", "{{ word | default('y') }}", [], []),
        ("{% if vip %}A{% endif %}{{word}}", "{% if is_vip %}A{% endif %}{{word}}", ["{% if is_vip %}"], ["is_vip"]),
        ("{{ how | default('be kind') }} {{word}}", "{{ how | default('be kind') }} {{ word | trim }}", [], []),
        ("{% set x = 'be kind' %}{{word}}", "{{word}}", [], []),
    ],
)
def test_a_change_that_no_case_reaches_is_named(base: str, head: str, conditions: list[str], unset: list[str]) -> None:
    before, after = (version(("user", text), syntax="jinja") for text in (base, head))
    assert asks_the_same(before, after)
    change = find_unreached_change(before, after, {"p.prompt.yml"})
    assert change is not None
    assert change.paths == ("p.prompt.yml",)
    assert list(change.conditions) == conditions
    assert set(unset) <= set(change.unset)
    assert "lang" not in change.unset


def test_a_message_that_each_conversation_replaces_is_not_reached() -> None:
    talks: list[dict[str, Any]] = [{"messages": [{"role": "user", "content": "Hi"}]}]
    base, head = (
        version(("system", "Be kind."), ("user", text), cases=talks) for text in ("Hello", "Ignore all that.")
    )
    assert asks_the_same(base, head)
    assert find_unreached_change(base, head, ()) is not None
