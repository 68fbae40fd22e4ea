"""Early stop: the verdict that holds whatever the answers not yet asked for would be (exact curtailment)."""

from collections.abc import Sequence
from dataclasses import replace

from promptci import verdict as verdicts
from promptci.config.policy import GatePolicy
from promptci.findings import Finding, remark
from promptci.gates import judge_rule
from promptci.gates.decide import decide
from promptci.gates.evidence import Multiplicity
from promptci.gates.facts import EarlyStopFacts, QualityFacts
from promptci.gates.model import GateReport
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Completion
from promptci.runs import adaptive_repeats
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm
from promptci.scoring.comparison import compare_versions
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict

ZONES = frozenset({"regression", "not-worse", "cannot-tell"})
"""Findings that depend on answers not asked for."""
LIMITS = frozenset({"cost", "p95"})
"""Findings on what was measured of answers there are; nothing can be assumed of the others."""

MAX_MARGIN = 0.5
"""From this margin on, the bound of the drop may fall by one more broken pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptBounds:
    """What the gate would decide about one prompt if every answer still missing favoured one version."""

    best: PromptRun
    """Head right, base wrong. The limits on cost and latency are left out."""
    worst: PromptRun
    """Head wrong, base right."""
    measured: PromptRun
    """As `best`, with the limits: what counts for a prompt of which nothing is missing."""
    missing: int
    """Answers not asked for yet."""

    @property
    def name(self) -> str:
        """Name of the prompt."""
        return self.best.name

    def decided(self, policy: GatePolicy) -> PromptRun | None:
        """Return the run with the decision that no answer can change any more; None while an answer can.

        A failure is settled when it stands with everything in head's favour. That is exact where cases pass or fail,
        count alike and are asked once: the more pairs broke, the smaller the p of McNemar's test (the within-case test
        of single answers) and the larger the drop. Repeats, marks, weights and clusters have no such order, so there
        only critical cases and `min_quality` settle. `pass` and `inconclusive` are settled where both bounds agree and
        no limit on cost or latency can still be crossed.
        Calls that fail, and a provider that changes its model during the run, are not accounted for.
        """
        if not self.missing:
            return self.worst if self.measured.verdict is self.worst.verdict else None
        if (certain := _certain(self.best)) is not None:
            return certain
        open_limits = policy.max_cost_increase is not None or policy.max_p95_increase is not None
        return self.worst if _agree(self.best, self.worst, policy) and not open_limits else None


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictBounds:
    """What the gate would decide about a run if every answer still missing favoured one version."""

    prompts: tuple[PromptBounds, ...]
    """In the order of the run."""
    best_pooled: Finding | None
    worst_pooled: Finding | None

    def all_decided(self, policy: GatePolicy) -> bool:
        """Whether no answer can change any verdict, that of the prompts together included."""
        decided = [
            run for bounds in self.prompts if (run := bounds.decided(policy.for_prompt(bounds.name))) is not None
        ]
        if len(decided) < len(self.prompts):
            return False
        worst = verdicts.worst(run.verdict for run in decided)
        return worst in (Verdict.FAIL, Verdict.ERROR) or _verdict(self.best_pooled) is _verdict(self.worst_pooled)


def _verdict(finding: Finding | None) -> Verdict | None:
    return finding.verdict if finding else None


def bounds(runs: Sequence[PromptRun], policy: GatePolicy) -> VerdictBounds:
    """Return both bounds.

    Which prompts count in the correction for several depends on answers still missing, so head's best case corrects
    for all and its worst for none.
    """
    no_limits: dict[str, None] = {"max_cost_increase": None, "max_p95_increase": None}
    own = {name: {**values, **no_limits} for name, values in policy.by_prompt.items()}
    without = replace(policy, max_cost_increase=None, max_p95_increase=None, by_prompt=own)
    favoured_head, favoured_base = (
        [_complete(run, policy.for_prompt(run.name), favoured=arm) for run in runs] for arm in (Arm.HEAD, Arm.BASE)
    )
    best = decide(favoured_head, without, multiplicity=Multiplicity.ALL)
    worst = decide(favoured_base, policy, multiplicity=Multiplicity.NONE)
    measured = decide(favoured_head, policy, multiplicity=Multiplicity.ALL)
    return VerdictBounds(
        prompts=tuple(
            PromptBounds(best=best_run, worst=worst_run, measured=measured_run, missing=len(run.unanswered))
            for run, best_run, worst_run, measured_run in zip(
                runs, best.prompts, worst.prompts, measured.prompts, strict=True
            )
        ),
        best_pooled=best.pooled,
        worst_pooled=worst.pooled,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class StopState:
    """What is decided whatever the answers still missing would be."""

    complete: bool
    """Whether no answer can change any verdict."""
    decided: tuple[bool, ...]
    """Of each prompt, in the order of the run: whether no answer can change its verdict."""


def stop_state(runs: Sequence[PromptRun], policy: GatePolicy) -> StopState:
    """Look at the answers so far: what `pipeline.rounds` asks after each chunk of questions."""
    both = bounds(runs, policy)
    decided = tuple(of_prompt.decided(policy.for_prompt(of_prompt.name)) is not None for of_prompt in both.prompts)
    return StopState(complete=both.all_decided(policy), decided=decided)


def report(plain: GateReport) -> GateReport:
    """Return the report of a run that was stopped early: `plain` is the one of the answers there are.

    Raises
    ------
    ValueError
        Where some verdict is not settled, so that the run should have gone on.
    """
    both = bounds(plain.prompts, plain.policy)
    prompts = []
    for run, of_prompt in zip(plain.prompts, both.prompts, strict=True):
        settled = of_prompt.decided(plain.policy.for_prompt(run.name))
        if settled is None:
            raise ValueError(f"the verdict of {run.name} is not settled")
        prompts.append(_merge_decisions(run, settled, of_prompt.missing))
    return replace(plain, prompts=tuple(prompts), pooled=both.worst_pooled)


def _certain(best: PromptRun) -> PromptRun | None:
    """Return a failure (or an error) that stands although everything to come is in head's favour."""
    if best.verdict is Verdict.ERROR:
        return best
    if best.verdict is not Verdict.FAIL:
        return None
    if _is_ordered(best):
        return best
    findings = tuple(finding for finding in best.findings if finding.rule not in ZONES)
    failed = verdicts.worst(finding.verdict for finding in findings) is Verdict.FAIL
    return best.with_decision(Verdict.FAIL, findings, best.adjusted_p) if failed else None


def _agree(best: PromptRun, worst: PromptRun, policy: GatePolicy) -> bool:
    """Whether all outcomes between these two have their verdict.

    Base passes least in head's best case. There and in the worst, the same rule must have decided about quality, and
    base must pass enough that a drop of the margin is possible: else an outcome between may have too little to lose.
    """
    if best.verdict is not worst.verdict or not _is_ordered(best):
        return False
    best_rule, worst_rule = (run.findings[0].rule if run.findings else "" for run in (best, worst))
    effect = best.effect
    has_enough = best_rule != "not-worse" or effect is None or effect.reference >= policy.max_drop
    return best_rule == worst_rule and has_enough


def _is_ordered(run: PromptRun) -> bool:
    """Whether more broken pairs always mean a smaller p, a larger drop and a larger bound of it."""
    samples = run.samples
    if samples is None:
        return True
    design = samples.design
    return samples.is_plain and samples.has_single_answers and not design.adaptive and design.margin < MAX_MARGIN


def _complete(run: PromptRun, policy: GatePolicy, *, favoured: Arm) -> PromptRun:
    """Compare as if each missing answer were right for the favoured version and wrong for the other."""
    counted = run.counted()
    cases = counted.cases_by_id

    def assumed(question: Question) -> ScoredCase:
        return _build_assumed(question, cases[question.case_id], right=question.arm is favoured)

    whole = [*counted.scored, *map(assumed, run.unanswered)]
    known = {scored.answer.key for scored in whole}
    outcomes = {scored.answer.key: scored.passed for scored in whole}
    follow_ups = adaptive_repeats.find_follow_ups(counted.plan, run.follow_ups, outcomes)
    whole += [assumed(question) for question in follow_ups if question.key not in known]
    # What is known of the judge is said of the answers there are, so that it is not said twice.
    completed = replace(counted, scored=whole, judging=None)
    return compare_versions(completed, alpha=policy.alpha, margin=policy.max_drop)


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


def _describe_measured(
    settled: QualityFacts, measured: QualityFacts | None, verdict: Verdict, missing: int
) -> QualityFacts:
    """Return the facts that settle the verdict, with the counts of the answers there are: no others were seen."""
    facts = settled._replace(assumed_answers=missing, assumed_for="head" if verdict is Verdict.FAIL else "base")
    if measured is None:
        return facts
    return facts._replace(
        base=measured.base,
        head=measured.head,
        pairs=measured.pairs,
        worse=measured.worse,
        better=measured.better,
        passed=measured.passed,
        interval=measured.interval if verdict is Verdict.FAIL else facts.interval,
    )


def _merge_decisions(partial: PromptRun, settled: PromptRun, missing: int) -> PromptRun:
    """Replace the findings over the present answers by those that hold in any case."""
    measured = next((finding.facts for finding in partial.findings if isinstance(finding.facts, QualityFacts)), None)
    findings = [
        replace(finding, facts=_describe_measured(finding.facts, measured, settled.verdict, missing))
        if missing and isinstance(finding.facts, QualityFacts)
        else finding
        for finding in settled.findings
        if finding.rule not in LIMITS
    ]
    findings += [finding for finding in partial.findings if finding.rule in LIMITS | judge_rule.RULES]
    if missing:
        findings.append(remark("early-stop", partial.name, EarlyStopFacts(skipped=missing)))
    return partial.with_decision(settled.verdict, findings, settled.adjusted_p)
