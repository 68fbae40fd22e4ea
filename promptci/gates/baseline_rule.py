"""Green needs something to measure against: a base version that can get worse, or a limit that must be kept."""

import re
from collections.abc import Sequence

from promptci.compare.case_effect import EXACT
from promptci.config.policy import GatePolicy
from promptci.findings import Finding, remark
from promptci.gates.baseline_facts import NewPromptFacts, NothingToLose, SharedCause
from promptci.runs.prompt_plan import Arm, Status
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict

MAX_QUOTED_CHARS = 40
_TAG = re.compile(r"\s*(<\w{1,20}>)")


def nothing_to_lose(run: PromptRun, policy: GatePolicy) -> Finding | None:
    """Return that base passes too little for a drop of the margin; None where it does not, or head is shown better."""
    effect = run.effect
    if effect is None or run.plan.same_fingerprint or effect.reference >= policy.max_drop:
        return None
    if effect.interval is not None and effect.interval.lo > 0:
        return None
    facts = NothingToLose(
        passed=sum(pair.pass_rate(Arm.BASE) == 1.0 for pair in run.pairs),
        cases=len(run.pairs),
        shared_cause=find_shared_cause([answer for pair in run.pairs for answer in (*pair.base, *pair.head)]),
    )
    return Finding(rule="nothing-to-lose", verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=facts)


def without_baseline(run: PromptRun, policy: GatePolicy, *, crosses_limit: bool) -> Finding:
    """Judge a prompt that has no earlier version: only absolute limits can fail it, and without them nothing decides.

    A new prompt, or one that is tested by itself, passes without limits too where every case passes: with a failed
    case, nobody has said how many may. Critical cases say it of themselves alone. `crosses_limit` tells that another
    finding fails the prompt, so that this one only describes it.
    """
    counted = [case for case in run.cases if case.excluded_reason is None]
    rates = [rate for case in counted if (rate := case.pass_rate(Arm.HEAD)) is not None]
    quality = run.head.quality if run.head else None
    facts = NewPromptFacts(
        passed=sum(rate == 1.0 for rate in rates),
        cases=len(rates),
        added=run.plan.change.status is Status.ADDED,
        min_quality=policy.min_quality,
        critical=sum(case.counts_as_critical for case in counted),
        is_below=quality is not None and policy.min_quality is not None and quality < policy.min_quality - EXACT,
        crosses_limit=crosses_limit,
    )
    if crosses_limit:
        return remark("new-prompt", run.name, facts)
    passes = policy.min_quality is not None or facts.passed == len(counted)
    return Finding(
        rule="new-prompt" if passes else "nothing-required",
        verdict=Verdict.PASS if passes else Verdict.INCONCLUSIVE,
        subject=run.name,
        facts=facts,
    )


def find_shared_cause(answers: Sequence[ScoredCase]) -> SharedCause | None:
    """Return what explains why all answers are wrong; None if nothing does."""
    known = [answer for answer in answers if answer.error is None]
    texts = [answer.answer.completion.text for answer in known if answer.answer.completion is not None]
    if len({answer.case.id for answer in answers}) < 2 or not texts:
        return None
    by_arm = [{answer.answer.request_key for answer in answers if answer.arm is arm} for arm in Arm]
    if all(len(keys) <= 1 for keys in by_arm):
        return SharedCause("identical-requests")
    if len(texts) < len(known) or any(answer.passed for answer in known):
        return None  # some requests were refused, or some answers are right
    if len(set(texts)) == 1:
        return SharedCause("equal-answers", texts[0][:MAX_QUOTED_CHARS])
    tags = {match[1] if (match := _TAG.match(text)) else None for text in texts}
    if len(tags) == 1 and (tag := tags.pop()):
        return SharedCause("same-tag", tag)
    return None
