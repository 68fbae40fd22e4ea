"""`regex`: the pattern matches somewhere in the answer.

The syntax is Python's. A variable in a pattern is escaped: `^Dear {{customer}}` is right for a customer named
`A. (Ann)`. A pattern that takes longer than a second leaves the answer unscored, which is missing data.
"""

import re
import unicodedata
from typing import TYPE_CHECKING

from promptci.goldens.model import Assertion, Case
from promptci.lazy_import import lazy_import
from promptci.prompts.template import render
from promptci.scoring.assertions import base, patterns
from promptci.scoring.assertions.base import CheckOutcome, Subject

if TYPE_CHECKING:
    import regex
else:
    regex = lazy_import("regex")

OPTIONS = frozenset({"ignore_case", "full", "trim"})
_JAVASCRIPT = re.compile(r"/(?P<body>.*)/(?P<flags>[dgimsuvy]*)", re.DOTALL)
_SHARED_FLAGS = "ims"
"""Flags that JavaScript and Python spell alike; JavaScript's others change nothing in a search."""


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a pattern that compiles."""
    pattern = _pattern_as_written(assertion, case)
    if not isinstance(pattern, str) or not pattern:
        return "`value` must be a pattern"
    if error := _javascript_error(pattern) or base.flag_error(assertion, *OPTIONS):
        return error
    try:
        patterns.compiled(_fill_escaped(pattern, case), ignore_case=assertion.options.get("ignore_case", False))
    except patterns.PatternError as refusal:
        return str(refusal)
    return None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search the answer; with `full: true`, match all of it."""
    pattern = _fill_escaped(_pattern_as_written(assertion, subject.case), subject.case)
    options = {name: assertion.options.get(name, False) for name in ("ignore_case", "full")}
    text = subject.text.strip() if assertion.options.get("trim", True) else subject.text
    try:
        passed = patterns.search(pattern, text, **options)
    except TimeoutError:
        return CheckOutcome(passed=None, reason=f"the pattern took longer than {patterns.TIMEOUT_S:.0f} s; simplify it")
    requirement = f"should match {base.quote(pattern)}"
    position = 0 if options["full"] else None
    return base.text_outcome(passed=passed, requirement=requirement, subject=subject, position=position)


def _javascript_error(pattern: str) -> str | None:
    """Refuse `/pattern/flags` with Python's spelling; without flags and anchors, as in `/api/`, it is a path."""
    match = _JAVASCRIPT.fullmatch(pattern)
    if match is None or not (match["flags"] or match["body"].startswith("^") or match["body"].endswith("$")):
        return None
    flags = "".join(flag for flag in _SHARED_FLAGS if flag in match["flags"])
    python = f"(?{flags}){match['body']}" if flags else match["body"]
    return f"{base.quote(pattern)} is JavaScript's spelling; in Python's it is {base.quote(python)}"


def _pattern_as_written(assertion: Assertion, case: Case) -> object:
    return case.expected if assertion.value is None else assertion.value


def _fill_escaped(pattern: object, case: Case) -> str:
    """Fill the case's variables into a pattern, each escaped. Raises PatternError before it gets too long."""
    variables, length = base.operand_variables(case), 0

    def fill(match: re.Match[str]) -> str:
        nonlocal length
        text = render.format_value(render.look_up_variable(match[1], variables))
        length += len(text)
        if length > patterns.MAX_PATTERN_CHARS:
            raise patterns.PatternError(patterns.TOO_LONG)
        return regex.escape(text)

    return unicodedata.normalize("NFC", render.VARIABLE.sub(fill, str(pattern)))
