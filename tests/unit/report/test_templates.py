"""The one environment of all templates: what a template does not know is an error, never an empty place."""

import pytest
from jinja2 import StrictUndefined, UndefinedError
from support.report_situations import SITUATIONS

from promptci.report import templates


@pytest.mark.parametrize("source", ["{{ nothing }}", "{{ view.nothing }}", "{% if view.nothing %}{% endif %}"])
@pytest.mark.parametrize("kind", ["html", "md"])
def test_a_name_that_is_not_there_is_an_error(source: str, kind: str) -> None:
    environment = templates.environment()
    assert environment.undefined is StrictUndefined
    template = environment.overlay().from_string(source)
    template.name = f"x.{kind}.j2"
    with pytest.raises(UndefinedError):
        template.render(view=SITUATIONS["regressed"]())


@pytest.mark.parametrize("name", ["html/report.html.j2", "markdown/comment.md.j2", "markdown/short.md.j2"])
def test_a_template_that_is_not_given_what_it_shows_says_so(name: str) -> None:
    with pytest.raises(UndefinedError):
        templates.environment().get_template(name).render()
