"""Early stop: the verdict that holds whatever the answers not yet asked for would be (exact curtailment)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from promptci import verdict as verdicts
from promptci.config.policy import GatePolicy
from promptci.findings import Finding, remark
from promptci.gates import judge_rule
from promptci.gates.decide import decide
from promptci.gates.evidence import Multiplicity
from promptci.gates.facts import EarlyStopFacts, QualityFacts
from promptci.gates.model import Decision, GateReport
from promptci.goldens.model import Case
from promptci.pipeline.prompt_run import PromptRun
from promptci.providers.base import Completion
from promptci.runs import adaptive_repeats
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm
from promptci.scoring.comparison import Comparison, compare_versions
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.verdict import Verdict

ZONES = frozenset({"regression", "not-worse", "cannot-tell"})
"""Findings that depend on answers not asked for."""
LIMITS = frozenset({"cost", "p95"})
"""Findings on what was measured of answers there are; nothing can be assumed of the others."""

MAX_MARGIN = 0.5
"""From this margin on, the bound of the drop may fall by one more broken pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictBounds:
    """What the gate would say if every answer still missing favoured one version."""

    best: GateReport
    """Head right, base wrong. The limits on cost and latency are left out."""
    worst: GateReport
    """Head wrong, base right."""
    measured: GateReport
    """As `best`, with the limits: what counts for a prompt of which nothing is missing."""
    unasked: frozenset[str]
    """Prompts of which answers are missing."""

    def decided(self, policy: GatePolicy) -> dict[str, Decision]:
        """Return the decision of each prompt whose verdict no answer can change any more, by name.

        A failure is settled when it stands with everything in head's favour. That is exact where cases pass or fail,
        count alike and are asked once: the more pairs broke, the smaller the p of McNemar's test (the within-case test
        of single answers) and the larger the drop. Repeats, marks, weights and clusters have no such order, so there
        only critical cases and `min_quality` settle. `pass` and `inconclusive` are settled where both bounds agree and
        no limit on cost or latency can still be crossed.
        What is not foreseen: calls that fail, and a provider that changes its model on the way.
        """
        open_limits = policy.max_cost_increase is not None or policy.max_p95_increase is not None
        settled = {}
        for best, worst, measured in zip(
            self.best.decisions, self.worst.decisions, self.measured.decisions, strict=True
        ):
            name = best.comparison.plan.name
            if name not in self.unasked:
                if measured.verdict is worst.verdict:
                    settled[name] = worst
            elif (certain := _certain(best)) is not None:
                settled[name] = certain
            elif _agree(best, worst, policy) and not open_limits:
                settled[name] = worst
        return settled

    def all_decided(self, policy: GatePolicy) -> bool:
        """Whether no answer can change any verdict, that of the prompts together included."""
        settled = self.decided(policy)
        if len(settled) < len(self.best.decisions):
            return False
        worst = verdicts.worst(decision.verdict for decision in settled.values())
        return worst in (Verdict.FAIL, Verdict.ERROR) or _verdict(self.best.pooled) is _verdict(self.worst.pooled)


def _verdict(finding: Finding | None) -> Verdict | None:
    return finding.verdict if finding else None


def bounds(runs: Sequence[PromptRun], policy: GatePolicy) -> VerdictBounds:
    """Return both bounds.

    Which prompts count in the correction for several depends on answers still missing, so head's best case corrects
    for all and its worst for none.
    """
    without = replace(policy, max_cost_increase=None, max_p95_increase=None)
    best, worst = (_compare_completed(runs, policy, favoured=arm) for arm in (Arm.HEAD, Arm.BASE))
    return VerdictBounds(
        best=decide(best, without, multiplicity=Multiplicity.ALL),
        worst=decide(worst, policy, multiplicity=Multiplicity.NONE),
        measured=decide(best, policy, multiplicity=Multiplicity.ALL),
        unasked=frozenset(run.name for run in runs if run.unanswered),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class StopState:
    """What is decided whatever the answers still missing would be."""

    complete: bool
    """Whether no answer can change any verdict."""
    decided: frozenset[str]
    """Names of the prompts whose verdict no answer can change."""


def stop_state(runs: Sequence[PromptRun], policy: GatePolicy) -> StopState:
    """Look at the answers so far: what `pipeline.rounds` asks after each chunk of questions."""
    both = bounds(runs, policy)
    return StopState(complete=both.all_decided(policy), decided=frozenset(both.decided(policy)))


def report(plain: GateReport, runs: Sequence[PromptRun]) -> GateReport:
    """Return the report of a run that was stopped early: `plain` is the one of the answers there are.

    Raises
    ------
    ValueError
        Where some verdict is not settled, so that the run should have gone on.
    """
    both = bounds(runs, plain.policy)
    settled = both.decided(plain.policy)
    decisions = []
    for decision, run in zip(plain.decisions, runs, strict=True):
        name = decision.comparison.plan.name
        if name not in settled:
            raise ValueError(f"the verdict of {name} is not settled")
        decisions.append(_merge_decisions(decision, settled[name], len(run.unanswered)))
    return replace(plain, decisions=tuple(decisions), pooled=both.worst.pooled)


def _certain(best: Decision) -> Decision | None:
    """Return a failure (or an error) that stands although everything to come is in head's favour."""
    if best.verdict is Verdict.ERROR:
        return best
    if best.verdict is not Verdict.FAIL:
        return None
    if _is_ordered(best):
        return best
    findings = tuple(finding for finding in best.findings if finding.rule not in ZONES)
    failed = verdicts.worst(finding.verdict for finding in findings) is Verdict.FAIL
    return replace(best, findings=findings) if failed else None


def _agree(best: Decision, worst: Decision, policy: GatePolicy) -> bool:
    """Whether all outcomes between these two have their verdict.

    Base passes least in head's best case. There and in the worst, the same rule must have decided about quality, and
    base must pass enough that a drop of the margin is possible: else an outcome between may have too little to lose.
    """
    if best.verdict is not worst.verdict or not _is_ordered(best):
        return False
    best_rule, worst_rule = (decision.findings[0].rule if decision.findings else "" for decision in (best, worst))
    effect = best.comparison.effect
    has_enough = best_rule != "not-worse" or effect is None or effect.reference >= policy.max_drop
    return best_rule == worst_rule and has_enough


def _is_ordered(decision: Decision) -> bool:
    """Whether more broken pairs always mean a smaller p, a larger drop and a larger bound of it."""
    samples = decision.comparison.samples
    if samples is None:
        return True
    design = samples.design
    return samples.is_plain and samples.has_single_answers and not design.adaptive and design.margin < MAX_MARGIN


def _compare_completed(runs: Sequence[PromptRun], policy: GatePolicy, *, favoured: Arm) -> list[Comparison]:
    """Compare as if each missing answer were right for the favoured version and wrong for the other."""
    return [_compare_completed_run(run, policy, favoured=favoured) for run in runs]


def _compare_completed_run(run: PromptRun, policy: GatePolicy, *, favoured: Arm) -> Comparison:
    cases = run.cases

    def assumed(question: Question) -> ScoredCase:
        return _build_assumed(question, cases[question.case_id], right=question.arm is favoured)

    plan = run.counted_plan
    whole = [*run.counted_scores, *map(assumed, run.unanswered)]
    known = {scored.answer.key for scored in whole}
    follow_ups = adaptive_repeats.find_follow_ups(plan, run.follow_ups, {s.answer.key: s.passed for s in whole})
    whole += [assumed(question) for question in follow_ups if question.key not in known]
    return compare_versions(plan, whole, alpha=policy.alpha, margin=policy.max_drop)


def _build_assumed(question: Question, case: Case, *, right: bool) -> ScoredCase:
    return ScoredCase(
        case=case,
        arm=question.arm,
        replicate=question.replicate,
        answer=question.answer(completion=Completion(text="")),
        results=(
            AssertionResult(type="assumed", name="assumed", passed=right, score=float(right), reason="not asked for"),
        ),
    )


def _merge_decisions(partial: Decision, settled: Decision, missing: int) -> Decision:
    """Replace the findings over the present answers by those that hold in any case."""
    favored = "head" if settled.verdict is Verdict.FAIL else "base"
    findings = [
        replace(finding, facts=finding.facts._replace(assumed_answers=missing, assumed_for=favored))
        if missing and isinstance(finding.facts, QualityFacts)
        else finding
        for finding in settled.findings
    ]
    findings += [finding for finding in partial.findings if finding.rule in LIMITS | judge_rule.RULES]
    if missing:
        findings.append(remark("early-stop", partial.comparison.plan.name, EarlyStopFacts(skipped=missing)))
    return replace(partial, verdict=settled.verdict, findings=tuple(findings), adjusted_p=settled.adjusted_p)
