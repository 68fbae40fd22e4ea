"""Verify a chain of audit lines: each names the one before it, and anchors outside the log name some of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Literal, NamedTuple

from promptci.audit.entry import ZERO_DIGEST
from promptci.lazy_dataclass import dataclass
from promptci.wording import short_digest

_START = b'{"schema":"promptci/audit/v1","n":%d,"prev":"%b",'
"""How every line begins that promptci wrote: comparing no more of it verifies a chain in a fraction of the time."""
FaultKind = Literal["edited", "removed", "reordered", "truncated", "forked", "rewritten"]


class AuditLine(NamedTuple):
    """A line as it is in a file."""

    path: str
    number: int
    """Within the file, from 1."""
    content: bytes
    """Without the line feed."""

    @property
    def place(self) -> str:
        """Where it is."""
        return f"{self.path}:{self.number}"


class LogHead(NamedTuple):
    """The last entry of a log: what an anchor names."""

    n: int
    digest: str
    """SHA-256 of the line's bytes."""

    def __str__(self) -> str:
        """Return the value of an `Audit-head:` trailer."""
        return f"{self.n} {self.digest}"


class Anchor(NamedTuple):
    """A place outside the log that names one of its entries."""

    source: str
    """Such as `tag prompts/order-extractor/v1.3.0`."""
    head: LogHead


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainFault:
    """What is wrong with an entry."""

    kind: FaultKind
    n: int
    """Of the first entry that is wrong or missing."""
    place: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainReport:
    """What a verification found."""

    entries: int
    head: LogHead | None
    """None: the log is empty or unreadable from its first line on."""
    fault: ChainFault | None
    """The first one: what follows it cannot be judged."""
    anchors: int
    """Anchors that fit."""
    last_anchored: int
    """Entries after this one could be missing without a trace."""


class _Link(NamedTuple):
    n: int
    prev: str
    digest: str


def verify_chain(lines: Sequence[AuditLine], anchors: Iterable[Anchor]) -> ChainReport:
    """Verify the chain and its anchors; the first fault is named, with its kind."""
    digests: list[str] = []
    """Of the entries that are in order; entry `n` is at `n - 1`."""
    fault: ChainFault | None = None
    before = ZERO_DIGEST
    for index, line in enumerate(lines):
        if line.content.startswith(_START % (index + 1, before.encode())):
            before = digest_line(line.content)
            digests.append(before)
            continue
        link = _parse_link(line)
        if link is None:
            message = "the line is not an entry of the audit log"
            fault = ChainFault(kind="edited", n=index + 1, place=line.place, message=message)
            break
        fault = _check_link(digests, link, lines, index)
        if fault is not None:
            break
        before = link.digest
        digests.append(before)
    anchors = sorted(anchors, key=lambda anchor: anchor.head.n)
    fitting = [anchor for anchor in anchors if _fits(digests, anchor)]
    fault = _blame_successor(fault, lines, fitting)
    anchor_fault = _check_anchors(digests, anchors, complete=fault is None)
    if anchor_fault is not None and (fault is None or anchor_fault.n < fault.n):
        fault = anchor_fault
    return ChainReport(
        entries=len(lines),
        head=LogHead(len(digests), digests[-1]) if digests else None,
        fault=fault,
        anchors=len(fitting),
        last_anchored=max((anchor.head.n for anchor in fitting), default=0),
    )


def digest_line(content: bytes) -> str:
    """Return the digest by which the next entry and the anchors name a line."""
    return sha256(content).hexdigest()


def _parse_link(line: AuditLine) -> _Link | None:
    try:
        value = json.loads(line.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("schema") != "promptci/audit/v1":
        return None
    n, prev = value.get("n"), value.get("prev")
    if not isinstance(n, int) or isinstance(n, bool) or n < 1 or not isinstance(prev, str):
        return None
    return _Link(n, prev, digest_line(line.content))


def _check_link(digests: Sequence[str], link: _Link, lines: Sequence[AuditLine], index: int) -> ChainFault | None:
    """Compare a line with the one before it, which is in order."""
    before = digests[-1] if digests else ZERO_DIGEST
    expected = len(digests) + 1
    if link.n == expected and link.prev == before:
        return None
    place = lines[index].place
    if link.n == expected and not digests:
        message = f"the first entry names one before it, {short_digest(link.prev)}"
        return ChainFault(kind="removed", n=1, place=place, message=message)
    if link.n == expected:
        named, last = short_digest(link.prev), short_digest(before)
        message = f"entry {link.n} names {named} as the one before it, entry {len(digests)} is {last}"
        return ChainFault(kind="edited", n=len(digests), place=lines[index - 1].place, message=message)
    if link.n <= len(digests):  # an earlier entry that was moved here is missing from its place, and named there
        return ChainFault(kind="forked", n=link.n, place=place, message=f"entry {link.n} is there twice")
    if _is_later(expected, lines[index + 1 :]):
        message = f"entry {link.n} stands where entry {expected} belongs"
        return ChainFault(kind="reordered", n=expected, place=place, message=message)
    missing = f"entry {expected} is" if link.n == expected + 1 else f"entries {expected} to {link.n - 1} are"
    return ChainFault(kind="removed", n=expected, place=place, message=f"{missing} missing before entry {link.n}")


def _blame_successor(
    fault: ChainFault | None, lines: Sequence[AuditLine], fitting: Sequence[Anchor]
) -> ChainFault | None:
    """Where two neighbours do not fit and an anchor vouches for the first, it is the second that was edited."""
    if fault is None or fault.kind != "edited" or all(anchor.head.n != fault.n for anchor in fitting):
        return fault
    return replace(fault, n=fault.n + 1, place=lines[fault.n].place)


def _is_later(n: int, lines: Iterable[AuditLine]) -> bool:
    return any(link.n == n for line in lines if (link := _parse_link(line)) is not None)


def _check_anchors(digests: Sequence[str], anchors: Sequence[Anchor], *, complete: bool) -> ChainFault | None:
    for anchor in anchors:
        n = anchor.head.n
        if n > len(digests):
            if not complete:
                continue
            message = f"the log ends with entry {len(digests)}, but {anchor.source} names entry {n}"
            return ChainFault(kind="truncated", n=len(digests) + 1, place="the end of the log", message=message)
        if digests[n - 1] != anchor.head.digest:
            message = (
                f"entry {n} is {short_digest(digests[n - 1])}, but {anchor.source} names it as"
                f" {short_digest(anchor.head.digest)}: this entry, or one before it, was changed and the log was"
                " chained again"
            )
            # The last entry has no successor that would show an edit.
            kind: FaultKind = "edited" if n == len(digests) else "rewritten"
            return ChainFault(kind=kind, n=n, place=f"entry {n}", message=message)
    return None


def _fits(digests: Sequence[str], anchor: Anchor) -> bool:
    return 0 < anchor.head.n <= len(digests) and digests[anchor.head.n - 1] == anchor.head.digest
