"""What a change of a deployment is called, in the audit log and on the site."""

import pytest

from promptci.rollout.deployment import Deployed
from promptci.rollout.deployments.decision_kind import name_decision, without_stopped_canary


def deployed(stable: str, canary: str | None = None, share: float = 0.0) -> Deployed:
    return Deployed(prompt="order", stable=stable, canary=canary, share=share)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, deployed("v1.0.0"), "deployed"),
        (deployed("v1.0.0"), None, "deployed"),
        (deployed("v1.0.0"), deployed("v1.1.0"), "deployed"),
        (deployed("v1.1.0"), deployed("v1.0.0"), "rolled-back"),
        (deployed("v1.0.0"), deployed("v1.0.0", "v1.1.0", 5), "deployed"),
        (deployed("v1.0.0", "v1.1.0", 5), deployed("v1.0.0", "v1.1.0", 25), "promoted"),
        (deployed("v1.0.0", "v1.1.0", 25), deployed("v1.0.0", "v1.1.0", 5), "deployed"),
        (deployed("v1.0.0", "v1.1.0", 25), deployed("v1.0.0", "v1.1.0", 0), "rolled-back"),
        (deployed("v1.0.0", "v1.1.0", 25), deployed("v1.0.0"), "rolled-back"),
        (deployed("v1.0.0", "v1.1.0", 50), deployed("v1.1.0"), "promoted"),
        (deployed("v1.0.0", "v1.1.0", 5), deployed("v1.0.0", "v1.2.0", 5), "deployed"),
    ],
)
def test_a_change_has_one_name(before: Deployed | None, after: Deployed | None, kind: str) -> None:
    assert name_decision(before, after) == kind


def test_a_canary_at_no_share_gets_no_request() -> None:
    assert without_stopped_canary(deployed("v1.0.0", "v1.1.0", 0)) == deployed("v1.0.0")
    assert without_stopped_canary(deployed("v1.0.0", "v1.1.0", 5)) == deployed("v1.0.0", "v1.1.0", 5)
