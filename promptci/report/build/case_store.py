"""The cases of a view: as a list where they are few, in a file without a name where they are many.

Both are sequences of CaseView, and whoever draws them goes through them as such.
"""

import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol, overload

from promptci.redact import Redactor
from promptci.report.model.case import CaseView

MOST_IN_MEMORY = 20_000
"""Cases of a whole run; a view of a case takes some kilobytes."""
AT_A_TIME = 200


class Holder:
    """Takes the cases of one run, prompt by prompt."""

    def __init__(self, total: int, redactor: Redactor) -> None:
        """Choose where so many cases are to be; what the redactor finds in them is written to no file."""
        self._file = _File(redactor) if total > MOST_IN_MEMORY else None

    def keep(self, cases: Iterable[CaseView]) -> Sequence[CaseView]:
        """Take the cases of one prompt."""
        return list(cases) if self._file is None else self._file.keep(cases)


class _File:
    """A line of JSON a case, in a file that has no name and is gone with the last who reads it."""

    def __init__(self, redactor: Redactor) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the view
        weakref.finalize(self, self._file.close)
        self._redactor = redactor
        self._ends = array("Q", [0])

    def keep(self, cases: Iterable[CaseView]) -> "Filed":
        first = len(self._ends) - 1
        for case in cases:
            text = case.model_dump_json()
            if not self._redactor.is_clean(text):
                text = clean(case, self._redactor).model_dump_json()
            line = f"{text}\n".encode()
            self._file.write(line)
            self._ends.append(self._ends[-1] + len(line))
        self._file.flush()
        return Filed(self, range(first, len(self._ends) - 1))

    def __getitem__(self, number: int) -> CaseView:
        return self.read(number, number + 1)[0]

    def read(self, first: int, stop: int) -> list[CaseView]:
        """Give the cases of these numbers; the text is checked again as it is read."""
        start = self._ends[first]
        self._file.seek(start)
        content = self._file.read(self._ends[stop] - start)
        cuts = [end - start for end in self._ends[first : stop + 1]]
        return [CaseView.model_validate_json(content[a:b]) for a, b in pairwise(cuts)]


def clean(case: CaseView, redactor: Redactor) -> CaseView:
    """Give a case without what the redactor finds."""
    return CaseView.model_validate(redactor.redact_value(case.model_dump()))


class _Numbered(Protocol):
    """Gives a case by its number."""

    def __getitem__(self, number: int, /) -> CaseView: ...


class _Part(Sequence[CaseView]):
    """Cases that are found by their places in something larger, when they are asked for."""

    def __init__(self, cases: _Numbered, places: Sequence[int]) -> None:
        self._cases = cases
        self._places = places

    def __len__(self) -> int:
        """Count them."""
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> CaseView: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[CaseView]: ...

    def __getitem__(self, place: int | slice) -> CaseView | Sequence[CaseView]:
        """Give one, or name several."""
        if isinstance(place, slice):
            return type(self)(self._cases, self._places[place])
        return self._cases[self._places[place]]


class Filed(_Part):
    """Cases that are in a file."""

    _cases: _File
    _places: range

    def __iter__(self) -> Iterator[CaseView]:
        """Read them one after the other, some at a time."""
        if self._places.step != 1:
            yield from (self[place] for place in range(len(self)))
            return
        for start in range(0, len(self), AT_A_TIME):
            some = self._places[start : start + AT_A_TIME]
            yield from self._cases.read(some.start, some.stop)

    def __eq__(self, other: object) -> bool:
        """Compare case by case."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    # As every list: what is equal to it may change.
    __hash__ = None  # type: ignore[assignment]


class Chosen(_Part):
    """Some of a prompt's cases, in an order of their own."""

    def __init__(self, cases: _Numbered, places: Iterable[int]) -> None:
        """Hold where they stand."""
        super().__init__(cases, array("Q", places))

    def numbered(self) -> Iterator[tuple[int, CaseView]]:
        """Give each with its place among all cases of the prompt."""
        return ((place, self._cases[place]) for place in self._places)
