"""Find the cases that no version of a prompt ever failed: they cost calls and tell no two versions apart."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from promptci.lazy_dataclass import dataclass
from promptci.memory.model import CaseRecord

MIN_VERSIONS = 5
"""Versions of a prompt that must have answered a case before it is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NeverFailedCase:
    """A case that passed every time, under several versions of its prompt."""

    case: str
    versions: int
    answers: int


@dataclass(slots=True)
class _CaseHistory:
    fingerprints: set[str] = field(default_factory=set)
    passes: int = 0
    fails: int = 0


def find_never_failed(
    records: Iterable[CaseRecord], prompt: str, digests: Mapping[str, str]
) -> tuple[NeverFailedCase, ...]:
    """Return the cases that passed every time under at least `MIN_VERSIONS` versions of a prompt.

    `digests` names each case and its present text: answers to an earlier text do not count.
    """
    histories = {case: _CaseHistory() for case in digests}
    for record in records:
        if record.prompt == prompt and record.answers and digests.get(record.case) == record.digest:
            history = histories[record.case]
            history.fingerprints.add(record.fingerprint)
            history.passes += record.passes
            history.fails += record.fails
    return tuple(
        NeverFailedCase(case=case, versions=len(history.fingerprints), answers=history.passes)
        for case, history in histories.items()
        if not history.fails and len(history.fingerprints) >= MIN_VERSIONS
    )
