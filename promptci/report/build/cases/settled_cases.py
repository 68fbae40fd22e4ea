"""Cut long texts of cases that passed where a run is large: nobody reads ten thousand, and the journal has them all."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate

from promptci.redact import Redactor
from promptci.report.model.report import AnswerView, CaseView, MarkView
from promptci.scoring.prompt_run import PromptRun
from promptci.wording import short_digest

MAX_TEXT_CHARS = 8_000_000
"""Characters of all inputs and answers of a run; with more, the long texts of settled cases are cut.

That is 2,000 cases of 3,000 characters with answers of 1,000, more than anyone reads one by one.
"""
KEPT_CHARS = 40
CUT_NOTE = (
    "The run is large, so long texts of cases that passed are cut in the report. The goldens at these commits and the"
    " journal have them in full, under the id of the case. `report.full_texts: true` keeps them here."
)
_MARK_CHARS = 54
"""A text that is longer by less than this would not become shorter."""


def is_large(runs: Iterable[PromptRun]) -> bool:
    """Return whether inputs and answers of a run are so many characters that texts of settled cases are cut."""
    return any(size > MAX_TEXT_CHARS for size in accumulate(_text_sizes(runs)))


def _text_sizes(runs: Iterable[PromptRun]) -> Iterator[int]:
    for run in runs:
        for paired in run.cases:
            yield sum(len(value) for value in paired.case.vars.values() if isinstance(value, str))
            for scored in (*paired.base, *paired.head):
                yield len(scored.answer.completion.text) if scored.answer.completion is not None else 0


def shorten_case(case: CaseView, redactor: Redactor) -> CaseView:
    """Return a settled case with its long texts cut, and any other case as it is.

    Secrets are replaced before a text is cut: in one that was cut in two they would not be found.
    """
    if not _is_settled(case):
        return case
    update: dict[str, object] = {"input": _cut(case.input, redactor)}
    if case.expected is not None:
        update["expected"] = _cut(case.expected, redactor)
    for side in ("base", "head"):
        answer: AnswerView | None = getattr(case, side)
        if answer is not None and answer.text is not None:
            text, marks = _cut(answer.text, redactor), [_shorten_mark(mark, redactor) for mark in answer.marks]
            update[side] = answer.model_copy(update={"text": text, "marks": marks})
    return case.model_copy(update=update)


def _shorten_mark(mark: MarkView, redactor: Redactor) -> MarkView:
    reason = _cut(mark.reason, redactor)
    return mark if reason == mark.reason else mark.model_copy(update={"reason": reason})


def _is_settled(case: CaseView) -> bool:
    """Return whether nothing about a case calls for a look: all answers passed, and no judge marked them."""
    answers = [answer for answer in (case.base, case.head) if answer is not None]
    unremarkable = not (case.critical or case.flaky or case.excluded_reason)
    rates = (case.base_pass_rate, case.head_pass_rate)
    return (
        unremarkable
        and all(rate in (None, 1) for rate in rates)
        and all(answer.passed and not answer.flags for answer in answers)
        and all(mark.passed and mark.judge is None for answer in answers for mark in answer.marks)
    )


@lru_cache(maxsize=8)  # what was expected is often what was answered, by both versions
def _cut(text: str, redactor: Redactor) -> str:
    """Return the beginning of a long text, its length, and the first digits of its SHA-256 by which it can be found.

    Equal texts stay equal, and different ones differ.
    """
    if len(text) <= KEPT_CHARS + _MARK_CHARS:
        return text
    text = redactor.redact(text)
    digest = short_digest(hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
    return f"{text[:KEPT_CHARS]}… (cut: {len(text):,} characters, sha256 {digest})"
