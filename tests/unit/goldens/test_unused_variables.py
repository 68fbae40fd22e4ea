from typing import Any

import pytest

from promptci.goldens.checks.unused_variables import find_unused_variables
from promptci.goldens.model import Assertion, Case


@pytest.mark.parametrize(
    ("values", "assertions", "hints"),
    [
        ({"input": "a", "custmer": "Ann"}, (), ["Did you mean `customer`?"]),
        ({"input": "a", "note": "x"}, (), ["Rename it as the prompt has it, or remove it."]),
        ({"input": "a", "note": "x"}, (Assertion(type="equals", value="{{note}}"),), []),
        ({"input": "a", "note": "x"}, (Assertion(type="judge"),), []),
        ({"input": "a", "note": "x", "customer": "Ann"}, (), []),
        ({"input": "a", "note": "x", "customer.name": "Ann"}, (), []),
        ({"input": "a"}, (), []),
    ],
)
def test_an_unused_variable_is_named_where_the_prompt_asks_for_another(
    values: dict[str, Any], assertions: tuple[Assertion, ...], hints: list[str]
) -> None:
    cases = [Case(id="a", vars=values, assertions=assertions, path="goldens/p.csv", line=2)]
    problems = list(find_unused_variables(cases, {"input", "customer"}))
    assert [problem.hint for problem in problems] == hints
    assert all(problem.line == 2 for problem in problems)
