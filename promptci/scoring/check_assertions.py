"""Find everything wrong with the assertions of the cases before anything is asked."""

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
    """Give every problem, with the line of the case."""
    found = []
    for case in cases:
        if not case.assertions:
            what = f"case `{case.id}` has neither `expected` nor `assert`"
            found.append(Problem(path=case.path, line=case.line, message=what, hint="Say what a right answer is."))
        elif not any(assertion.weight > 0 for assertion in case.assertions):
            what = f"every assertion of case `{case.id}` has weight 0, so every answer would pass"
            found.append(Problem(path=case.path, line=case.line, message=what, hint="Give one of them a weight."))
        for assertion in case.assertions:
            found += _find_assertion_problems(assertion, case)
    return found


def _find_assertion_problems(assertion: Assertion, case: Case) -> list[Problem]:
    line = assertion.line or case.line
    where = f"case `{case.id}`, assertion `{assertion.type}`"
    checker = ALL_ASSERTIONS.get(assertion.type)
    if checker is None:
        what = f"case `{case.id}`: there is no assertion {base.quote(assertion.type)}"
        return [
            Problem(path=case.path, line=line, message=what, hint=base.suggest_name(assertion.type, ALL_ASSERTIONS))
        ]
    unknown = [str(name) for name in assertion.options if name not in checker.OPTIONS]
    if unknown:
        return [
            Problem(
                path=case.path,
                line=line,
                message=f"{where}: unknown option {base.quote(name)}",
                hint=base.suggest_name(name, checker.OPTIONS),
            )
            for name in unknown
        ]
    try:
        wrong = checker.validate(assertion, case)
    except MissingVariable as missing:
        wrong = f"the case has no variable `{missing.name}`"
    if wrong is None:
        return []
    return [Problem(path=case.path, line=line, message=f"{where}: {wrong}", hint="Mend the assertion, or take it out.")]
