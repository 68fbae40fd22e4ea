"""One case on a terminal: its input, the answer before and after with the differing words marked, and why. Pure."""

from collections.abc import Iterator, Sequence
from itertools import islice

from promptci.present import escape, formatting, word_diff
from promptci.present.word_diff import TextPiece
from promptci.report.model.report import AnswerView, CaseView, PromptView
from promptci.report.terminal.styled_text import Style, StyledLine, StyledPiece, line
from promptci.report.text import number_text
from promptci.report.text.cases import answer_difference, answer_excerpt
from promptci.report.text.cases.case_outcomes import describe_case
from promptci.scoring.assertions.lookalikes import LOOK_ALIKE

MAX_TEXT_CHARS = 320
"""Characters of an input, an expectation or an answer."""
MAX_MARKS = 3
NAME_WIDTH = 10
SIGN_WIDTH = 2


def describe_case_lines(case: CaseView, prompt: PromptView, indent: int) -> Iterator[StyledLine]:
    """Yield a case: a line with its name and what became of it, and below it what was asked and answered."""
    pieces = [StyledPiece(text=describe_case(case, prompt), style="strong")]
    if case.critical:
        pieces.append(StyledPiece(text=" · critical", style="bad"))
    if case.flaky:
        pieces.append(StyledPiece(text=" · flaky", style="warn"))
    yield StyledLine(pieces=tuple(pieces), indent=indent, hang=2)
    yield _row("input", [StyledPiece(text=_shorten(case.input))], indent)
    if case.expected is not None:
        yield _row("expected", [StyledPiece(text=_shorten(case.expected))], indent)
    yield from _answers(case, indent)
    yield from _reasons(case, indent)


def _answers(case: CaseView, indent: int) -> Iterator[StyledLine]:
    after = _answer_text(case.head)
    if case.base is None:
        yield _row("answer", [StyledPiece(text=_shorten(after), style="added")], indent)
        return
    before = _answer_text(case.base)
    if before == after:
        yield _row("answer", [StyledPiece(text=_shorten(after))], indent)
        return
    if paths := list(islice(answer_difference.changed_json_paths(before, after), MAX_MARKS)):
        for path in paths:
            yield _row("changed", [StyledPiece(text=escape.one_line(path))], indent)
    texts = [_shorten(text) for text in answer_excerpt.clip_around_differences(before, after, MAX_TEXT_CHARS)]
    left, right = word_diff.mark_differences(*texts)
    yield _row("before", _style(left, "removed", "removed-words"), indent, "-")
    yield _row("after", _style(right, "added", "added-words"), indent, "+")


def _style(pieces: Sequence[TextPiece], plain: Style, marked: Style) -> list[StyledPiece]:
    return [StyledPiece(text=piece.text, style=marked if piece.differs else plain) for piece in pieces]


def _reasons(case: CaseView, indent: int) -> Iterator[StyledLine]:
    """Yield which assertions failed; one that repeats the expectation is left out, unless the texts look alike."""
    answer = case.head
    failed = [mark for mark in answer.marks if mark.passed is False or _is_partial(mark.score)] if answer else []
    shown = [
        mark for mark in failed if LOOK_ALIKE in mark.reason or not answer_difference.repeats_expectation(mark, case)
    ]
    for mark in shown[:MAX_MARKS]:
        score = f" ({formatting.number(mark.score)})" if _is_partial(mark.score) else ""
        yield _row("why", [StyledPiece(text=_shorten(f"{mark.name}{score}: {mark.reason}"))], indent)


def _is_partial(score: float | None) -> bool:
    return score is not None and 0 < score < 1


def _row(name: str, pieces: Sequence[StyledPiece], indent: int, sign: str = "") -> StyledLine:
    label = StyledPiece(text=f"{sign:{SIGN_WIDTH}}{name:{NAME_WIDTH}}", style="muted")
    return StyledLine(pieces=(label, *pieces), indent=indent, hang=SIGN_WIDTH + NAME_WIDTH)


def _shorten(text: str) -> str:
    return escape.shorten(escape.one_line(text), MAX_TEXT_CHARS)


def _answer_text(answer: AnswerView | None) -> str:
    if answer is None or answer.text is None:
        return f"(no answer) {answer.error or '' if answer else ''}".rstrip()
    return answer.text or "(empty)"


def verdict_line(verdict: str, headline: str) -> StyledLine:
    """Return the first line of a run: the verdict and its headline, without first words that say the same."""
    return line(f"{verdict}: {number_text.split_lead(headline)[1]}", VERDICT_STYLES[verdict], hang=2)


VERDICT_STYLES: dict[str, Style] = {
    "pass": "good",
    "no-change": "good",
    "inconclusive": "warn",
    "fail": "bad",
    "error": "bad",
}
