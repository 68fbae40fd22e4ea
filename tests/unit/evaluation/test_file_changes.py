"""The pull request that a commit's message names."""

import pytest

from promptci.evaluation.auditing.file_changes import find_pull_request


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Merge pull request #247 from example/branch\n\nTitle", 247),
        ("Copy only the number (#12)\n\n* a\n* b", 12),
        ("Title\n\nReason: x\nPull-request: 31\n", 31),
        ("Revert (#12) for now", None),
        ("Title\n\nsee (#12)\n", None),
        ("", None),
    ],
)
def test_a_merge_a_squash_and_a_trailer_name_it(message: str, number: int | None) -> None:
    assert find_pull_request(message) == number
