"""JSONPath (RFC 9535) out of a pull request on a model's answer: bounded in time and memory.

`jsonpath_rfc9535` finds the values. It is made to look at the clock wherever a path can make it work long, and its
`match()` and `search()` are replaced: they would run for ever on some patterns, and crash on very long ones.
"""

import math
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import iregexp_check
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathNode, JSONPathQuery
from jsonpath_rfc9535.filter_expressions import FilterContext, FilterExpression
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
from jsonpath_rfc9535.parse import Parser
from jsonpath_rfc9535.segments import JSONPathChildSegment, JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath_rfc9535.selectors import FilterSelector, IndexSelector, NameSelector
from jsonpath_rfc9535.tokens import TokenStream

from promptci.scoring.assertions import patterns

TIMEOUT_S = 1.0
"""Of processor time, so that a busy machine changes no result."""
MAX_NODES = 100_000
"""Values that one step of a path may select."""
MAX_PATH_CHARS = 1_000
_DOT = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|(\.)", re.DOTALL)
_PLAIN_KEY = re.compile(r"\w", re.ASCII)


class QueryError(ValueError):
    """A path that cannot be used: what is wrong, and where."""


class QueryLimitError(Exception):
    """A path that takes too much on this value; the reason in words."""


class JsonQuery:
    """A path, ready to be followed in one value after the other."""

    def __init__(self, path: str) -> None:
        """Parse a path.

        Raises
        ------
        QueryError
            With the position of the mistake.
        """
        if len(path) > MAX_PATH_CHARS:
            raise QueryError(f"it is longer than {MAX_PATH_CHARS} characters")
        self._environment = _Environment()
        try:
            self._query = self._environment.compile(path)
        except JSONPathError as error:
            raise QueryError(_describe(error, path)) from error
        except RecursionError as error:
            raise QueryError("it is nested too deeply") from error
        except (ValueError, OverflowError) as error:
            raise QueryError(f"it holds a number that cannot be read: {error}") from error
        self.is_singular = self._query.singular_query()
        """Whether it leads to one value at most."""

    def select(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the place and the value of every match. Raises QueryLimitError."""
        yield from ((node.path(), node.value) for node in self._find(self._query, value))

    def find_dead_end(self, value: Any) -> tuple[str, Any]:
        """Return the first step of a path without matches that leads nowhere, and a value from which it was tried."""
        before = value
        for count, segment in enumerate(self._query.segments, start=1):
            part = JSONPathQuery(env=self._environment, segments=self._query.segments[:count])
            node = next(self._find(part, value), None)
            if node is None:
                return _shown_step(segment), before
            before = node.value
        raise ValueError("the path has matches")

    def _find(self, query: JSONPathQuery, value: Any) -> Iterator[JSONPathNode]:
        self._environment.ends = time.thread_time() + TIMEOUT_S
        try:
            yield from query.finditer(value)
        except TimeoutError as error:
            raise QueryLimitError(f"following the path takes longer than {TIMEOUT_S:.0f} s") from error
        except RecursionError as error:
            raise QueryLimitError("the path or the answer is nested too deeply") from error
        except patterns.PatternError as error:
            raise QueryLimitError(f"the path cannot be followed: {error}") from error


class _Environment(JSONPathEnvironment):
    """Functions and parser of this module, and the time at which the search under way must be over."""

    def __init__(self) -> None:
        self.parser_class = _BoundedParser
        super().__init__()
        self.ends = math.inf
        self.function_extensions |= {"match": _RegexFunction(self, full=True), "search": _RegexFunction(self)}

    def remaining_s(self) -> float:
        remaining = self.ends - time.thread_time()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _RegexFunction(FilterFunction):
    """`match()` and `search()`, with the bounds of the assertion `regex`."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - so declared by the library
    return_type = ExpressionType.LOGICAL

    def __init__(self, environment: _Environment, *, full: bool = False) -> None:
        self._environment = environment
        self._full = full

    def __call__(self, text: object, pattern: object) -> bool:
        """Return whether the text matches; false, as RFC 9535 wants it, for what is no text or no I-Regexp."""
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        if len(pattern) > patterns.MAX_PATTERN_CHARS:  # the check itself overflows the stack on a million brackets
            raise patterns.PatternError(f"a pattern is longer than {patterns.MAX_PATTERN_CHARS} characters")
        if not iregexp_check.check(pattern):
            return False
        without_line_ends = _DOT.sub(lambda match: r"[^\n\r]" if match[1] else match[0], pattern)
        return patterns.search(without_line_ends, text, full=self._full, timeout_s=self._environment.remaining_s())


class _BoundedParser(Parser):
    """Replaces segments and filters by bounded ones as it reads them."""

    def parse_query(self, stream: TokenStream, *, in_filter: bool = False) -> Iterable[JSONPathSegment]:
        for segment in super().parse_query(stream, in_filter=in_filter):
            descends = isinstance(segment, JSONPathRecursiveDescentSegment)
            kind = _BoundedDescent if descends else _BoundedChild
            yield kind(env=self.env, token=segment.token, selectors=segment.selectors)

    def parse_filter_selector(self, stream: TokenStream) -> FilterSelector:
        selector = super().parse_filter_selector(stream)
        selector.expression = _BoundedFilter(selector.expression.token, selector.expression.expression)
        return selector


class _BoundedChild(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathNode]) -> Iterable[JSONPathNode]:
        return _limit_nodes(super().resolve(_limit_nodes(nodes, self.env)), self.env)


class _BoundedDescent(JSONPathRecursiveDescentSegment):
    def resolve(self, nodes: Iterable[JSONPathNode]) -> Iterable[JSONPathNode]:
        return _limit_nodes(super().resolve(nodes), self.env)

    def _visit(self, node: JSONPathNode, depth: int = 1) -> Iterable[JSONPathNode]:
        """Visit a node and those below; the library calls it for each of them."""
        _check_time(self.env)
        return super()._visit(node, depth)


class _BoundedFilter(FilterExpression):
    def evaluate(self, context: FilterContext) -> bool:
        _check_time(context.env)
        return super().evaluate(context)


def _limit_nodes(nodes: Iterable[JSONPathNode], environment: JSONPathEnvironment) -> Iterator[JSONPathNode]:
    for count, node in enumerate(nodes):
        _check_time(environment)
        if count >= MAX_NODES:
            raise QueryLimitError(f"a step of the path selects more than {MAX_NODES:,} values")
        yield node


def _check_time(environment: JSONPathEnvironment) -> None:
    if isinstance(environment, _Environment):
        environment.remaining_s()


def _shown_step(segment: JSONPathSegment) -> str:
    (selector, *others) = segment.selectors
    if isinstance(segment, JSONPathRecursiveDescentSegment) or others:
        return str(segment)
    if isinstance(selector, NameSelector):
        return selector.name
    return str(selector.index) if isinstance(selector, IndexSelector) else str(segment)


def _describe(error: JSONPathError, path: str) -> str:
    """Return the library's message about a path, its position, and how to write a key that is not a plain word."""
    message = str(error.args[0]) if error.args else "it cannot be parsed"
    if error.token is None:
        return message
    position = min(max(error.token.index, 0), len(path))
    sign = path[position : position + 1]
    last = re.split(r"[.\[\]]", path[:position])[-1]
    is_key = path.startswith("$.") and (sign == "-" or bool(_PLAIN_KEY.match(sign) and not last))
    hint = '; write a key that is no plain word in brackets, as in `$["order-id"]`' if is_key else ""
    return f"{message}, at character {position + 1}{hint}"
