"""Cases that no version of a prompt ever failed."""

from dataclasses import replace

from promptci.memory.model import CaseRecord
from promptci.memory.never_failed import MIN_VERSIONS, NeverFailedCase, find_never_failed

RECORD = CaseRecord(
    run="r", at="2026-01-01T00:00:00Z", prompt="order", fingerprint="f0", case="a", digest="d", model="m",
    passes=2, fails=0,
)  # fmt: skip


def records(versions: int = MIN_VERSIONS) -> list[CaseRecord]:
    return [replace(RECORD, fingerprint=f"f{number}") for number in range(versions)]


def test_a_case_that_passed_under_enough_versions_is_found() -> None:
    assert find_never_failed(records(), "order", {"a": "d", "b": "d"}) == (
        NeverFailedCase(case="a", versions=MIN_VERSIONS, answers=2 * MIN_VERSIONS),
    )


def test_fewer_versions_say_too_little() -> None:
    assert find_never_failed([*records(MIN_VERSIONS - 1), RECORD], "order", {"a": "d"}) == ()


def test_a_version_without_an_answer_does_not_count() -> None:
    unanswered = replace(RECORD, fingerprint="other", passes=0)
    assert find_never_failed([*records(MIN_VERSIONS - 1), unanswered], "order", {"a": "d"}) == ()


def test_one_failure_is_enough_to_keep_it() -> None:
    assert find_never_failed([*records(), replace(RECORD, passes=0, fails=1)], "order", {"a": "d"}) == ()


def test_other_prompts_and_earlier_texts_do_not_count() -> None:
    assert find_never_failed(records(), "other", {"a": "d"}) == ()
    assert find_never_failed(records(), "order", {"a": "new text"}) == ()
    earlier_failure = replace(RECORD, digest="old text", passes=0, fails=1)
    assert len(find_never_failed([*records(), earlier_failure], "order", {"a": "d"})) == 1
