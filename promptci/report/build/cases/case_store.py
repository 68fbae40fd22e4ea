"""The cases of a view: a list if they are few, an unnamed temporary file if they are many. Both are sequences."""

import tempfile
import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol, overload

from promptci.files.system.open_file import read_at
from promptci.redact import Redactor
from promptci.report.model.case import CaseView

MAX_CASES_IN_MEMORY = 20_000
"""Cases of a whole run; each takes some kilobytes."""
CASES_PER_READ = 200


class CaseStore:
    """Stores the cases of one run, prompt by prompt."""

    def __init__(
        self, total: int, redactor: Redactor, *, shorten: Callable[[CaseView], CaseView] | None = None
    ) -> None:
        """Choose between memory and a file; secrets are redacted before a case is written.

        `shorten` returns a case as it is to be stored; None: as it is.
        """
        self._file = _CaseFile(redactor) if total > MAX_CASES_IN_MEMORY else None
        self._shorten = shorten

    def add(self, cases: Iterable[CaseView]) -> Sequence[CaseView]:
        """Store the cases of one prompt."""
        if self._shorten is not None:
            cases = map(self._shorten, cases)
        return list(cases) if self._file is None else self._file.add(cases)


class _CaseFile:
    """A JSON line per case, in an unnamed file that is deleted with its last reader."""

    def __init__(self, redactor: Redactor) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the view
        weakref.finalize(self, self._file.close)
        self._redactor = redactor
        self._ends = array("Q", [0])

    def add(self, cases: Iterable[CaseView]) -> "DiskCases":
        first = len(self._ends) - 1
        for case in cases:
            text = case.model_dump_json()
            if not self._redactor.is_clean(text):
                text = redact_case(case, self._redactor).model_dump_json()
            line = f"{text}\n".encode()
            self._file.write(line)
            self._ends.append(self._ends[-1] + len(line))
        self._file.flush()
        return DiskCases(self, range(first, len(self._ends) - 1))

    def __getitem__(self, number: int) -> CaseView:
        return self.read(number, number + 1)[0]

    def read(self, first: int, stop: int) -> list[CaseView]:
        """Load and validate a range of cases."""
        start = self._ends[first]
        # Not by seek and read: two threads may read at once.
        content = read_at(self._file.fileno(), self._ends[stop] - start, start)
        bounds = [end - start for end in self._ends[first : stop + 1]]
        return [CaseView.model_validate_json(content[begin:end]) for begin, end in pairwise(bounds)]


def redact_case(case: CaseView, redactor: Redactor) -> CaseView:
    """Return a case without secrets."""
    return CaseView.model_validate(redactor.redact_value(case.model_dump()))


class _IndexedCases(Protocol):
    """Cases by number."""

    def __getitem__(self, number: int, /) -> CaseView: ...


class _CaseSequence(Sequence[CaseView]):
    """Cases at given positions of a larger sequence, loaded on access."""

    def __init__(self, cases: _IndexedCases, positions: Sequence[int]) -> None:
        self._cases = cases
        self._positions = positions

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> CaseView: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[CaseView]: ...

    def __getitem__(self, index: int | slice) -> CaseView | Sequence[CaseView]:
        """Return one case, or a sequence of several."""
        if isinstance(index, slice):
            return type(self)(self._cases, self._positions[index])
        return self._cases[self._positions[index]]


class DiskCases(_CaseSequence):
    """Cases in a file."""

    _cases: _CaseFile
    _positions: range

    def __iter__(self) -> Iterator[CaseView]:
        """Load the cases in order, some at a time."""
        if self._positions.step != 1:
            yield from (self[index] for index in range(len(self)))
            return
        for start in range(0, len(self), CASES_PER_READ):
            batch = self._positions[start : start + CASES_PER_READ]
            yield from self._cases.read(batch.start, batch.stop)

    def __eq__(self, other: object) -> bool:
        """Compare case by case."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == others for mine, others in zip(self, other, strict=True))

    # As for a list: equality is by content.
    __hash__ = None  # type: ignore[assignment]


class CaseSubset(_CaseSequence):
    """Some of a prompt's cases, in another order."""

    def __init__(self, cases: _IndexedCases, positions: Iterable[int]) -> None:
        """Select the cases at these positions."""
        super().__init__(cases, array("Q", positions))
