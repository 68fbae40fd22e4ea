"""The comment: fits, is cut by whole sections in a fixed order, and nothing of others in it is alive."""

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from support.daily import first_daily, some_daily
from support.hostile_payloads import XSS, planted, rich
from support.report_situations import HOSTILE, SITUATIONS
from support.run_notation import comparison, many, report

from promptci.report.markdown import highlights, markdown_renderer
from promptci.report.model.report import ReportView
from promptci.report.text.cases import answer_difference

MARKER = "<!-- promptci:prompts -->"
LINK = "https://github.com/acme/shop/actions/runs/77"
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = re.compile(r"<!-- promptci:prompts -->|</?details(?: open)?>|</?summary>|</?sub>")
LIVE = re.compile(r"@\w|#\d|GH-\d|https?://|www\.\w", re.IGNORECASE)
PAYLOADS = [
    *XSS,
    HOSTILE.replace("\ud800", ""),
    "@everyone",
    "fixes #1",
    "GH-2",
    "octo/repo#3",
    "https://evil.example",
    "www.evil.example",
    "![i](https://evil.example/i.png)",
    "[l](https://evil.example)",
    "<https://evil.example>",
    "<!-- promptci:prompts -->",
    "```\n</details>\n@everyone",
    "~~~",
    "a | b \\| c",
    "\n\n# heading\n\n- item",
    "&#64;everyone &#35;1",
]


def tokens(text: str) -> list[Token]:
    return [token for top in PARSER.parse(text) for token in (top, *(top.children or []))]


def full(view: ReportView) -> str:
    return markdown_renderer.render_comment(view, MARKER, LINK)


@pytest.mark.parametrize("payload", some_daily(PAYLOADS, 12))
def test_nothing_of_a_payload_in_any_field_is_alive(payload: str) -> None:
    view = planted(rich(), payload)
    for text in (
        full(view),
        markdown_renderer.render_short_comment(view, MARKER, LINK),
        markdown_renderer.render_summary(view),
    ):
        for token in tokens(text):
            if token.type in ("html_block", "html_inline"):
                rest = OURS.sub("", token.content)
                assert "<" not in rest
                assert not LIVE.search(rest.replace("&#", ""))
            elif token.type == "link_open":
                assert token.attrs["href"] == LINK
            elif token.type == "text":
                assert not LIVE.search(token.content)
            assert token.type != "image"


@pytest.mark.parametrize("payload", some_daily(PAYLOADS, 12))
def test_a_payload_does_not_change_how_the_comment_is_built(payload: str) -> None:
    view = rich()
    harmless, hostile = (
        [token.type for token in PARSER.parse(full(planted(view, text))) if token.type != "inline"]
        for text in ("x" * len(payload), payload)  # a long headline is cut into two
    )
    assert hostile == harmless


def test_our_marker_stands_once_and_first_however_often_it_is_quoted() -> None:
    text = full(planted(SITUATIONS["regressed"](), MARKER))
    assert text.startswith(MARKER + "\n")
    assert text.count(MARKER) == 1


def test_without_marker_and_link_there_is_neither() -> None:
    text = markdown_renderer.render_comment(SITUATIONS["regressed"]())
    assert text.startswith("### ❌ Blocked")
    assert "<!--" not in text
    assert "](" not in text


def test_the_link_cannot_leave_its_brackets() -> None:
    text = markdown_renderer.render_comment(SITUATIONS["all_same"](), None, "https://x.example/a>(b)[c] <b>\n@d")
    links = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert links == ["https://x.example/a%3E%28b%29%5Bc%5D%20%3Cb%3E%0A@d"]
    assert "<b>" not in text


def check_that_texts_fit(view: ReportView) -> tuple[str, str]:
    """Return the comment and the summary."""
    text, summary = full(view), markdown_renderer.render_summary(view)
    assert len(text.encode()) <= markdown_renderer.MAX_COMMENT_BYTES
    assert len(summary.encode()) <= markdown_renderer.MAX_SUMMARY_BYTES
    assert text.splitlines()[1].startswith("### ")
    assert LINK in text
    return text, summary


@pytest.mark.parametrize("situation", some_daily([name for name in SITUATIONS if name != "text_too_long"], 14))
def test_every_comment_fits_and_keeps_verdict_and_link(situation: str) -> None:
    check_that_texts_fit(SITUATIONS[situation]())


def test_what_is_shortened_fits_too_and_a_summary_says_more_than_the_comment() -> None:
    text, summary = check_that_texts_fit(SITUATIONS["text_too_long"]())
    assert len(summary) > len(text)


def huge(prompts: int, cases: int, answer: str) -> ReportView:
    rows = "\n".join(f"m-{i} | {answer} | {i} | {i} | {answer}" for i in range(cases))
    failing = [comparison(rows, name=f"failing-{i}") for i in range(prompts)]
    passing = [comparison(many(right=60, fixed=3), name=f"passing-{i}") for i in range(prompts)]
    return report(*failing, *passing)


@pytest.mark.parametrize(
    ("prompts", "cases", "answer"),
    first_daily(
        [(1, 5, "x"), (2, 40, "long " * 100), (5, 60, "long " * 400), (60, 12, "long " * 30), (3, 60, "😀" * 2000)], 3
    ),
)
def test_a_comment_of_any_size_fits_and_all_it_opens_is_closed(prompts: int, cases: int, answer: str) -> None:
    text = full(huge(prompts, cases, answer))
    assert len(text.encode()) <= markdown_renderer.MAX_COMMENT_BYTES
    for tag in ("details", "summary", "sub"):
        assert text.count(f"<{tag}>") == text.count(f"</{tag}>")
    assert text.endswith("<sub>promptci 0.1.0</sub>\n")
    fences = [token for token in tokens(text) if token.type == "fence"]
    assert all("### " not in fence.content for fence in fences)


def sections(text: str) -> dict[str, bool]:
    return {
        "passing": "✅ `passing-0`:" in text,
        "fixed": "<summary>Cases right more often than before</summary>" in text,
        "costs": "<summary>Cost and latency</summary>" in text,
        "broken": "broken case" in text,
    }


@pytest.mark.long
def test_sections_go_in_a_fixed_order_and_what_went_is_said() -> None:
    seen: list[dict[str, bool]] = []
    for prompts in range(2, 40, 2):
        text = full(huge(prompts, 8, "long " * 150))
        present = sections(text)
        if present not in seen:
            seen.append(present)
        for name, message in (("passing", "passing prompts"), ("fixed", "fixed cases"), ("costs", "cost and latency")):
            assert ("Left out to fit: " in text and message in text.split("Left out to fit: ")[1]) != present[name]
    order = ["passing", "fixed", "costs", "broken"]
    for present in seen:
        kept = [present[name] for name in order]
        assert kept == sorted(kept)
    assert len(seen) > 1


def test_when_nothing_longer_fits_the_verdict_and_the_link_are_left() -> None:
    view = SITUATIONS["regressed"]()
    notes = ["long " * 5000] * 20
    problems = [reason.model_copy(update={"text": "long " * 5000}) for reason in view.prompts[0].findings] * 20
    view = view.model_copy(update={"notes": notes, "problems": problems, "headline": "€" * 100_000})
    text = full(view)
    assert len(text.encode()) <= markdown_renderer.MAX_COMMENT_BYTES
    assert text.startswith(f"{MARKER}\n### ❌ €€€")
    assert LINK in text


def test_the_short_comment_is_short_whatever_the_headline() -> None:
    view = SITUATIONS["regressed"]().model_copy(update={"headline": "\u202e<@" * 10_000})
    assert len(markdown_renderer.render_short_comment(view, MARKER, LINK).encode()) < 20_000


def test_a_summary_that_nothing_can_shorten_is_the_verdict_alone() -> None:
    view = SITUATIONS["regressed"]()
    assert markdown_renderer.render_summary(view, max_bytes=500) == markdown_renderer.render_short_comment(view)


@pytest.mark.parametrize("field", ["headline", "pooled"])
def test_a_summary_fits_however_long_a_text_is(field: str) -> None:
    view = SITUATIONS["regressed"]().model_copy(update={field: "€ " * 1_000_000})
    assert len(markdown_renderer.render_summary(view).encode()) < 100_000


def test_a_case_shows_what_it_has() -> None:
    case = SITUATIONS["regressed"]().prompts[0].case_details[0]
    bare = case.model_copy(update={"expected": None, "head": None})
    assert [line.split()[0] for line in highlights.render_case(bare, 800).splitlines()[1:-1]] == ["input", "before"]


def test_two_answers_stand_as_a_diff_and_the_same_answer_twice_does_not() -> None:
    def signs(row: str) -> list[str]:
        (case,) = report(comparison(row)).prompts[0].case_details
        return [line[:1] for line in highlights.render_case(case, 800).splitlines()[1:-1]]

    assert signs("a | Hi | yes | yes | no⏎and no") == [" ", " ", "-", "+", "+"]
    assert signs("a | Hi | yes | no | no") == [" ", " ", " ", " "]


def test_what_is_wrong_is_said_unless_the_expectation_says_it_already() -> None:
    rows = "a | Hi | yes | yes | no"
    assert "why       contains: " in full(report(comparison(rows, kind="contains")))
    assert all("why " not in full(report(comparison(rows, kind=kind))) for kind in ("equals", "one-of"))


def test_an_answer_cannot_pass_itself_off_as_another_one() -> None:
    view = report(comparison("a | Hi | yes | yes | no⏎after     yes⏎before    no"))
    (block,) = [token.content for token in tokens(full(view)) if token.type == "fence"]
    names = [line[2:12].strip() for line in block.splitlines()]
    assert names == ["input", "expected", "before", "after", "", ""]


def test_the_reader_sees_broken_cases_first_and_critical_ones_before_the_rest() -> None:
    text = full(report(comparison(many(right=30, broken=8) + "\nvip* | Hi | yes | yes | no")))
    assert text.index("`vip` (critical)") < text.index("`mail-01`")
    assert text.index("`mail-04`") < text.index("…and 4 more in the report.")
    assert "`mail-05`" not in text


def test_a_comment_shows_five_cases_folded_and_a_summary_opens_all_it_has_room_for() -> None:
    view = SITUATIONS["regressed"]()
    text, summary = full(view), markdown_renderer.render_summary(view)
    assert (text.count("```diff"), summary.count("```diff")) == (5, 27)
    assert "<details>\n<summary>❌ order-extractor: 27 broken cases, right before and wrong after</summary>" in text
    assert "<details open>\n<summary>❌ order-extractor: 27 broken cases" in summary


def test_what_is_read_first_is_short() -> None:
    """Verdict, one line a prompt, the worst case and the next step: what stands open is read in ten seconds."""
    for situation, words in (("regressed", 120), ("several_prompts", 225), ("all_same", 85)):
        text = re.sub(r"<details>.*?</details>|```diff.*?```", "", full(SITUATIONS[situation]()), flags=re.DOTALL)
        text = text.replace(MARKER, "").replace(f"(<{LINK}>)", "")  # nobody reads these
        assert len(re.findall(r"[A-Za-z]{2,}", text)) < words


def test_a_passing_prompt_adds_to_the_headline_and_does_not_repeat_it() -> None:
    text = full(SITUATIONS["all_same"]())
    assert text.count("60 of 60 cases passed before") == 1
    assert "\n- 0 got worse and 0 better of 60 pairs. The pass rate did not fall by the margin of 5 points" in text


def test_the_comment_says_how_to_see_the_same_on_a_laptop() -> None:
    assert "`promptci check --base 1a2b3c4 --head 5d6e7f8`" in full(SITUATIONS["regressed"]())
    for situation in ("no_prompts_changed", "all_same"):
        assert "promptci check" not in full(SITUATIONS[situation]())


def test_how_often_was_asked_stands_with_how_it_was_decided() -> None:
    text = full(SITUATIONS["graded_with_repeats"]())
    assert text.index("Each version answered each case 4 times") > text.index("<summary>How this was decided</summary>")


def test_lower_marks_are_shown_where_nothing_broke() -> None:
    text = full(SITUATIONS["graded_with_repeats"]())
    assert "<summary>❌ order-extractor: 24 cases with a lower score than before</summary>" in text
    assert "score     0.5, helpful: judge said so" in text


def test_a_problem_that_the_headline_says_is_not_said_twice() -> None:
    assert full(SITUATIONS["budget_reached"]()).count("the budget of \\$0.05 (`run.budget_usd`) is spent") == 1


def test_missing_answers_are_counted_where_a_verdict_was_reached() -> None:
    assert (
        "121 of 122 answers evaluated, 60 pairs compared"
        in full(SITUATIONS["some_answers_failed"]()).split("<details>")[0]
    )


def test_unanswered_cases_are_shown_by_a_few() -> None:
    text = full(SITUATIONS["budget_reached"]())
    assert text.count("(no answer) server: the budget is spent") == 2 * 3
    assert "…and 20 more in the report." in text


def test_many_prompts_are_counted_beyond_the_table() -> None:
    view = report(*(comparison("", name=f"p-{i}", missing_goldens=True) for i in range(130)))
    assert "…and 30 more prompts." in full(view)
    assert "p-129" in markdown_renderer.render_summary(view)


def test_long_answers_are_cut_around_their_first_difference() -> None:
    same = "The same long introduction. " * 100
    view = report(comparison(f"a | Hi | yes | {same}It is yes | {same}It is no"))
    block = highlights.render_case(view.prompts[0].case_details[0], 400)
    assert "It is yes" in block
    assert "It is no" in block
    assert "characters are equal" in block


def test_json_answers_are_compared_by_path() -> None:
    lines = list(
        answer_difference.changed_json_paths(
            '{"a": {"b": [1, 2]}, "c": 1}', '{"a": {"b": [1, 3]}, "c": true, "d": "x"}'
        )
    )
    assert lines == ["$.a.b[1]: 2 → 3", "$.c: 1 → true", '$.d: (absent) → "x"']
    assert list(answer_difference.changed_json_paths("no JSON", "[1]")) == []


def test_deeply_nested_json_is_compared_without_an_error() -> None:
    deep = "[" * 400 + "]" * 400
    assert list(answer_difference.changed_json_paths(deep, deep)) == []


def test_the_comment_names_the_models_that_were_asked() -> None:
    view = SITUATIONS["regressed"]()
    (prompt,) = view.prompts
    sides = {
        side: getattr(prompt, side).model_copy(update={"model_requested": model})
        for side, model in (("base", "gpt-4o"), ("head", "gpt-4o-mini"))
    }
    changed = view.model_copy(update={"prompts": [prompt.model_copy(update=sides)]})
    assert f"answered by `gpt-4o` before and `gpt-4o-mini` after at `{view.provider}`" in full(changed)
