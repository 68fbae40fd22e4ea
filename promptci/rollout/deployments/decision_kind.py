"""The kind of decision that a changed deployment is: the audit log and the site name it alike."""

from dataclasses import replace

from promptci.registry.number import ReleaseNumber
from promptci.rollout.deployment import Deployed, shorten_version


def name_decision(before: Deployed | None, after: Deployed | None) -> str:
    """Return the kind of decision that a changed deployment is."""
    if before is None or after is None:
        return "deployed"
    if before.canary is None:
        return "rolled-back" if after.canary is None and _goes_back(before, after) else "deployed"
    if after.canary is None:
        return "promoted" if after.stable == before.canary else "rolled-back"
    if after.canary != before.canary or after.share == before.share:
        return "deployed"
    if after.share > before.share:
        return "promoted"
    return "deployed" if after.share else "rolled-back"


def _goes_back(before: Deployed, after: Deployed) -> bool:
    """Return whether the stable version is an older release than before."""
    old, new = (ReleaseNumber.find(shorten_version(side.prompt, side.stable)) for side in (before, after))
    return old is not None and new is not None and new < old


def without_stopped_canary(deployed: Deployed | None) -> Deployed | None:
    """Return what all requests get after a rollback: a canary that stays in the file at 0 % gets none."""
    return replace(deployed, canary=None, share=0) if deployed is not None and not deployed.share else deployed
