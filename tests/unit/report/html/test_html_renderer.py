"""The page: nothing of others becomes markup, nothing goes out, every verdict can be read, and it has an end."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from support import report_situations
from support.daily import some_daily
from support.hostile_payloads import XSS, planted, rich
from support.run_notation import comparison, many, report

from promptci.present import templates
from promptci.report.html import groups, html_renderer, page
from promptci.report.html.page_budget import MAX_ANSWER_CHARS, MAX_DETAILS, MAX_LINES
from promptci.report.model.report import ReportView
from promptci.report.text.cases import case_highlights, case_outcomes


class Structure(HTMLParser):
    """Collects the tags with the names of their attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, ...]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Structure:
    result = Structure()
    result.feed(text)
    result.close()
    return result


@pytest.mark.parametrize("payload", some_daily(XSS, 8))
def test_a_payload_in_every_field_changes_no_tag(payload: str) -> None:
    view = rich()
    harmless, hostile = (read(html_renderer.render_page(planted(view, text))) for text in ("harmless", payload))
    assert hostile.tags == harmless.tags


@pytest.mark.parametrize("situation", some_daily(report_situations.SITUATIONS, 15))
def test_a_page_loads_nothing_and_runs_nothing_but_its_own(situation: str) -> None:
    result = read(report_situations.page(situation))
    tags = [tag[0] for tag in result.tags]
    assert (tags.count("script"), tags.count("style")) == (1, 1)
    assert not {"img", "link", "iframe", "object", "embed", "form", "base", "video", "audio", "source"} & set(tags)
    for _, name, value in result.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "src", "srcset", "action", "formaction", "ping")
        assert name != "href" or value.startswith("#")


@pytest.mark.parametrize("situation", some_daily(report_situations.SITUATIONS, 15))
def test_every_link_within_a_page_has_its_target_and_ids_are_unique(situation: str) -> None:
    result = read(report_situations.page(situation))
    ids = [value for _, name, value in result.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, name, value in result.attributes if name == "href"} <= set(ids)


@pytest.mark.parametrize("situation", some_daily(report_situations.SITUATIONS, 15))
def test_tags_are_closed_in_order(situation: str) -> None:
    open_: list[str] = []
    alone = {"meta", "input", "br", "path", "use", "circle", "rect"}
    for tag, *_ in read(report_situations.page(situation)).tags:
        if tag.startswith("/"):
            if tag[1:] not in alone:
                assert open_.pop() == tag[1:]
        elif tag not in alone:
            open_.append(tag)
    assert not open_


def test_out_csp_present_and_hash_matches() -> None:
    text = report_situations.page("regressed")
    (policy,) = [
        value for tag, name, value in read(text).attributes if tag == "meta" and value.startswith("default-src")
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for kind in ("style", "script"):
        content = text.split(f"<{kind}>")[1].split(f"</{kind}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    for name in ("img-src", "connect-src", "base-uri", "form-action"):
        assert f"{name} 'none'" in policy
    assert "unsafe" not in policy


def test_the_policy_stands_before_anything_it_governs() -> None:
    text = report_situations.page("regressed")
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")


def test_a_verdict_has_a_word_and_an_icon_and_not_its_colour_alone() -> None:
    for situation, word, icon in (
        ("regressed", "Fail, blocked", "bad"),
        ("all_same", "Pass", "good"),
        ("inconclusive", "Inconclusive", "warn"),
        ("budget_reached", "Error", "bad"),
        ("no_prompts_changed", "No change", "mute"),
    ):
        text = report_situations.page(situation)
        assert f'<p class="word">{word}</p>' in text
        assert (
            f'<div class="verdict {icon}">\n<svg class="icon" aria-hidden="true"><use href="#icon-{icon}"/></svg>'
            in text
        )


def colours(css: str) -> dict[str, tuple[float, ...]]:
    return {
        name: tuple(int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
        for name, value in re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6});", css)
    }


def contrast(first: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Contrast of two colours as WCAG 2 defines it."""

    def luminance(colour: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_can_be_read_on_what_it_stands_on(mode: str) -> None:
    light, dark = str(templates.read_asset("report.css")).split("@media (prefers-color-scheme: dark)")
    named = colours(light if mode == "light" else dark.split("\n}\n")[0])
    pairs = [
        *((name, ground) for name in ("ink", "soft", "bad", "good", "warn", "after") for ground in ("paper", "wash")),
        *((name, f"{name}-wash") for name in ("bad", "good", "warn")),
        *(("ink", f"{name}-wash") for name in ("bad", "good", "warn")),
    ]
    assert {
        (a, b): round(contrast(named[a], named[b]), 2) for a, b in pairs if contrast(named[a], named[b]) < 4.5
    } == {}
    assert contrast(named["before"], named["paper"]) >= 3


def group_of(situation: str, slug: str) -> groups.CaseGroup:
    section = page.build_page(report_situations.SITUATIONS[situation]()).sections[0]
    (result,) = [group for group in section.groups if group.slug == slug]
    return result


def test_what_broke_is_read_first_and_open_and_critical_before_the_rest() -> None:
    report_page = page.build_page(
        report(comparison(many(right=40, broken=10, fixed=2) + "\nvip* | Hi | yes | yes | no"))
    )
    assert [group.slug for group in report_page.sections[0].groups] == ["broken", "fixed", "right"]
    broken, *others = report_page.sections[0].groups
    assert broken.open
    assert broken.details[0].case.id == "vip"
    opened = [case_highlights.find_cause(detail.case) for detail in broken.details if detail.open]
    assert set(opened) == {case_highlights.find_cause(detail.case) for detail in broken.details}
    assert len(opened) == len(set(opened)) <= groups.OPEN_CASES_PER_GROUP
    assert not any(group.open for group in others)


def test_new_and_changed_cases_stand_apart_from_the_comparison() -> None:
    assert {d.case.change for d in group_of("shrunk_and_loosened_goldens", "apart").details} == {"changed", "new"}


def test_cases_with_lower_marks_are_shown_though_they_did_not_break() -> None:
    case_group = group_of("graded_with_repeats", "lower")
    assert (case_group.size, case_group.open) == (24, True)
    falls = [d.case.head.score - d.case.base.score for d in case_group.details if d.case.head and d.case.base]  # type: ignore[operator]  # graded
    assert falls == sorted(falls)
    assert "right → right, score 0.8 → 0.5" in report_situations.page("graded_with_repeats")


def test_cases_with_higher_marks_stand_apart() -> None:
    view = report(comparison("a | Hi | yes | fine {0.6} | better {0.9}\nb | Hi | yes | a {0.7} | b {0.7}", kind="llm"))
    assert [group.slug for group in page.build_page(view).sections[0].groups] == ["higher", "right"]


def test_an_assertion_that_holds_is_marked_as_such_beside_a_wrong_answer() -> None:
    view = report_situations.SITUATIONS["regressed"]()
    (prompt,) = view.prompts
    cases = list(prompt.case_details)
    position, broken = next((i, case) for i, case in enumerate(cases) if case.outcome == "broken")
    assert broken.head is not None
    held = broken.head.marks[0].model_copy(update={"name": "has-a-number", "passed": True, "score": 1.0})
    answer = broken.head.model_copy(update={"marks": [*broken.head.marks, held]})
    cases[position] = broken.model_copy(update={"head": answer})
    shown = html_renderer.render_page(
        view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": cases})]})
    )
    before_mark = shown[: shown.index("<strong>has-a-number</strong>")]
    assert before_mark[before_mark.rindex("<li") :].startswith('<li class="good">')
    assert before_mark[before_mark.rindex('<div class="answer') :].startswith('<div class="answer bad">')
    # The colour of an answer reaches its own icon alone, not those of the assertions within it.
    colours = re.findall(r"^(\.answer[^{]*\.icon) \{", templates.read_asset("report.css"), re.MULTILINE)
    assert colours
    assert all(".who" in selector for selector in colours)


def test_a_new_prompt_has_failing_and_passing_cases() -> None:
    assert (group_of("new_prompt", "failing").size, group_of("new_prompt", "passing").size) == (5, 25)


def test_cases_without_an_answer_stand_apart() -> None:
    assert group_of("some_answers_failed", "missing").size == 1
    assert group_of("all_answers_failed", "missing").size == 8


def test_the_words_that_differ_are_marked_on_both_sides() -> None:
    view = report(comparison("a | Hi | It is 4711. | It is 4711. | It is 4712."))
    text = html_renderer.render_page(view)
    assert '<pre dir="auto">It is <del>4711</del>.</pre>' in text
    assert '<pre dir="auto">It is <ins>4712</ins>.</pre>' in text


def test_repeated_answers_say_how_often_they_were_right() -> None:
    results = [case_outcomes.describe_result(rate) for rate in (None, 0.0, 1.0, 2 / 3)]
    assert results == ["missing", "wrong", "right", "right 66.7% of the time"]


def test_a_long_answer_is_cut_and_its_length_said() -> None:
    text = html_renderer.render_page(report(comparison(f"a | Hi | yes | yes | {'long ' * 2000}no")))
    assert "Cut here. All 10,002 characters" in text
    assert "long " * (MAX_ANSWER_CHARS // 5 + 1) not in text


def test_on_paper_both_answers_show_where_they_differ_and_the_reason() -> None:
    same = "The parcel leaves the centre on Monday. " * 20
    view = report(comparison(f"a | Hi | {same}Order HB-1. {same} | {same}Order HB-1. {same} | {same}{same}"))
    text = html_renderer.render_page(view)
    on_paper = re.sub(r'<span class="screen">.*?</span>', "", text)
    before, after = re.findall(r'<pre dir="auto">(.*?)</pre>', on_paper)[2:]
    assert "(first 780 characters are equal)" in before
    assert "<del>Order HB-1. </del>" in before
    assert len(before) < 400
    assert "HB-1" not in after
    assert "more characters, equal)" in after
    assert '<li class="bad cause">' not in text  # the expectation above says as much


def test_a_group_counts_the_cases_that_are_not_printed_and_those_with_a_mistake_of_their_own() -> None:
    group = group_of("regressed", "broken")
    assert group.not_on_paper == group.size - 8
    assert group.own_causes + sum(cause.cases for cause in group.causes) == group.size


def test_a_warning_names_removed_and_loosened_cases() -> None:
    text = report_situations.page("shrunk_and_loosened_goldens")
    assert "The goldens changed in the same pull request." in text
    assert "Removed, critical: <code>vip-1</code>." in text
    assert "Removed: <code>vip-2</code>." in text


def large(cases: int, length: int, payload: str = "lorem <b>ipsum</b> & “dolor” ") -> ReportView:
    view = report(comparison(many(right=2)))
    (prompt,) = view.prompts
    case = prompt.case_details[0]
    assert case.base is not None
    answer = case.base.model_copy(update={"text": (payload * (length // len(payload) + 1))[:length]})
    details = [
        case.model_copy(update={"id": f"case-{i:06}", "base": answer, "head": answer, "input": payload})
        for i in range(cases)
    ]
    return view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": details, "cases": cases})]})


def test_of_many_cases_the_first_are_shown_in_full_the_next_as_lines_and_all_are_counted() -> None:
    (group,) = page.build_page(large(1200, 100)).sections[0].groups
    shown = (len(group.details), len(group.lines), group.left_out)
    assert shown == (MAX_DETAILS, MAX_LINES, 1200 - MAX_DETAILS - MAX_LINES)
    assert group.size == 1200


MAX_BYTES = 700_000
"""Size of a page in these tests; the frame takes a third of it."""


@pytest.mark.long
def test_hostile_length_does_not_pass_the_limit() -> None:
    text = html_renderer.render_page(large(100, 20_000, payload="\"'<>&\u202e"), max_bytes=MAX_BYTES)
    assert 300_000 < len(text.encode()) < MAX_BYTES


def test_ids_that_would_fill_the_page_are_left_out_and_counted() -> None:
    view = large(2000, 10)
    prompt = view.prompts[0]
    named = [
        case.model_copy(update={"id": f"{i}{hashlib.sha256(bytes([i % 256])).hexdigest()}" * 3})
        for i, case in enumerate(prompt.case_details)
    ]
    view = view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": named})]})
    text = html_renderer.render_page(view, max_bytes=300_000)
    assert len(text.encode()) < 300_000
    assert "further cases in <code>report.json</code>" in text
    assert 'href="#cases"' not in text  # there was no space for a table either


@pytest.mark.long
def test_out_report_50k_cases_100MB() -> None:  # noqa: N802 - the case has this name
    assert len(html_renderer.render_page(large(50_000, 1000)).encode()) < 20_000_000


def test_a_diff_of_any_length_has_an_end() -> None:
    view = report_situations.SITUATIONS["regressed"]()
    prompt = view.prompts[0]
    line = prompt.diff[1].model_copy(update={"text": "<" * 10_000})
    view = view.model_copy(update={"prompts": [prompt.model_copy(update={"diff": [line] * 300})]})
    text = html_renderer.render_page(view, max_bytes=MAX_BYTES)
    assert len(text.encode()) < MAX_BYTES
    assert re.search(r"[\d,]+ more lines in <code>report.json</code>", text)


def test_failing_prompts_get_their_room_before_passing_ones() -> None:
    passing = large(700, 500).prompts[0].model_copy(update={"verdict": "pass"})
    failing = report_situations.SITUATIONS["regressed"]().prompts[0]
    view = report_situations.SITUATIONS["regressed"]().model_copy(update={"prompts": [passing, failing]})
    first, second = page.build_page(view, max_bytes=390_000).sections
    assert (first.prompt.verdict, second.prompt.verdict) == ("pass", "fail")
    assert sum(group.left_out for group in second.groups) == 0
    (right,) = first.groups
    assert len(right.details) < MAX_DETAILS
    assert len(right.lines) < MAX_LINES


def test_the_page_is_whole_without_its_script() -> None:
    text = report_situations.page("regressed")
    without = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    shown = " ".join(" ".join(read(without).text).split())
    view = report_situations.SITUATIONS["regressed"]()
    assert " ".join(re.findall(r"\w+", view.headline.lower())) in " ".join(re.findall(r"\w+", shown.lower()))
    for case in view.prompts[0].case_details:
        assert case.id in shown
    assert "needs a script" in shown
