"""A user's comment template: it changes words, sees nothing but the report, and cannot harm."""

import os
import re

import pytest
from markdown_it import MarkdownIt
from support.hostile_payloads import XSS, planted, rich
from support.report_situations import SITUATIONS

from promptci.report.markdown import markdown_renderer, user_template
from promptci.report.markdown.user_template import UnusableTemplateError, UserTemplate
from promptci.report.markdown.user_template_worker import render_job
from promptci.report.model.document import serialize
from promptci.report.model.report import ReportView

OURS = '{% extends "markdown/comment.md.j2" %}\n'
VIEW = SITUATIONS["several_prompts"]()


def drawn(text: str) -> str:
    return user_template.render_user_template(serialize(VIEW), UserTemplate(path="ci/comment.md.j2", text=text))


def refused(text: str) -> str:
    with pytest.raises(UnusableTemplateError) as caught:
        drawn(text)
    return str(caught.value)


def drawn_here(text: str, view: ReportView = VIEW) -> dict[str, str]:
    """Return what the process of a template would answer, without starting one: for what the limits do not touch."""
    return render_job({"path": "ci/comment.md.j2", "text": text, "spare": 0}, view)


def test_one_that_only_extends_ours_gives_ours() -> None:
    assert drawn(OURS) == markdown_renderer.render_comment(VIEW)
    for situation in ("hostile_text", "graded_with_repeats"):
        view = SITUATIONS[situation]()
        assert drawn_here(OURS, view)["text"] == markdown_renderer.render_comment(view)


def test_a_block_can_be_replaced_and_the_others_stay() -> None:
    text = drawn_here(OURS + "{% block foot %}Ask @prompts-team.{% endblock %}")["text"]
    assert text.rstrip().endswith("Ask @prompts-team.")
    assert "<sub>promptci" not in text
    assert text.startswith(markdown_renderer.render_comment(VIEW)[:200])


def test_a_block_can_be_added_to() -> None:
    text = drawn_here(OURS + "{% block verdict %}{{ super() }}Runbook: <https://wiki.example/prompts>\n{% endblock %}")[
        "text"
    ]
    assert "\nRunbook: <https://wiki.example/prompts>\n" in text


@pytest.mark.long
def test_what_it_puts_out_is_escaped() -> None:
    for first in range(0, len(XSS), 8):
        view = planted(rich(), " ".join(XSS[first : first + 8]))
        plain = user_template.render_user_template(serialize(view), UserTemplate(path="c", text="{{ view.headline }}"))
        page = MarkdownIt("commonmark").render(plain)
        assert not re.search(r"<(?!/?p>)", page), page
        assert user_template.render_user_template(
            serialize(view), UserTemplate(path="c", text=OURS)
        ) == markdown_renderer.render_comment(view)


@pytest.mark.parametrize(
    "text",
    [
        "{% autoescape true %}{{ '@me [x](y) <b>' }}{% endautoescape %}",
        "{{ '@me [x](y) <b>' ~ '' }}",
        "{% set x = '@me [x](y) <b>' %}{{ x }}",
        "{{ ['@me [x](y) <b>']|join }}",
    ],
)
def test_there_is_no_way_round_it(text: str) -> None:
    result = drawn_here(text)["text"]
    assert "@me" not in result
    assert "[x](y)" not in result
    assert "<b>" not in result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OURS + "{% block foot %}\n{{ nothing }}{% endblock %}", "ci/comment.md.j2:3: 'nothing' is undefined"),
        ("a\n{% if %}", "ci/comment.md.j2:2: Expected an expression"),
        ("{{ 1 / 0 }}", "ci/comment.md.j2:1: division by zero"),
        ("{{ view.headline|safe }}", "No filter named 'safe'"),
        ("{% include '/etc/passwd' %}", "not found"),
        ("{% include '../pyproject.toml' %}", "ci/comment.md.j2:1: ../pyproject.toml"),
        ("{{ text.__class__ }}", "unsafe"),
        ("{{ text.sign.__globals__ }}", "unsafe"),
        ("{{ text.filters }}", "has no attribute"),
        ("{{ view.parse_raw('x'.encode(), allow_pickle=True, proto='pickle') }}", "unsafe"),
        ("{{ view.model_dump() }}", "unsafe"),
        ("{{ [].append(1) }}", "unsafe"),
        ("{{ 'a' * 10**10 }}", "too much memory"),
        ("x" * 200_001, "longer than 200,000 characters"),
    ],
)
def test_one_that_cannot_be_used_says_where_and_why(text: str, message: str) -> None:
    answers_here = "memory" not in message and "longer" not in message and "Expected" not in message
    assert message in (drawn_here(text)["error"] if answers_here else refused(text))


@pytest.mark.long
def test_one_that_does_not_end_is_ended() -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    assert re.search("too much time or memory|longer than 20 seconds", refused(loop))


def test_it_has_no_secrets_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert os.environ["OPENAI_API_KEY"] not in drawn(OURS)


def test_one_too_long_even_at_its_shortest_gives_way_to_the_short_comment() -> None:
    assert drawn("x" * 70_000) == markdown_renderer.render_short_comment(VIEW)
