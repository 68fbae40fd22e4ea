"""Index of the table of all cases: what it filters and sorts by, one column per property."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from promptci.present import escape
from promptci.report.html.groups import KindWithCases
from promptci.report.model.report import CaseView, PromptView, ReportView
from promptci.report.text.cases.case_outcomes import MAX_ID_CHARS, CaseKind, describe_outcome, mean_scores

MAX_TAGS = 20
"""Tags of one case."""
CRITICAL, FLAKY, ERROR, NEW, CHANGED, EXCLUDED = 1, 2, 4, 8, 16, 32
"""Flags of a case, one bit each; explorer.js has the same numbers."""

KIND_ORDER = (
    *("broken", "rarer", "failing", "lower", "fixed", "oftener", "higher"),
    *("missing", "apart", "wrong", "right", "passing", "unasked", "excluded"),
)
"""Slugs of the kinds of cases in reading order."""

_Numbers = tuple[list[float | None], list[float | None], list[float | None]]
"""Columns of score, milliseconds and price of one version's answers."""
AnswerNumbers = tuple[float | None, ...]
"""Score, milliseconds and price of an answer."""
NO_NUMBERS: AnswerNumbers = (None, None, None)


class NumberedColumn:
    """A column of values that repeat: the distinct ones in the order of their first use, and a number for each row."""

    def __init__(self) -> None:
        """Start without a row."""
        self.numbers = array("L")
        self._numbers_by_value: dict[object, int] = {}

    @property
    def values(self) -> list[Any]:
        """The distinct values, by their numbers."""
        return list(self._numbers_by_value)

    def append(self, value: object) -> None:
        """Add the value of another row."""
        self.numbers.append(self._numbers_by_value.setdefault(value, len(self._numbers_by_value)))

    def cut(self, size: int) -> None:
        """Keep the first rows, and the values that occur in them."""
        del self.numbers[size:]
        last = max(self.numbers, default=-1)
        self._numbers_by_value = {value: n for value, n in self._numbers_by_value.items() if n <= last}

    def count(self) -> list[tuple[Any, int]]:
        """Return each value with the number of its rows, in the order of their first use."""
        counts = Counter(self.numbers)
        return [(value, counts[number]) for value, number in self._numbers_by_value.items()]


class CaseIndex:
    """The columns of the table. No object for each row: those of 100,000 cases would take 35 MB."""

    def __init__(self, view: ReportView, grouped: Sequence[Sequence[KindWithCases]]) -> None:
        """Read all cases in reading order."""
        self.kind, self.label, self.result, self.tags = (NumberedColumn() for _ in range(4))
        self._prompt_names = [display_name(prompt.name) for prompt in view.prompts]
        self._ids: list[str] = []
        self._prompts, self._flags = array("L"), array("B")
        self._numbers: tuple[_Numbers, _Numbers] = ([], [], []), ([], [], [])
        labelled = [any(side is not None and side.labels for side in (p.base, p.head)) for p in view.prompts]
        for number, kind, case in iterate_cases(grouped):
            prompt = view.prompts[number]
            self._ids.append(display_name(case.id))
            self._prompts.append(number)
            self._flags.append(_flags(case, prompt))
            self.kind.append((kind.slug, kind.title, kind.mood))
            self.label.append(display_name(case.expected) if labelled[number] and case.expected is not None else None)
            self.result.append(describe_outcome(case, prompt))
            self.tags.append(tuple(dict.fromkeys(map(display_name, case.tags[:MAX_TAGS]))))
            for columns, numbers in zip(self._numbers, _answer_numbers(case), strict=True):
                for column, value in zip(columns, numbers, strict=True):
                    column.append(value)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._ids)

    def cut(self, size: int) -> None:
        """Keep the first rows."""
        for numbered in (self.kind, self.label, self.result, self.tags):
            numbered.cut(size)
        for column in (self._ids, self._prompts, self._flags, *self._numbers[0], *self._numbers[1]):
            del column[size:]

    def count_prompts(self) -> Counter[str]:
        """Return how many rows each prompt has, in the order of their first rows."""
        counts: Counter[str] = Counter()
        for number, count in Counter(self._prompts).items():
            counts[self._prompt_names[number]] += count
        return counts

    def count_flags(self) -> Counter[int]:
        """Return how many rows have each combination of flags."""
        return Counter(self._flags)

    def columns(self) -> dict[str, object]:
        """Return the columns; repeated values are numbers of entries in a list."""
        (score, ms, usd), after = self._numbers
        return {
            "prompts": self._prompt_names,
            "kinds": self.kind.values,
            "classes": self.label.values,
            "results": self.result.values,
            "tags": self.tags.values,
            "id": self._ids,
            "prompt": self._prompts.tolist(),
            "flags": self._flags.tolist(),
            "kind": self.kind.numbers.tolist(),
            "class": self.label.numbers.tolist(),
            "result": self.result.numbers.tolist(),
            "tag": self.tags.numbers.tolist(),
            "score": [score, after[0]],
            "ms": [ms, after[1]],
            "usd": [usd, after[2]],
        }


def iterate_cases(grouped: Sequence[Sequence[KindWithCases]]) -> Iterator[tuple[int, CaseKind, CaseView]]:
    """Yield the cases in reading order, each with the number of its prompt and its kind."""
    kinds = [(number, kind, cases) for number, of_prompt in enumerate(grouped) for kind, cases in of_prompt]
    for number, kind, cases in sorted(kinds, key=lambda entry: KIND_ORDER.index(entry[1].slug)):
        for case in cases:
            yield number, kind, case


def _flags(case: CaseView, prompt: PromptView) -> int:
    answers = [answer for answer in (case.base, case.head) if answer is not None]
    return (
        CRITICAL * case.critical
        + FLAKY * case.flaky
        + ERROR * any(answer.error is not None or answer.text is None for answer in answers)
        + NEW * (case.change == "new" and prompt.base is not None)
        + CHANGED * (case.change == "changed" and prompt.base is not None)
        + EXCLUDED * (case.excluded_reason is not None)
    )


def display_name(text: str) -> str:
    """Return a name for the table, its filters and links: on one line, and cut if it is long."""
    shown = escape.one_line(text)
    if len(shown) <= MAX_ID_CHARS:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]  # names cut alike stay apart
    return f"{shown[: MAX_ID_CHARS - 14]}… {digest}"


def _answer_numbers(case: CaseView) -> tuple[AnswerNumbers, AnswerNumbers]:
    before, after = (
        NO_NUMBERS if answer is None else tuple(map(_round_number, (score, answer.latency_ms, answer.cost_usd)))
        for answer, score in zip((case.base, case.head), mean_scores(case), strict=True)
    )
    return before, after


def _round_number(value: float | None) -> float | None:
    """Round to four significant digits, one more than is shown."""
    if value is None:
        return None
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
