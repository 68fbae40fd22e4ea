"""Validate the assertions of all cases before any model is asked."""

from collections.abc import Iterable, Iterator

from promptci.config.run_limits import DEFAULT_ASSERTION_TIME_S
from promptci.errors import Problem
from promptci.goldens.model import Assertion, Case
from promptci.prompts.template.render import MAX_MESSAGE_CHARS, MessageTooLong, MissingVariable
from promptci.scoring import case_mistakes, embedding_similarity
from promptci.scoring.assertions import base
from promptci.scoring.assertions.assertion_timer import AssertionTimer
from promptci.scoring.assertions.base import Validator
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.scoring.case_mistakes import CaseMistake
from promptci.scoring.judges import judge

ALL_ASSERTIONS: dict[str, Validator] = {
    **ASSERTIONS,
    **judge.JUDGE_ASSERTIONS,
    embedding_similarity.ASSERTION_TYPE: embedding_similarity,
}

_NO_CODE = "Golden files hold no code here: use `regex`, `json-path`, `json-schema` or `judge`."
OTHER_TOOLS = {
    **dict.fromkeys(
        ("llm-rubric", "g-eval", "factuality", "answer-relevance", "model-graded-closedqa", "model-graded-factuality"),
        "It is called `judge` here, with `judge.model` and `judge.rubric` in promptci.yml.",
    ),
    **dict.fromkeys(("javascript", "python", "ruby", "webhook"), _NO_CODE),
    "meteor": "Use `rouge-n`, `gleu` or `similar`.",
}
"""Assertions of other tools to a hint at what does the same here."""


def find_problems(cases: Iterable[Case], limit_s: float = DEFAULT_ASSERTION_TIME_S) -> list[Problem]:
    """Return every problem, with the line of its case; of the same mistake in many cases, the first ones.

    What takes more processor time than `limit_s` in all is a problem too, and ends the search.
    """
    timer = AssertionTimer(limit_s)
    return case_mistakes.summarize_mistakes(mistake for case in cases for mistake in _find_mistakes(case, timer))


def _find_mistakes(case: Case, timer: AssertionTimer) -> Iterator[CaseMistake]:
    if timer.is_exhausted:
        hint = "Simplify it, or raise the limit."
        yield CaseMistake(case=case, line=case.line, text=f" was not checked: {timer.describe()}", hint=hint)
        return
    if not case.assertions:
        hint = "Add `expected`, or an assertion. To expect the word null, write it in quotes."
        text = " has neither `expected` nor `assert` (null counts as nothing)"
        yield CaseMistake(case=case, line=case.line, text=text, hint=hint)
    elif not any(assertion.weight > 0 for assertion in case.assertions):
        text = ": every assertion has weight 0, so every answer would pass"
        yield CaseMistake(case=case, line=case.line, text=text, hint="Set the weight of at least one above 0.")
    for assertion in case.assertions:
        with timer.measure(assertion, case):
            errors = list(_find_assertion_errors(assertion, case))
        for text, hint in errors:
            yield CaseMistake(case=case, line=assertion.line or case.line, text=text, hint=hint)


def _find_assertion_errors(assertion: Assertion, case: Case) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an assertion, and a hint."""
    validator = ALL_ASSERTIONS.get(assertion.type)
    if validator is None:
        text = f": unknown assertion type {base.quote(assertion.type)}"
        yield text, OTHER_TOOLS.get(assertion.type) or base.suggest_name(assertion.type, ALL_ASSERTIONS)
        return
    where = f", {_describe(assertion)}"
    unknown = [str(name) for name in assertion.options if name not in validator.OPTIONS]
    if unknown:
        for name in unknown:
            yield f"{where}: unknown option {base.quote(name)}", base.suggest_name(name, validator.OPTIONS)
        return
    kind = "evaluator" if assertion.evaluator else "assertion"
    try:
        error = validator.validate(assertion, case)
    except MissingVariable as missing:
        hint = f"Add `{missing.name}` to the case, or remove the {kind}."
        yield f"{where}: the case has no variable `{missing.name}`", hint
    except MessageTooLong:
        text = f"{where}: with its variables filled in, it is longer than {MAX_MESSAGE_CHARS:,} characters"
        yield text, f"Use fewer or shorter variables, or remove the {kind}."
    else:
        if error is not None:
            yield f"{where}: {error}", f"Fix the {kind}, or remove it."


def _describe(assertion: Assertion) -> str:
    """Name the assertion as its author wrote it: an evaluator of a prompt file by its text there."""
    named = assertion.evaluator or assertion.type
    own_name = f" {base.quote(assertion.name)}" if assertion.name and assertion.name != named else ""
    return f"{'evaluator' if assertion.evaluator else 'assertion'} `{named}`{own_name}"
