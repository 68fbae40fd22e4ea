"""`describe`: from a finding to its words. A new rule needs one function and one line in `TEXTS`."""

from collections.abc import Callable, Mapping
from typing import Any

from promptci.findings import Finding
from promptci.present.finding_text import canary, limits, quality, remarks, run
from promptci.present.finding_text.text import FindingText

TEXTS: Mapping[str, Callable[[Any], FindingText]] = {
    "regression": quality.regression,
    "not-worse": quality.not_worse,
    "cannot-tell": quality.cannot_tell,
    "no-pairs": quality.no_pairs,
    "not-comparable": quality.not_comparable,
    "new-prompt": quality.new_prompt,
    "pooled": quality.pooled,
    "deleted": limits.deleted,
    "missing-goldens": limits.missing_goldens,
    "no-cases": limits.no_cases,
    "nothing-evaluated": limits.nothing_evaluated,
    "error-rate": limits.error_rate,
    "all-excluded": limits.all_excluded,
    "excluded": limits.excluded,
    "nothing-to-lose": quality.nothing_to_lose,
    "nothing-required": quality.nothing_required,
    "critical-unanswered": limits.critical_unanswered,
    "critical-never-answered": limits.critical_never_answered,
    "critical-unconfirmed": limits.critical_unconfirmed,
    "unanswered": limits.unanswered,
    "unreachable": limits.unreachable,
    "critical": limits.critical,
    "min-quality": limits.min_quality,
    "cost": limits.cost,
    "p95": limits.p95,
    "goldens-removed": remarks.goldens_removed,
    "goldens-weakened": remarks.goldens_weakened,
    "goldens-compared": remarks.goldens_compared,
    "model-returned": remarks.model_returned,
    "odd-model": remarks.odd_model,
    "endpoint-differs": remarks.endpoint_differs,
    "prompt-injection": remarks.prompt_injection,
    "position-bias": remarks.position_bias,
    "judge-not-trusted": remarks.judge_not_trusted,
    "judge-not-calibrated": remarks.judge_not_calibrated,
    "judge-is-candidate": remarks.judge_is_candidate,
    "early-stop": remarks.early_stop,
    "early-stop-undecided": run.unfinished_early_stop,
    "deadline": run.interrupted,
    "budget": run.interrupted,
    "provider": run.message,
    "input": run.message,
    "could-not-run": run.message,
    "no-secrets": run.no_secrets,
    "canary-none": canary.none,
    "canary-complete": canary.complete,
    "canary-started": canary.started,
    "canary-rolled-back": canary.rolled_back,
    "canary-reverted": canary.reverted,
    "canary-paused": canary.paused,
    "canary-resumed": canary.resumed,
    "canary-share-raised": canary.share_raised,
    "canary-share-lowered": canary.share_lowered,
    "canary-no-requests": canary.no_requests,
    "canary-no-values": canary.no_values,
    "canary-users-in-both-arms": canary.users_in_both_arms,
    "canary-uneven-split": canary.uneven_split,
    "canary-unscored": canary.unscored,
    "canary-outage": canary.outage,
    "canary-too-long": canary.too_long,
    "canary-too-early": canary.too_early,
    "canary-forecast": canary.forecast,
    "canary-too-few": canary.too_few,
    "canary-not-shown": canary.not_shown,
    "canary-worse": canary.worse,
    "canary-within-limit": canary.within_limit,
}
"""By the finding's rule."""


def describe(finding: Finding) -> FindingText:
    """Return the words of a finding."""
    return TEXTS[finding.rule](finding.facts)
