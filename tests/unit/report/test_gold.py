"""Comments, pages and view texts of the situations, as people read them.

A whole page is kept for six situations only: a change of one label would otherwise touch dozens of files, and nobody
reads such a diff. Of every other situation, the words of the view are kept.
"""

import pytest
from support.gold_files import Gold, words_of
from support.report_situations import SITUATIONS, page
from support.view_texts import describe_view

from promptci.report.export import junit
from promptci.report.markdown import markdown_renderer

MARKER = "<!-- promptci:prompts -->"
LINK = "https://github.com/acme/shop/actions/runs/77"
PAGES = ("regressed", "several_prompts", "inconclusive", "all_answers_failed", "judge_not_trusted", "hostile_text")


@pytest.mark.parametrize("situation", SITUATIONS)
def test_comment(situation: str, gold: Gold) -> None:
    gold.check(f"markdown/{situation}.md", markdown_renderer.render_comment(SITUATIONS[situation](), MARKER, LINK))


@pytest.mark.parametrize("situation", PAGES)
def test_page(situation: str, gold: Gold) -> None:
    gold.check(f"html/{situation}.html", words_of(page(situation)))


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name not in PAGES])
def test_view_text(situation: str, gold: Gold) -> None:
    gold.check(f"views/{situation}.txt", describe_view(SITUATIONS[situation]()))


@pytest.mark.parametrize("situation", ["regressed", "new_prompt", "some_answers_failed"])
def test_junit_file(situation: str, gold: Gold) -> None:
    gold.check(f"junit/{situation}.xml", "".join(junit.xml_pieces(SITUATIONS[situation]())))
