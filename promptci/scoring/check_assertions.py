"""Validate the assertions of all cases before any model is asked."""

from collections.abc import Iterable

from promptci.errors import Problem
from promptci.goldens.model import Assertion, Case
from promptci.prompts.render import MissingVariable
from promptci.scoring import embedding_similarity
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Validator
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.scoring.judges import judge

ALL_ASSERTIONS: dict[str, Validator] = {
    **ASSERTIONS,
    **judge.JUDGE_ASSERTIONS,
    embedding_similarity.ASSERTION_TYPE: embedding_similarity,
}


def find_problems(cases: Iterable[Case]) -> list[Problem]:
    """Return every problem, with the line of its case."""
    problems = []
    for case in cases:
        if not case.assertions:
            message = f"case `{case.id}` has neither `expected` nor `assert`"
            hint = "Add `expected`, or an assertion."
            problems.append(Problem(path=case.path, line=case.line, message=message, hint=hint))
        elif not any(assertion.weight > 0 for assertion in case.assertions):
            message = f"every assertion of case `{case.id}` has weight 0, so every answer would pass"
            hint = "Set the weight of at least one above 0."
            problems.append(Problem(path=case.path, line=case.line, message=message, hint=hint))
        for assertion in case.assertions:
            problems += _find_assertion_problems(assertion, case)
    return problems


def _find_assertion_problems(assertion: Assertion, case: Case) -> list[Problem]:
    def problem(message: str, hint: str) -> Problem:
        return Problem(path=case.path, line=assertion.line or case.line, message=message, hint=hint)

    validator = ALL_ASSERTIONS.get(assertion.type)
    if validator is None:
        message = f"case `{case.id}`: unknown assertion type {base.quote(assertion.type)}"
        return [problem(message, base.suggest_name(assertion.type, ALL_ASSERTIONS))]
    where = f"case `{case.id}`, assertion {_describe(assertion)}"
    unknown = [str(name) for name in assertion.options if name not in validator.OPTIONS]
    if unknown:
        return [
            problem(f"{where}: unknown option {base.quote(name)}", base.suggest_name(name, validator.OPTIONS))
            for name in unknown
        ]
    try:
        error = validator.validate(assertion, case)
    except MissingVariable as missing:
        error = f"the case has no variable `{missing.name}`"
    return [] if error is None else [problem(f"{where}: {error}", "Fix the assertion, or remove it.")]


def _describe(assertion: Assertion) -> str:
    """Name the assertion as its author wrote it: an evaluator of a prompt file by its own name."""
    return f"`{assertion.type}`" + (f" {base.quote(assertion.name)}" if assertion.name else "")
