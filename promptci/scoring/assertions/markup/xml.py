"""`is-xml`, `contains-xml`: the answer is well-formed XML, or has some in it; with `value`, with these elements.

`value` lists paths such as `order.id`. Document types, and with them entities, are refused: they expand without bound.
"""

import re
from collections.abc import Sequence
from typing import Any
from xml.parsers import expat

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

MAX_CHARS = 200_000
MAX_DEPTH = 200
_XML = re.compile(r"<\?xml.*?>[\s\S]*</[^>]+>|<[A-Za-z_][^>]*>[\s\S]*</[^>]+>")


class _RefusedError(Exception):
    """XML that is not read; the text says why."""


class XmlAssertion:
    """One of the two assertions."""

    OPTIONS: frozenset[str] = frozenset()

    def __init__(self, *, is_part: bool) -> None:
        """Keep whether a part of the answer is enough."""
        self._is_part = is_part

    def validate(self, assertion: Assertion, case: Case) -> str | None:
        """Require a list of paths, where there is any."""
        return None if assertion.value is None else base.list_operand_error(assertion, case)

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Parse, and look for the elements."""
        paths = [] if assertion.value is None else base.resolve_operand(assertion, subject.case)
        reason = self._find_fault(subject.text, paths)
        verb = "contain" if self._is_part else "be"
        requirement = f"should {verb} XML{f' with {base.quote_list(paths)}' if paths else ''}"
        if reason is None:
            return CheckOutcome(passed=True, reason=requirement)
        return base.text_outcome(passed=False, requirement=f"{requirement} ({reason})", subject=subject)

    def _find_fault(self, text: str, paths: Sequence[str]) -> str | None:
        if len(text) > MAX_CHARS:
            return f"it has more than {MAX_CHARS:,} characters"
        if self._is_part:
            match = _XML.search(text)
            if match is None:
                return "there is none"
            text = match[0]
        try:
            elements = list_elements(text)
        except (expat.ExpatError, _RefusedError) as error:
            return str(error)
        missing = [path for path in paths if path not in elements]
        return f"there is no {base.quote(missing[0])}" if missing else None


def list_elements(text: str) -> set[str]:
    """Return the paths of all elements of a document, such as `order` and `order.id`; raise where it is not XML."""
    if not text.startswith("<"):
        raise _RefusedError("it does not begin with `<`")
    parser = expat.ParserCreate()
    stack: list[str] = []
    paths: set[str] = set()

    def start(name: str, _: Any) -> None:
        stack.append(name)
        if len(stack) > MAX_DEPTH:
            raise _RefusedError("it is nested too deeply")
        paths.add(".".join(stack))

    def refuse(*_: Any) -> None:
        raise _RefusedError("it has a document type, which is not read")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text.strip().encode(errors="replace"), True)
    return paths


IS_XML = XmlAssertion(is_part=False)
CONTAINS_XML = XmlAssertion(is_part=True)
