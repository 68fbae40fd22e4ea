"""The chain of the audit log: each kind of tampering, at each position, is found and named."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.audit.chain import Anchor, AuditLine, LogHead, digest_line, verify_chain
from promptci.audit.entry import ZERO_DIGEST, Actor, AuditEntry, AuditTools, Decision

LENGTH = 6


def entry(n: int, prev: str, reason: str = "") -> bytes:
    decision: Decision = "log-began" if n == 1 else "deployed"
    at = f"{datetime(2026, 3, n, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    by, tool = Actor(kind="person", actor="ann"), AuditTools(promptci="1.0.0")
    return AuditEntry(n=n, prev=prev, at=at, what=decision, by=by, why=reason, tool=tool).line()


def chain(length: int = LENGTH, reason: str = "") -> list[bytes]:
    contents: list[bytes] = []
    for n in range(1, length + 1):
        contents.append(entry(n, digest_line(contents[-1]) if contents else ZERO_DIGEST, reason))
    return contents


def lines(contents: Sequence[bytes]) -> list[AuditLine]:
    return [AuditLine("audit/2026-03.jsonl", number, content) for number, content in enumerate(contents, start=1)]


def anchor(contents: Sequence[bytes], n: int) -> Anchor:
    return Anchor(f"tag v{n}", LogHead(n, digest_line(contents[n - 1])))


def test_a_whole_chain_verifies() -> None:
    contents = chain()
    report = verify_chain(lines(contents), [anchor(contents, 2), anchor(contents, 4)])
    assert (report.entries, report.fault, report.anchors, report.last_anchored) == (LENGTH, None, 2, 4)
    assert report.head == LogHead(LENGTH, digest_line(contents[-1]))


def test_an_empty_chain_has_no_head_and_an_anchor_shows_that_it_was_cut() -> None:
    assert verify_chain([], []).head is None
    fault = verify_chain([], [anchor(chain(), 3)]).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("truncated", 1)


@pytest.mark.parametrize("n", range(1, LENGTH))
def test_an_edited_entry_is_named_by_its_successor(n: int) -> None:
    contents = chain()
    contents[n - 1] = contents[n - 1].replace(b'"ann"', b'"eve"')
    fault = verify_chain(lines(contents), []).fault
    assert fault is not None
    assert (fault.kind, fault.n, fault.place) == ("edited", n, f"audit/2026-03.jsonl:{n}")


def test_an_edit_of_the_last_entry_is_shown_by_an_anchor_alone() -> None:
    contents = chain()
    anchors = [anchor(contents, LENGTH)]
    contents[-1] = contents[-1].replace(b'"ann"', b'"eve"')
    assert verify_chain(lines(contents), []).fault is None
    fault = verify_chain(lines(contents), anchors).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("edited", LENGTH)


def test_an_anchor_tells_which_of_two_neighbours_was_edited() -> None:
    contents = chain()
    anchors = [anchor(contents, 3)]
    contents[3] = contents[3].replace(digest_line(contents[2]).encode(), b"f" * 64)
    assert (fault := verify_chain(lines(contents), []).fault) is not None
    assert fault.n == 3
    assert (fault := verify_chain(lines(contents), anchors).fault) is not None
    assert (fault.kind, fault.n, fault.place) == ("edited", 4, "audit/2026-03.jsonl:4")


@pytest.mark.parametrize("n", range(1, LENGTH))
def test_a_removed_entry_is_named(n: int) -> None:
    contents = chain()
    del contents[n - 1]
    fault = verify_chain(lines(contents), []).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("removed", n)


def test_several_removed_entries_are_named_together() -> None:
    contents = chain()
    fault = verify_chain(lines(contents[:1] + contents[4:]), []).fault
    assert fault is not None
    assert fault.message == "entries 2 to 4 are missing before entry 5"


@pytest.mark.parametrize("n", range(1, LENGTH))
def test_two_entries_that_changed_places_are_named(n: int) -> None:
    contents = chain()
    contents[n - 1], contents[n] = contents[n], contents[n - 1]
    fault = verify_chain(lines(contents), []).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("reordered", n)


@pytest.mark.parametrize("kept", range(1, LENGTH))
def test_a_cut_log_is_found_by_an_anchor_and_by_nothing_else(kept: int) -> None:
    contents = chain()
    assert verify_chain(lines(contents[:kept]), [anchor(contents, kept)]).fault is None
    fault = verify_chain(lines(contents[:kept]), [anchor(contents, LENGTH)]).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("truncated", kept + 1)


@pytest.mark.parametrize("n", range(1, LENGTH + 1))
def test_an_entry_that_is_there_twice_is_a_fork(n: int) -> None:
    contents = chain()
    prev = digest_line(contents[n - 2]) if n > 1 else ZERO_DIGEST
    for other in (contents[n - 1], entry(n, prev, "another writer")):
        forked = [*contents[:n], other, *contents[n:]]
        fault = verify_chain(lines(forked), []).fault
        assert fault is not None
        assert (fault.kind, fault.n) == ("forked", n)


def test_a_longer_fork_is_named_by_its_first_entry() -> None:
    contents = chain()
    fault = verify_chain(lines([*contents, *contents[2:]]), []).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("forked", 3)


@pytest.mark.parametrize("n", range(1, LENGTH))
def test_a_log_that_was_chained_again_is_found_by_the_first_anchor_after_the_edit(n: int) -> None:
    contents, other = chain(), chain(reason="nothing happened")
    mixed = [*contents[: n - 1]]
    for position in range(n, LENGTH + 1):
        mixed.append(entry(position, digest_line(mixed[-1]) if mixed else ZERO_DIGEST, "nothing happened"))
    assert other[0] != contents[0]
    assert verify_chain(lines(mixed), []).fault is None
    fault = verify_chain(lines(mixed), [anchor(contents, m) for m in range(1, LENGTH + 1)]).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("rewritten", n)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"schema": "promptci/audit/v2", "n": 3}', b"[" * 9999]
    + [b'{"schema": "promptci/audit/v1", "n": %s, "prev": "0"}' % n for n in (b"true", b"0", b"-1", b'"3"', b"3.0")]
    + [b'{"schema": "promptci/audit/v1", "n": 3, "prev": null}'],
)
def test_a_line_that_is_no_entry_is_named(content: bytes) -> None:
    contents = chain()
    contents[2] = content
    fault = verify_chain(lines(contents), []).fault
    assert fault is not None
    assert (fault.kind, fault.n, fault.place) == ("edited", 3, "audit/2026-03.jsonl:3")


def test_a_first_entry_that_names_one_before_it_shows_that_the_beginning_is_missing() -> None:
    fault = verify_chain(lines([entry(1, "a" * 64)]), []).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("removed", 1)


def test_an_anchor_before_the_first_fault_is_reported_first() -> None:
    contents = chain()
    anchors = [Anchor("tag v2", LogHead(2, "f" * 64)), anchor(contents, LENGTH)]
    del contents[3]
    fault = verify_chain(lines(contents), anchors).fault
    assert fault is not None
    assert (fault.kind, fault.n) == ("rewritten", 2)


@given(data=st.data())
def test_any_change_of_the_bytes_before_an_anchor_is_found(data: st.DataObject) -> None:
    contents = chain()
    anchors = [anchor(contents, LENGTH)]
    text = bytearray(b"\n".join(contents))
    position = data.draw(st.integers(0, len(text) - 1))
    text[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[position]))
    report = verify_chain(lines(bytes(text).split(b"\n")), anchors)
    assert report.fault is not None
    assert report.last_anchored == 0 or report.fault.n > report.last_anchored


@given(length=st.integers(2, 8), data=st.data())
def test_every_tampering_of_an_anchored_log_is_named_with_its_kind_and_place(length: int, data: st.DataObject) -> None:
    contents = chain(length)
    anchors = [anchor(contents, length)]
    kind = data.draw(st.sampled_from(["edited", "removed", "reordered", "truncated", "forked"]))
    n = data.draw(st.integers(1, length - 1))
    tampered = list(contents)
    if kind == "edited":
        tampered[n - 1] = tampered[n - 1].replace(b'"ann"', b'"eve"')
    elif kind == "removed":
        del tampered[n - 1]
    elif kind == "reordered":
        tampered[n - 1], tampered[n] = tampered[n], tampered[n - 1]
    elif kind == "truncated":
        tampered, n = tampered[:n], n + 1
    else:
        tampered.insert(n, tampered[n - 1])
    fault = verify_chain(lines(tampered), anchors).fault
    assert fault is not None
    assert (fault.kind, fault.n) == (kind, n)


def test_a_line_in_another_order_of_its_keys_is_read_too() -> None:
    first, second = chain(2)
    value = json.loads(second)
    turned = json.dumps(dict(reversed(value.items()))).encode()
    assert verify_chain(lines([first, turned]), []).fault is None
