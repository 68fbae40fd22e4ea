"""The ruleset that protects the history branch on GitHub."""

from typing import Any

from promptci.git.data_branch import HISTORY_BRANCH


def build_ruleset() -> dict[str, Any]:
    """Return the ruleset as GitHub's API takes it: nobody deletes the branch, rewrites it, or merges into it."""
    return {
        "name": f"History of {HISTORY_BRANCH.partition('/')[0]}",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{HISTORY_BRANCH}"], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "non_fast_forward"}, {"type": "required_linear_history"}],
    }
