"""What a terminal shows of a run below its headline: each prompt, the result by both golden sets, broken cases. Pure.

A developer without a browser reads here why a prompt got its verdict; everything else is in the report.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from promptci.present import escape, formatting
from promptci.report.model.report import AnswerView, CaseView, PromptView, ReportView
from promptci.report.text import answer_difference, goldens_text, number_text
from promptci.report.text.case_outcomes import BROKEN, MAX_ID_CHARS, describe_case, rank_case
from promptci.wording import join_names

MAX_CASES = 5
"""Broken cases of one prompt that are shown."""
MAX_ANSWER_CHARS = 160
"""Characters of an answer, on one line."""
MAX_IDS = 10
MAX_NOTES = 5
"""Notes on the run, and on one prompt, that are shown."""


def run_lines(view: ReportView) -> Iterator[str]:
    """Yield the lines below the headline."""
    errors = {prompt.name: _describe_errors(prompt) for prompt in view.prompts}
    repeated = [text for text, times in Counter(filter(None, errors.values())).items() if times > 1]
    for text in repeated:
        names = [prompt.name for prompt in view.prompts if errors[prompt.name] == text]
        yield f"  {join_names(names, MAX_IDS)}: {text}"
    for prompt in view.prompts:
        if errors[prompt.name] not in repeated:
            yield f"  {prompt.name}: {errors[prompt.name] or prompt.sentence}"
            yield from (f"    {line}" for line in (*_notices(prompt), *_goldens(prompt), *_broken_cases(prompt)))
    for problem in view.problems:
        yield f"  {problem.text}"
    yield from (f"  {line}" for line in _notes(view.notes))


def _describe_errors(prompt: PromptView) -> str:
    return " ".join(finding.text for finding in prompt.findings if finding.verdict == "error")


def _notices(prompt: PromptView) -> Iterator[str]:
    """Yield what decides nothing and is easily missed: incomplete answers, and what of the file is not used."""
    yield from (f.text for f in number_text.findings_beyond(prompt, prompt.sentence) if f.rule == "cut-off")
    yield from _notes(prompt.notes)


def _notes(notes: Sequence[str]) -> Iterator[str]:
    yield from (f"note: {escape.one_line(note)}" for note in notes[:MAX_NOTES])
    if len(notes) > MAX_NOTES:
        yield f"and {formatting.count(len(notes) - MAX_NOTES, 'more note')} in the report"


def _goldens(prompt: PromptView) -> Iterator[str]:
    """Yield the results by base's goldens and by the change's own, as page and comment show them."""
    if not goldens_text.has_edits(prompt):
        return
    yield f"The goldens changed in the same pull request. {goldens_text.decided_by(prompt)}"
    for suite in goldens_text.suites(prompt):
        yield f"  by {suite.name}: {suite.sign.word}, {suite.quality}, {suite.cases} cases"
    if advice := goldens_text.advice(prompt):
        yield f"  {advice}"
    for title, ids in (
        ("Removed", prompt.removed_cases),
        ("Other requirements for the same input", prompt.weakened_cases),
    ):
        if ids:
            shown = [escape.shorten(escape.one_line(name), MAX_ID_CHARS) for name in ids]
            yield f"  {title}: {join_names(shown, MAX_IDS)}"


def _broken_cases(prompt: PromptView) -> Iterator[str]:
    if prompt.verdict not in ("fail", "inconclusive"):
        return
    broken = [(case, i) for i, case in enumerate(prompt.case_details) if BROKEN.belongs(case) and _counts(case)]
    broken.sort(key=lambda item: rank_case(*item))
    for case, _ in broken[:MAX_CASES]:
        yield describe_case(case, prompt)
        yield from _answers(case)
    if len(broken) > MAX_CASES:
        yield f"and {formatting.count(len(broken) - MAX_CASES, 'more broken case')} in the report"


def _counts(case: CaseView) -> bool:
    return case.excluded_reason is None


def _answers(case: CaseView) -> Iterator[str]:
    if case.expected is not None:
        yield f"  expected {escape.shorten(escape.one_line(case.expected), MAX_ANSWER_CHARS)}"
    before, after = answer_difference.clip_around_difference(
        _answer_text(case.base), _answer_text(case.head), MAX_ANSWER_CHARS
    )
    for sign, text in (("-", before), ("+", after)):
        yield f"  {sign} {escape.shorten(escape.one_line(text), MAX_ANSWER_CHARS)}"


def _answer_text(answer: AnswerView | None) -> str:
    if answer is None or answer.text is None:
        return f"(no answer) {answer.error or '' if answer else ''}".rstrip()
    return answer.text or "(empty)"
