"""What a run adds to the memory, and what the memory knows about the same cases and prompts."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from promptci.compare import case_power
from promptci.config.policy import About, GatePolicy
from promptci.files import canonical
from promptci.gates import quality_rule
from promptci.goldens.model import Case
from promptci.memory import flaky as flakiness
from promptci.memory.model import CaseRecord
from promptci.report.build.cases import case_views
from promptci.report.build.run_facts import RunFacts
from promptci.report.model import json_safe
from promptci.report.model.report import CaseView, FlakyCaseView, FlakyView, PastQualityView, TallyView, VerdictName
from promptci.runs.prompt_plan import Arm
from promptci.scoring.paired_case import PairedCase
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import power

DIGEST_DIGITS = 16
"""Digits of a digest in the memory: enough to tell cases apart."""

MAX_PAST_VERSIONS = 20
VERDICTS: dict[str, VerdictName] = {"pass": "pass", "inconclusive": "inconclusive", "fail": "fail"}
"""Verdicts that are based on a measurement."""


def build_case_views(run: PromptRun, facts: RunFacts, known: FlakyView) -> Iterator[CaseView]:
    """Return the views of all cases, with what the memory records of them."""
    flaky_ids = {case.id for case in known.cases}
    first = run.plan.task.first_repeats
    for paired in run.cases:
        yield case_views.build_case_view(
            paired,
            digest=case_digest(paired.case, facts.judge_digest),
            flaky=json_safe.text(paired.case.id) in flaky_ids,
            tallies=_tallies(paired, first) if facts.answers_are_fresh else (),
        )


def case_digest(case: Case, judge: str) -> str:
    """Return the identity of a question in the memory; a judged case depends on its judge too."""
    judged = any(assertion.type == "judge" for assertion in case.assertions)
    return (canonical.digest([case.digest, judge]) if judged else case.digest)[:DIGEST_DIGITS]


def build_flaky_view(run: PromptRun, policy: GatePolicy, facts: RunFacts) -> FlakyView:
    """Return the flaky cases of a prompt, and how often two equal runs would disagree.

    Only records of the present text of a case count. The repeats of this run show flaky cases as well; the noise is
    that of earlier runs, so that a result is not weighed by itself.
    """
    name = json_safe.text(run.name)
    earlier = [record for record in facts.earlier_cases if record.prompt == name]
    asked = run.cases if earlier else ()
    now = {(json_safe.text(paired.case.id), case_digest(paired.case, facts.judge_digest)) for paired in asked}
    records = [record for record in earlier if (record.case, record.digest) in now]
    own = list(_record_repeats(run, facts)) if facts.answers_are_fresh else []
    noise = flakiness.measure_discordance(records, name)
    needed = _estimate_needed(run, policy, noise.rate) if noise and noise.rate else None
    return FlakyView(
        cases=[
            FlakyCaseView(id=json_safe.text(flaky_case.case), passes=flaky_case.passes, fails=flaky_case.fails)
            for flaky_case in flakiness.find_flaky_cases([*records, *own], name)
        ],
        discordance=noise.rate if noise else None,
        measured=noise.cases if noise else 0,
        cases_needed=needed,
    )


def _record_repeats(run: PromptRun, facts: RunFacts) -> Iterator[CaseRecord]:
    """Yield how each case that was asked more than once in this run fared, as the memory will have it."""
    change = run.plan.change
    sides = {Arm.BASE: change.base, Arm.HEAD: change.head}
    fingerprints = {arm: "" if prompt is None else _short(prompt.fingerprint) for arm, prompt in sides.items()}
    for paired in run.cases:
        if max(len(paired.answers(arm)) for arm in Arm) < 2:
            continue
        for tally in _tallies(paired, run.plan.task.first_repeats):
            yield CaseRecord(
                run="",
                at="",
                prompt=json_safe.text(run.name),
                fingerprint=fingerprints[Arm(tally.arm)],
                case=json_safe.text(paired.case.id),
                digest=case_digest(paired.case, facts.judge_digest),
                model=tally.model,
                passes=tally.passes,
                fails=tally.fails,
                chosen=tally.on_disagreement,
            )


def _estimate_needed(run: PromptRun, policy: GatePolicy, noise: float) -> int:
    """Return how many cases settle the margin at this noise, by the rule in force."""
    if policy.about is About.GOLDENS and run.effect is not None and run.samples is not None:
        return case_power.cases_to_exclude(noise, quality_rule.find_asking(run, run.effect), run.samples.design)
    return power.cases_needed(policy.max_drop, noise, alpha=policy.alpha)


def build_past_versions(run: PromptRun, facts: RunFacts) -> list[PastQualityView]:
    """Return the versions of a prompt that earlier checks measured in the same way, each by its last check.

    Without the two versions of this run, which the view has already.
    """
    plan = run.plan
    now = {_short(side.fingerprint) for side in (plan.change.base, plan.change.head) if side is not None}
    versions: dict[str, PastQualityView] = {}
    for record in sorted(facts.earlier_verdicts, key=lambda record: record.at):
        fingerprint = _short(record.fingerprints[1] or "")
        alike = run.effect is not None and record.measure == run.effect.measure
        if (
            record.prompt != json_safe.text(plan.name)
            or not alike
            or record.quality is None
            or fingerprint in {*now, ""}
        ):
            continue
        if record.verdict in VERDICTS:
            versions.pop(fingerprint, None)
            versions[fingerprint] = PastQualityView(
                at=json_safe.text(record.at),
                commit=json_safe.optional_text(record.head),
                pull_request=record.pull_request,
                fingerprint=json_safe.text(fingerprint),
                verdict=VERDICTS[record.verdict],
                measure="mean score" if record.measure == "mean score" else "pass rate",
                quality=record.quality[1],
                pairs=record.pairs,
            )
    return list(versions.values())[-MAX_PAST_VERSIONS:]


def _short(fingerprint: str) -> str:
    return fingerprint[:DIGEST_DIGITS]


def _tallies(paired: PairedCase, first_repeats: int | None) -> list[TallyView]:
    """Count the answers that a model gave in this run and that could be marked."""
    counts: Counter[tuple[Arm, str | None, bool, bool]] = Counter()
    for arm in Arm:
        for scored in paired.answers(arm):
            if scored.passed is not None and scored.answer.completion is not None and not scored.answer.cached:
                chosen = first_repeats is not None and scored.replicate >= first_repeats
                counts[(arm, scored.answer.completion.model, chosen, scored.passed)] += 1
    return [
        _tally(arm, model, counts[(arm, model, chosen, True)], counts[(arm, model, chosen, False)], chosen=chosen)
        for arm, model, chosen in dict.fromkeys(key[:3] for key in counts)
    ]


@lru_cache(maxsize=4096)  # thousands of cases share a few
def _tally(arm: Arm, model: str | None, passes: int, fails: int, *, chosen: bool) -> TallyView:
    return TallyView(
        arm=arm.value, model=json_safe.optional_text(model), passes=passes, fails=fails, on_disagreement=chosen
    )
