"""Templates that attack: only variables are ever filled in, at a cost in proportion to the text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.prompts import includes
from promptci.prompts.template import render

HOSTILE = [
    "{{7*7}}", "{{ 7 * 7 }}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{%if 1%}a{%endif%}", "{{''.__class__}}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{config.items()}}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ lipsum.__globals__['os'] }}", "{{ x|attr('y') }}",
    "{{ ''|attr('__class__') }}", "{{ '{0.__class__}'.format(x) }}", "{{ '%s'|format(x) }}", "{{ x.format_map(y) }}",
    "{{ request.application.__globals__['x'] }}", "{{ url_for.__globals__[1] }}", "{{ get_flashed_messages() }}",
    "{{ namespace(a=1) }}", "{{ joiner() }}", "{{ range(10**9)|list }}", "{{ 'a'*10**9 }}", "{% for i in range(9) %}",
    "{% set x = 1 %}", "{% include '/etc/passwd' %}", "{% import 'os' as o %}", "{% raw %}{{x}", "{# note #}",
    "{{{{x}", "{{#if a}}", "{{/if}}", "{{^a}}", "{{!note}}", "{{&a}}", "{{>}}", "{{@root}}", "{{../a}}", "{{.}}",
    "{{a b}}", "{{a[0]}}", "{{a->b}}", "{{a::b}}", "{{a,b}}", "{{a()}}", "{{a=b}}", "{{a+b}}", "{{a!b}}", "{{a?b:c}}",
    "{{'a'}}", '{{"a"}}', "{{`a`}}", "{{$a}}", "{{ env:KEY }}", "${env:KEY}", "${file:/etc/passwd}",
    "{{a..b}}", "{{a.}}",
    "{{ .a }}", "{{}}", "{{ }}", "{ {a} }", "{{a}", "{a}}", "{{\na b\n}}", "{{a\0}}", "{{-a}}", "{{a|b}}", "{{a;b}}",
]  # fmt: skip


@pytest.mark.parametrize("payload", HOSTILE)
def test_nothing_but_a_variable_is_ever_filled_in(payload: str) -> None:
    variables = {"a": "FILLED", "b": "FILLED", "x": "FILLED", "config": "FILLED", "self": "FILLED", "request": {}}
    assert render.render(payload, variables) == payload


@given(st.text(st.sampled_from("{}> a.|\n"), max_size=60), st.text(max_size=5))
def test_whatever_the_template_rendering_ends_and_fills_only_what_it_names(template: str, value: str) -> None:
    names = render.find_variables(template)
    result = render.render(template, dict.fromkeys(names, value))
    assert result == render.VARIABLE.sub(lambda _: value, template)
    if not names:
        assert result == template


@pytest.mark.parametrize(
    "template",
    [
        "{{" * 50_000,
        "{{ " * 30_000,
        "{{a." * 30_000,
        "{{a" + " " * 100_000,
        "{{>" + " " * 30_000,
        "{%" * 50_000,
        "{# " * 30_000,
    ],
)
def test_a_template_costs_time_in_proportion_to_its_length(template: str) -> None:
    started = time.process_time()
    assert render.render(template, {}) == template
    render.find_unfilled_braces(template)
    assert includes.resolve_includes(template, "p.prompt.yml", lambda _: None).paths == ()
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    ("template", "variables", "text"),
    [
        ("{{Überschrift}} {{1}} {{名前}}", {"Überschrift": "Ü", "1": "eins", "名前": "n"}, "Ü eins n"),
        ("{{a.0.b}}", {"a": [{"b": True}]}, "true"),
        ("{{ a }}|{{a}}", {"a": None}, "null|null"),
        ("{{{a}}}", {"a": "x"}, "{x}"),
        ("{{a}}{{b}}", {"a": "{{", "b": "b}}"}, "{{b}}"),
        (r"{{a}}", {"a": r"\1 \g<0>"}, r"\1 \g<0>"),
    ],
)
def test_variables_of_every_kind(template: str, variables: dict[str, object], text: str) -> None:
    assert render.render(template, variables) == text


@pytest.mark.parametrize("name", ["a." + "9" * 5000, "a.-1", "a.1.b", "a.²"])
def test_an_index_that_leads_nowhere_is_a_missing_variable(name: str) -> None:
    with pytest.raises(render.MissingVariable):
        render.look_up_variable(name, {"a": ["x", "y"]})


@pytest.mark.parametrize(
    ("template", "unfilled"),
    [
        ("{{a}} {{ a.b }} {{{a}}} {a} {} }} ${a}", []),
        ("{{ lang | default(1) }}", ["{{ lang | default(1) }}"]),
        ("{# a\ncomment #}", ["{# a\ncomment #}"]),
        ("{{#if x}}yes{{/if}}", ["{{#if x}}", "{{/if}}"]),
        ("{% for x in xs %}{{x}}{% endfor %}", ["{% for x in xs %}", "{% endfor %}"]),
        ("{%- if a % 2 -%}", ["{%- if a % 2 -%}"]),
        ("Hi {{name}, and {{other\n{{a}}", ["{{name}", "{{other"]),
        ('Answer as {"a": {"b": 1}}, 5 {# of 10%}', []),
    ],
)
def test_template_syntax_that_is_sent_unchanged_is_found(template: str, unfilled: list[str]) -> None:
    assert render.find_unfilled_braces(template) == unfilled
