"""Jinja templates give the text that Jinja itself gives, and no template takes much time or memory."""

import contextlib
import json

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.prompts.jinja import evaluate, parse
from promptci.prompts.jinja.expressions import UndefinedVariableError
from promptci.prompts.jinja.filters import FILTERS, TESTS, TemplateError

VALUES = {
    "name": "Ann <b>", "n": 3, "x": 2.5, "yes": True, "no": False, "none": None, "empty": "", "text": "one two\nthree",
    "items": [{"id": 2, "name": "b"}, {"id": 1, "name": "A"}], "words": ["b", "a", "B"],
    "order": {"id": 7, "a": {"b": 1}},
}  # fmt: skip
TEMPLATES = [
    "Hi {{ name }}, {{ n + 1 }} {{ n // 2 }} {{ n % 2 }} {{ n / 2 }} {{ n * x - 1 }} {{ -n }} {{ yes }} {{ none }}\n",
    (
        "{% for w in words %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex"
        " }}{{ w }}{{ ', ' if not loop.last }}{% endfor %}"
    ),
    (
        "{% for k, v in order.items() %}{{ k }}={{ v }};{% else %}none{%"
        " endfor %}{% for w in [] %}x{% else %}none{% endfor %}"
    ),
    "{% for i in items if i.id > 1 %}{{ i.name }}{{ loop.length }}{{ loop.first }}{% endfor %}",
    "{%- if n > 2 and name -%} a {%- elif no or empty %} b {% else %} c {% endif %} end",
    "{% set y = n ~ '-' ~ name %}{{ y }}{% for w in words %}{% set y = w %}{{ y }}{% endfor %}{{ y }}",
    "{{ words|join(', ') }} {{ items|map(attribute='name')|join('/') }} {{ words|sort }} {{ words|unique|list }}",
    "{{ missing|default('d') }} {{ empty|default('d', true) }} {{ order.nope|d('x') }} {{ missing is defined }}",
    "{{ name|upper }} {{ name|lower }} {{ text|title }} {{ text|capitalize }} {{ ' a '|trim }} {{ text|wordcount }}",
    (
        "{{ order|tojson }} {{ words|tojson }} {{ name|tojson }} {{"
        " words|length }} {{ text|indent(2) }} {{ text|indent(2, true) }}"
    ),
    "{{ words|first }}{{ words|last }}{{ words[0] }}{{ words[-1] }}{{ text[1:3] }}{{ order['id'] }}{{ order.a.b }}",
    (
        "{{ x|round }} {{ x|round(1) }} {{ '3'|int }} {{ 'z'|int }} {{"
        " 'z'|int(9) }} {{ '1.5'|float }} {{ -3|abs }} {{ [1, 2]|sum }}"
    ),
    (
        "{{ 'a' in words }} {{ 'z' not in words }} {{ n == 3 }} {{ 1 < n <= 3"
        " }} {{ n != 3 }} {{ not yes }} {{ n is odd }}"
    ),
    (
        "{{ name|replace('n', 'm') }} {{ text.split() }} {{ name.upper() }} {{"
        " name.startswith('A') }} {{ order.get('q', 1) }}"
    ),
    (
        "{% raw %}{{ a }}{% endraw %}{# gone #}{{ '{{' }} {{ {'a': 1}['a'] }}"
        " {{ (1, 2) }} {{ range(3)|list }} {{ 'x'|safe }}"
    ),
    (
        "{{ none is none }} {{ n is number }} {{ words is sequence }} {{ order"
        " is mapping }} {{ name is string }} {{ n is divisibleby 3 }}"
    ),
    (
        "{% with a = 1, b = n %}{{ a + b }}{% endwith %}{{ order|dictsort }}"
        " {{ words|reverse|list }} {{ order|items|list }}"
    ),
    "line\n{% if yes %}\nin\n{% endif %}\nlast\n\n",
]


def oracle(template: str, values: dict[str, object]) -> str:
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(template).render(values)  # noqa: S701


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_text_is_that_of_jinja(template: str) -> None:
    assert parse.find_problems(template) == []
    assert evaluate.fill(template, VALUES) == oracle(template, VALUES)


BLOCKS = st.recursive(
    st.sampled_from(["{{ n }}", " {{- name -}} ", "t\n", "{{ words|join }}", "{{ w|d('-') }}", "{{ 1 if n else 2 }}"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        inner.map(lambda body: f"{{% if n > 2 %}}{body}{{%- else %}}x{{% endif %}}"),
        inner.map(lambda body: f"{{% for w in words -%}}{body}{{{{ loop.index }}}}{{% endfor %}}"),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.integers(0, 4))
def test_nested_blocks_give_the_text_of_jinja(template: str, n: int) -> None:
    values = {**VALUES, "n": n}
    assert evaluate.fill(template, values) == oracle(template, values)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{ a }}", "a"),
        ("{{ order.zip.x }}", "order.zip"),
        ("{% for q in a %}{% endfor %}", "a"),
        ("{{ a|upper }}", "a"),
    ],
)
def test_a_variable_without_a_value_is_named(template: str, name: str) -> None:
    with pytest.raises(UndefinedVariableError, match=f"^{name}$"):
        evaluate.fill(template, VALUES)


BOMBS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{% set x = 'a' * 9 %}",
    "{% set ns = 'aaaaaaaaaaaaaaaa' %}" + "{% set ns = ns ~ ns ~ ns ~ ns ~ ns ~ ns ~ ns ~ ns %}" * 20,
    "{{ ('a' * 3) }}",
    "{{ range(999999999999) }}",
    "{{ 'a'|indent(999999999) }}",
    "{{ '%999999999d' is even }}",
    "{{ '%999999999d' is divisibleby 3 }}",
    "{% set x = text %}" + "{% set x = x|replace('', x) %}" * 30,
    "{{ 9223372036854775807 * 9223372036854775807 }}",
    "{% for a in range(9999) %}{{ range(9999)|sort|length }}{% endfor %}",
    "{{ 1 // 0 }}",
    "{{ " + "1 + " * 20_000 + "1 }}",
    "{{ words.pop }}{{ words.sort.__call__ }}",
    "{{ [].__class__ }}",
    "{{ name.__class__.__mro__ }}",
]


@pytest.mark.parametrize("template", BOMBS, ids=range(len(BOMBS)))
def test_no_template_takes_much_or_reaches_python(template: str) -> None:
    if parse.find_problems(template):
        return
    with pytest.raises((TemplateError, UndefinedVariableError)):
        evaluate.fill(template, VALUES)


def test_a_template_that_nests_deeply_is_refused() -> None:
    assert parse.find_problems("{% if a %}" * 3000 + "{% endif %}" * 3000)
    assert parse.find_problems("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}")
    assert "is limited to" in parse.find_problems("x" * (2**18 + 1))[0][1]


def test_every_filter_and_test_is_one_of_jinja() -> None:
    environment = jinja2.Environment(autoescape=False)  # noqa: S701
    assert set(FILTERS) <= set(environment.filters)
    assert set(TESTS) <= set(environment.tests)


def test_variables_are_those_that_a_case_gives() -> None:
    assert parse.find_variables("{% set a = b %}{% for c in d %}{{ c }}{{ loop.index }}{% endfor %}{{ a }}") == {
        "b",
        "d",
    }


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    if not parse.find_problems(text):
        with contextlib.suppress(TemplateError, UndefinedVariableError):
            assert evaluate.fill(text, json.loads(json.dumps(VALUES))) == oracle(text, VALUES)
