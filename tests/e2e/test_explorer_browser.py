"""The table of all cases in a real browser: filter, sort, link, open; by keys; harmless whatever the cases hold."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support import large_reports, report_situations
from support.browser import MARKS, SIZES, find_violations
from support.daily import first_daily
from support.hostile_payloads import XSS, planted, rich
from support.run_notation import comparison, many, report

from promptci.present import formatting
from promptci.report.html import html_renderer
from promptci.report.model.report import ReportView

pytestmark = MARKS
TRICKY = "a/b&c=#ü? %2F 100% 漢字 +"


def ready(page: Page) -> Page:
    """Wait until the cases are there and their texts beside them."""
    expect(page.locator("#found")).to_contain_text("case")
    expect(page.locator("#found")).not_to_contain_text("Opening")
    return page


def ids(page: Page) -> list[str]:
    """Return the ids of the rows that are drawn, from the top."""
    return page.locator("#rows .id code").all_text_contents()


def opened(page: Page) -> str:
    """Return the name of the case that is open, once its answers are there."""
    expect(page.locator("#opened-body > *").first).to_be_visible()
    return page.locator("#opened-title").inner_text()


def key(name: str) -> str:
    """Return what is alike in every spelling of a name: blanks and ends that are cut away are not."""
    return re.sub(r"\s", "", name)[:100]


def named(case: str) -> ReportView:
    """Return a report with one case of that name among others."""
    view = report(comparison(many(right=30, broken=3)))
    (prompt,) = view.prompts
    first, *others = prompt.case_details
    cases = [first.model_copy(update={"id": case}), *others]
    return view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": cases})]})


def test_every_case_is_counted_and_only_rows_in_view_are_in_the_page(visit: Any) -> None:
    page = ready(visit(report_situations.page("several_prompts")))
    total = sum(len(prompt.case_details) for prompt in report_situations.SITUATIONS["several_prompts"]().prompts)
    assert page.locator("#found").inner_text() == f"{total} cases"
    assert page.locator("#grid").get_attribute("aria-rowcount") == str(total + 1)
    assert 10 < page.locator("#rows .row").count() < 40
    page.locator("#grid").evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
    expect(page.locator(f"#rows [aria-rowindex='{total + 1}']")).to_be_visible()
    assert page.locator("#rows .row").count() < 40


def test_what_broke_stands_first(visit: Any) -> None:
    page = ready(visit(report_situations.page("several_prompts")))
    assert ids(page)[0] == "refund-policy"
    assert set(page.locator("#rows .kind").all_inner_texts()) == {"Broken"}


def test_choosing_an_outcome_shows_those_cases_only(visit: Any) -> None:
    page = ready(visit(report_situations.page("several_prompts")))
    for show, count in (("Broken", 52), ("Fixed", 3), ("Critical", 1)):
        option = page.locator("#show option", has_text=re.compile(rf"^{show} \("))
        page.locator("#show").select_option(value=option.get_attribute("value"))
        expect(page.locator("#found")).to_have_text(f"{count} of 258 cases")
        assert option.inner_text() == f"{show} ({count})"
    # There is one kind of better cases only.
    assert page.locator("#show option", has_text=re.compile(r"^Better \(")).count() == 0


def test_missing_answers_flaky_cases_tags_and_classes_can_be_chosen(visit: Any) -> None:
    page = ready(visit(html_renderer.render_page(rich())))
    for field, value, expected in (
        ("show", "error", {"f", "b"}),
        ("show", "flaky", {"a"}),
        ("show", "excluded", {"i"}),
        ("show", "apart", {"g", "h"}),
        ("tag", "refund", {"a"}),
    ):
        page.locator(f"#{field}").select_option(value=value)
        assert set(ids(page)) == expected, value
        page.locator("#reset").click()
    page = ready(visit(report_situations.page("several_prompts")))
    page.locator("#class").select_option(label="negative (24)")
    expect(page.locator("#found")).to_have_text("24 of 258 cases")
    assert set(page.locator("#rows .class-of").all_inner_texts()) == {"negative"}
    page.locator("#of-prompt").select_option(label="greeting (125)")
    expect(page.locator("#found")).to_have_text("0 of 258 cases")


def test_the_search_looks_into_ids_questions_and_answers(visit: Any) -> None:
    page = ready(visit(report_situations.page("critical_broken")))
    for words in ("refund-pol", "COULD YOU TELL ME", "want a refund for order 9001"):
        page.locator("#find").fill(words)
        expect(page.locator("#found")).to_have_text("1 of 61 cases")
        assert ids(page) == ["refund-policy"], words
        page.locator("#find").fill("no such words anywhere")
        expect(page.locator("#found")).to_have_text("0 of 61 cases")
        assert ids(page) == []
    page.locator("#find").fill("")
    expect(page.locator("#found")).to_have_text("61 cases")


def test_the_search_finds_words_of_reasons_and_errors_too(visit: Any) -> None:
    page = ready(visit(report_situations.page("some_answers_failed")))
    page.locator("#find").fill("503 after 5")
    expect(page.locator("#found")).to_have_text("1 of 61 cases")
    assert ids(page) == ["lost-1"]


def test_a_heading_sorts_and_a_second_click_turns_it_round(visit: Any) -> None:
    page = ready(visit(report_situations.page("regressed")))
    head = page.locator("[data-sort='id']")
    head.locator("button").click()
    rising = ids(page)
    assert rising == sorted(rising)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    falling = ids(page)
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > rising[0]
    assert head.get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("key", first_daily(["-ms", "score", "ms", "usd", "-score", "outcome"], 2))
def test_sorting_by_a_figure_puts_the_cases_in_its_order(key: str, visit: Any) -> None:
    view = report(
        comparison(
            "\n".join(f"m-{i} | Hi | y | x {{0.{9 - i % 3}}} | z {{0.{1 + i % 7}}}" for i in range(20)), kind="llm"
        )
    )
    page = ready(visit(html_renderer.render_page(view)))
    page.locator("#sort").select_option(value=key)
    cases = {case.id: case for case in view.prompts[0].case_details}
    figures: dict[str, Any] = {
        "ms": lambda case: case.head.latency_ms,
        "usd": lambda case: case.head.cost_usd,
        "score": lambda case: round(case.head.score - case.base.score, 9),
        "outcome": lambda case: case.outcome,
    }
    shown = [figures[key.lstrip("-")](cases[case_id]) for case_id in ids(page)]
    if key != "outcome":
        assert shown == sorted(shown, reverse=key.startswith("-"))
    expect(page.locator("#grid")).to_be_visible()
    assert f"sort={key}" in page.evaluate("location.hash")


def test_a_link_opens_its_case(visit: Any) -> None:
    page = ready(visit(report_situations.page("several_prompts"), "#case=greeting/mail-02"))
    assert opened(page) == "greeting / mail-02"


@pytest.mark.parametrize("case", first_daily([TRICKY, XSS[0], "ends with /", " ", *XSS[1:6], XSS[-3], "x" * 400], 4))
def test_the_link_that_the_page_gives_leads_back_to_the_case_whatever_its_name(case: str, visit: Any) -> None:
    text = html_renderer.render_page(named(case))
    page = ready(visit(text))
    page.locator("#rows .case-row").first.click()
    name = opened(page)
    link = page.locator("#link").get_attribute("href")
    assert page.evaluate("location.hash") == link
    again = ready(visit(text, link))
    assert opened(again) == name
    assert again.locator("#opened-body .answer").count() == 2


def test_a_link_written_by_hand_works_with_slashes_in_it(visit: Any) -> None:
    page = ready(visit(html_renderer.render_page(named("shop/refund/1")), "#case=order-extractor/shop/refund/1"))
    assert opened(page) == "order-extractor / shop/refund/1"


def test_a_link_to_a_case_that_is_not_there_says_so(visit: Any) -> None:
    page = visit(report_situations.page("regressed"), "#case=order-extractor/no-such")
    expect(page.locator("#found")).to_have_text("This report has no case order-extractor/no-such")
    assert not page.locator("#opened").is_visible()


def test_a_link_that_filters_by_what_no_case_has_shows_none_and_says_so(visit: Any) -> None:
    page = ready(visit(report_situations.page("regressed"), "#show=flaky-or-so"))
    expect(page.locator("#found")).to_have_text(re.compile(r"^0 of \d+ cases$"))
    assert page.locator("#show option:checked").inner_text() == "flaky-or-so (0)"


def test_the_filters_are_in_the_link_and_come_back_from_it(visit: Any) -> None:
    text = report_situations.page("several_prompts")
    page = ready(visit(text))
    page.locator("#show").select_option(value="broken")
    page.locator("#of-prompt").select_option(value="review-sentiment")
    page.locator("#sort").select_option(value="id")
    page.locator("#find").fill("chair & #")
    page.locator("#find").fill("chair")
    expect(page.locator("#found")).to_have_text("12 of 258 cases")
    link, cases = page.evaluate("location.hash"), ids(page)
    again = ready(visit(text, link))
    expect(again.locator("#found")).to_have_text("12 of 258 cases")
    assert ids(again) == cases
    assert again.locator("#find").input_value() == "chair"


def test_back_closes_the_case_and_a_link_to_a_section_is_left_alone(visit: Any) -> None:
    page = ready(visit(report_situations.page("several_prompts"), "#p2"))
    assert page.evaluate("location.hash") == "#p2"
    page.locator("#rows .case-row").nth(2).click()
    opened(page)
    page.go_back()
    expect(page.locator("#opened")).not_to_be_visible()
    assert page.evaluate("location.hash") == "#p2"


def test_everything_is_done_by_keys_alone(visit: Any) -> None:
    page = ready(visit(report_situations.page("regressed")))
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("mail-1")
    expect(page.locator("#found")).to_contain_text(" of 60 cases")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_have_text("60 cases")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "grid"
    page.keyboard.press("Home")
    order = ids(page)
    for key, place in (("j", 1), ("ArrowDown", 2), ("k", 1), ("ArrowUp", 0), ("ArrowUp", 0), ("j", 1)):
        page.keyboard.press(key)
        chosen = page.locator("#rows [aria-selected='true']")
        assert chosen.get_attribute("id") == page.locator("#grid").get_attribute("aria-activedescendant")
        assert chosen.locator(".id").inner_text() == order[place]
    page.keyboard.press("Enter")
    assert opened(page) == f"order-extractor / {order[1]}"
    page.keyboard.press("j")
    expect(page.locator("#opened-title")).to_have_text(f"order-extractor / {order[2]}")
    page.keyboard.press("k")
    expect(page.locator("#opened-title")).to_have_text(f"order-extractor / {order[1]}")
    page.keyboard.press("Escape")
    expect(page.locator("#opened")).not_to_be_visible()
    assert page.evaluate("document.activeElement.id") == "grid"
    page.keyboard.press("End")
    expect(page.locator("#rows [aria-selected='true']")).to_have_attribute("aria-rowindex", "61")
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    assert int(page.locator("#rows [aria-selected='true']").get_attribute("aria-rowindex") or 0) > 5


def test_the_list_of_keys_opens_by_its_key_and_letters_can_be_switched_off(visit: Any) -> None:
    page = ready(visit(report_situations.page("regressed")))
    page.keyboard.press("?")
    assert page.locator("#keys dl").is_visible()
    page.locator("#single").uncheck()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "find"
    page.locator("#grid").focus()
    page.keyboard.press("j")
    assert page.locator("#rows [aria-selected='true']").get_attribute("aria-rowindex") == "2"


@pytest.mark.parametrize(
    "situation",
    first_daily(["graded_with_repeats", "several_prompts", "hostile_text", "judge_attacked", "new_prompt"]),
)
def test_an_opened_case_says_what_the_page_says_of_it(situation: str, visit: Any) -> None:
    """Words that differ, marks, latency, cost: drawn by the script as by the server."""
    page = ready(visit(report_situations.page(situation)))
    page.locator("#open-all").click()
    read = (
        "(one) => [...one.querySelectorAll('.answers, .question')].map((part) => { const copy = part.cloneNode(true);"
        " copy.querySelectorAll('.origin').forEach((own) => own.remove());"
        " copy.querySelectorAll('del, ins').forEach((word) => { word.textContent = `[${word.textContent}]`; });"
        " return copy.textContent.replace(/\\s+/g, ''); })"
    )
    cases = page.evaluate(
        "() => [...document.querySelectorAll('.case')].map((one) => [one.closest('.prompt').querySelector('h2')"
        f".textContent + ' / ' + one.querySelector('summary code').textContent, ({read})(one)])"
    )
    drawn = {key(name): texts for name, texts in cases}
    in_brief = "\n".join(page.locator(".lines").all_text_contents())
    page.locator("#rows .case-row").first.click()
    compared = 0
    for _ in range(45):
        name = opened(page)
        if key(name) in drawn:
            assert page.locator("#opened-body").evaluate(read) == drawn[key(name)], name
            compared += 1
        else:  # behind the first cases of its group, which has a line of it only
            assert name.rpartition(" / ")[2] in in_brief
        if page.locator("#next").is_disabled():
            break
        page.keyboard.press("j")
        expect(page.locator("#opened-title")).not_to_have_text(name)
    assert compared >= min(10, len(drawn))


def test_numbers_are_spelled_as_everywhere_else(visit: Any) -> None:
    page = ready(visit(report_situations.page("regressed")))
    times = [0.0, 0.4, 1, 9.5, 812.5, 999.4, 999.6, 1004, 1234, 9996, 12_345, 59_940, 59_960, 61_000, 7_654_321]
    prices = [0.0, 1.5e-7, 0.000131, 0.00999, 0.0123, 0.5, 0.994, 0.996, 1, 12.345, 1234.5]
    assert page.evaluate("(all) => all.map(duration)", times) == [formatting.duration(item) for item in times]
    assert page.evaluate("(all) => all.map(money)", prices) == [formatting.money(item) for item in prices]


@pytest.mark.parametrize("first", first_daily(range(0, len(XSS), 4)))  # on the page itself two are tried daily
def test_a_payload_in_every_field_does_nothing_when_its_cases_are_shown_and_opened(first: int, visit: Any) -> None:
    page = ready(visit(html_renderer.render_page(planted(rich(), " ".join(XSS[first : first + 4])))))
    page.locator("#rows .case-row").first.click()
    for _ in range(12):
        opened(page)
        page.locator("#opened-body").hover()
        page.keyboard.press("j")
    page.keyboard.press("Escape")
    page.locator("#find").fill("alert(1)")
    page.locator("#sort").select_option(value="id")
    forbidden = "img,iframe,script:not(:last-child),form,base,a[href^=j]"
    assert page.evaluate(f"document.querySelectorAll('{forbidden}').length") == 0


def test_no_script_makes_markup_of_a_text(browser: Browser, tmp_path: Path) -> None:
    """The policy forbids it, and none of ours tries."""
    path = tmp_path / "page.html"
    path.write_text(report_situations.page("regressed"), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri())
    attempt = "(() => { try { document.body.innerHTML = '<b>x</b>'; return ''; } catch (e) { return e.name; } })()"
    assert page.evaluate(attempt) == "TypeError"
    context.close()
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|fetch\(|setTimeout\([\"']"
    for script in (Path(__file__).parents[2] / "templates" / "assets").glob("*.js"):
        assert not re.search(forbidden, script.read_text(encoding="utf-8")), script.name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("situation", first_daily(["hostile_text", "several_prompts"]))
def test_an_opened_case_does_not_scroll_sideways(situation: str, size: str, visit: Any) -> None:
    width, height = SIZES[size]
    page = ready(visit(report_situations.page(situation), viewport={"width": width, "height": height}))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    grid = page.locator("#grid")
    assert grid.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    page.locator("#rows .case-row").first.click()
    opened(page)
    dialog = page.locator("#opened")
    assert dialog.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize(
    ("situation", "width", "scheme"),
    first_daily([("regressed", 360, "dark"), ("several_prompts", 1280, "light"), ("several_prompts", 360, "dark")]),
)
def test_axe_finds_nothing_in_the_table_nor_in_an_opened_case(
    situation: str, width: int, scheme: Any, visit: Any
) -> None:
    """The policy forbids scripts of others, axe's too, so it is lifted here."""
    size = {"width": width, "height": 800}
    page = ready(visit(report_situations.page(situation), bypass_csp=True, color_scheme=scheme, viewport=size))
    page.locator("#keys summary").click()
    assert find_violations(page) == []
    page.locator("#rows .case-row").first.click()
    opened(page)
    assert find_violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#find").fill("nothing is called like that")
    expect(page.locator("#found")).to_have_text({"regressed": "0 of 60 cases"}.get(situation, "0 of 258 cases"))
    assert find_violations(page) == []


def test_in_the_dark_an_opened_case_is_dark(visit: Any) -> None:
    for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 29)")):
        page = ready(visit(report_situations.page("regressed"), color_scheme=scheme))
        page.locator("#rows .case-row").first.click()
        opened(page)
        assert page.locator("#opened").evaluate("(one) => getComputedStyle(one).backgroundColor") == paper


def test_on_paper_the_table_is_gone_and_the_cases_are_whole(visit: Any) -> None:
    page = ready(visit(report_situations.page("several_prompts"), "#case=greeting/mail-02"))
    opened(page)
    page.emulate_media(media="print")
    for gone in ("#cases", "#opened", ".tools"):
        assert not page.locator(gone).is_visible()
    box = page.locator(".group.broken .answer").first.bounding_box()
    assert box is not None
    assert box["height"] > 20
    assert page.pdf(format="A4").startswith(b"%PDF")


MOST_SHIFT = 0.001
"""A hundredth of the layout shift that browsers call good; a line that wraps when fonts come late is below it."""


@pytest.mark.parametrize("situation", first_daily(["regressed", "set_aside", "all_answers_failed"]))
def test_nothing_moves_when_the_cases_come(situation: str, visit: Any) -> None:
    page = visit(report_situations.page(situation), viewport={"width": 1280, "height": 3000})
    ready(page)
    page.wait_for_timeout(300)
    shifts = page.evaluate(
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().map((e) => e.value)))"
        ".observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done([]), 300))"
    )
    assert sum(shifts) < MOST_SHIFT


def test_without_a_script_words_say_where_the_rest_is(visit: Any) -> None:
    page = visit(report_situations.page("several_prompts"), java_script_enabled=False)
    section = page.locator("#cases")
    assert "needs a script" in section.inner_text()
    assert "report.json" in section.inner_text()
    assert not page.locator("#grid").is_visible()
    assert not page.locator("#open-all").is_visible()


@pytest.mark.long
def test_a_page_of_fifty_thousand_cases_opens(visit: Any) -> None:
    """Small, soon there, soon of use: a third of each limit on a quiet machine, so that a busy one passes too."""
    view = large_reports.view(50_000)
    started = time.process_time()
    text = html_renderer.render_page(view)
    assert time.process_time() - started < 20  # 7 s of one core when it was written
    assert len(text.encode()) < 20_000_000
    page = visit(text)
    expect(page.locator("#found")).to_have_text("50,000 cases")
    opened_after, ready_after = page.evaluate(
        "[performance.getEntriesByType('navigation')[0].domComplete,"
        " performance.getEntriesByName('cases')[0].startTime]"
    )
    assert opened_after < 3000  # 0.8 s
    assert ready_after < 3000  # 1 s
    assert page.locator("#rows .row").count() < 40
    page.locator("#rows .case-row").first.click()
    first = opened(page)
    assert page.locator("#opened-body .answer").count() == 2
    page.keyboard.press("Escape")
    page.locator("#grid").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert opened(page) != first
    expect(page.locator("#opened-title")).to_contain_text("ticket-")
    message = re.search(r"holds the texts of ([\d,]+) of 50,000 cases", text)
    with_texts = int(message[1].replace(",", "")) if message else 50_000
    assert with_texts > 40_000  # how many depends on how well the generated texts compress
    assert page.locator("#opened-body .answer").count() == (2 if with_texts == 50_000 else 0)
    assert "report.json" in page.locator("#opened-body").inner_text() or with_texts == 50_000


def test_the_same_view_gives_the_same_bytes() -> None:
    view = report_situations.SITUATIONS["several_prompts"]()
    again = ReportView.model_validate(view.model_dump(by_alias=True))
    assert html_renderer.render_page(view) == html_renderer.render_page(again)


def test_a_browser_that_cannot_unpack_says_so(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "old.html"
    path.write_text(report_situations.page("regressed"), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("delete globalThis.DecompressionStream")
    page.goto(path.as_uri())
    expect(page.locator("#found")).to_contain_text("They are in report.json")
    context.close()
