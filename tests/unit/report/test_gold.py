"""Every situation's comment, summary, page and data, as people and programs get them."""

import pytest
from support.gold_files import Gold, words_of
from support.report_situations import SITUATIONS, page

from promptci.report.export import junit
from promptci.report.markdown import markdown_renderer

MARKER = "<!-- promptci:prompts -->"
LINK = "https://github.com/acme/shop/actions/runs/77"


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_comment_of_every_situation_is_as_kept(situation: str, gold: Gold) -> None:
    gold.check(f"markdown/{situation}.md", markdown_renderer.comment(SITUATIONS[situation](), MARKER, LINK))


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "text_too_long"])
def test_the_page_of_every_situation_is_as_kept(situation: str, gold: Gold) -> None:
    gold.check(f"html/{situation}.html", words_of(page(situation)))


@pytest.mark.parametrize("situation", ["regressed", "new_prompt", "some_answers_failed"])
def test_the_junit_file_is_as_kept(situation: str, gold: Gold) -> None:
    gold.check(f"junit/{situation}.xml", junit.render(SITUATIONS[situation]()))
