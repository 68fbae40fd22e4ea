"""What a night comes to: its verdict, and the facts that it rests on."""

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from promptci.drift.chart import Chart, ChartState, Reading
from promptci.drift.facts import ChangedTests, DriftOutage, ReadingFacts, SeenModels
from promptci.drift.night import UNASKED, DriftVerdict, NightLine, render_marks
from promptci.drift.reference import ReferenceDocument, reference_path
from promptci.errors import InputError
from promptci.evaluation.nights.goldens_run import AskedPrompt
from promptci.evaluation.nights.night_records import Nights
from promptci.evaluation.nights.results import PromptNight
from promptci.evaluation.nights.watched import WatchedPrompt
from promptci.findings import Facts, Finding, MessageFacts, NoFacts
from promptci.git.snapshot import Snapshot
from promptci.verdict import Verdict

VERDICTS = {
    DriftVerdict.STEADY: Verdict.PASS,
    DriftVerdict.LEARNING: Verdict.INCONCLUSIVE,
    DriftVerdict.DRIFT: Verdict.FAIL,
    DriftVerdict.JUDGE_MOVED: Verdict.INCONCLUSIVE,
    DriftVerdict.NOT_COMPARABLE: Verdict.INCONCLUSIVE,
    DriftVerdict.OUTAGE: Verdict.ERROR,
    DriftVerdict.ERROR: Verdict.ERROR,
}
MAX_NAMED_CASES = 10
HALF = 0.5


def find_changes(reference: ReferenceDocument, prompt: WatchedPrompt) -> tuple[str, ...]:
    """Return what is no longer as in the reference."""
    pairs = {
        "prompt": (reference.fingerprint, prompt.prompt.fingerprint),
        "goldens": (reference.goldens, prompt.goldens),
        "judge": (reference.judge, prompt.judge),
    }
    return tuple(name for name, (then, now) in pairs.items() if then != now)


class Obstacle(NamedTuple):
    """What prevents a comparison before anything is asked."""

    verdict: DriftVerdict
    rule: str
    facts: Facts


NO_REFERENCE = Obstacle(DriftVerdict.NOT_COMPARABLE, "drift-no-reference", NoFacts())


def find_obstacle(head: Snapshot, prompt: WatchedPrompt) -> Obstacle | None:
    """Return why answers could not be compared with a reference, so that none are paid for; None where they can be."""
    reference, _, problem = load_reference(head, prompt.name)
    if problem is not None:
        return Obstacle(DriftVerdict.ERROR, "drift-error", MessageFacts(problem))
    if reference is None:
        return NO_REFERENCE
    if changes := find_changes(reference, prompt):
        changed = ChangedTests(changes=changes, frozen=reference.frozen)
        return Obstacle(DriftVerdict.NOT_COMPARABLE, "drift-not-comparable", changed)
    return None


def load_reference(head: Snapshot, prompt: str) -> "tuple[ReferenceDocument | None, str | None, str | None]":
    """Return the committed reference, the digest of its file, and what is wrong with it."""
    path = reference_path(prompt)
    data = head.read(path)
    if data is None:
        return None, None, None
    try:
        return ReferenceDocument.parse(data, path), sha256(data).hexdigest(), None
    except InputError as error:
        return None, sha256(data).hexdigest(), str(error)


def conclude(night: PromptNight, verdict: DriftVerdict, rule: str, facts: Facts) -> PromptNight:
    """Return the night with its verdict and the finding that it rests on, first."""
    night.verdict = verdict
    night.findings.insert(0, Finding(rule=rule, verdict=VERDICTS[verdict], subject=night.name, facts=facts))
    if night.line is not None:
        night.line = night.line.model_copy(update={"verdict": verdict})
    return night


def report_broken(name: str, reason: str) -> PromptNight:
    """Return the night of a prompt that could not be planned."""
    night = PromptNight(name=name, version="?", verdict=DriftVerdict.ERROR)
    return conclude(night, DriftVerdict.ERROR, "drift-error", MessageFacts(reason))


def find_outage(asked: AskedPrompt, max_error_rate: float) -> DriftOutage | None:
    """Return the missing answers where they are too many for a night to count; None: enough came."""
    if asked.scored and len(asked.missing) <= max_error_rate * len(asked.scored):
        return None
    return DriftOutage(missing=len(asked.missing), asked=len(asked.scored), limit=max_error_rate, reason=asked.reason)


def conclude_outage(night: PromptNight, asked: AskedPrompt, outage: DriftOutage) -> PromptNight:
    """Return the night as an outage, or as an error where the requests themselves were at fault."""
    verdict = DriftVerdict.ERROR if asked.is_our_fault else DriftVerdict.OUTAGE
    return conclude(night, verdict, f"drift-{verdict}", outage)


def choose_rule(verdict: DriftVerdict, reading: Reading) -> str:
    """Return the rule that a compared night is a finding of."""
    if verdict is DriftVerdict.DRIFT:
        return "drift-cliff" if reading.alarm == "cliff" else "drift-sum"
    return f"drift-{verdict}"


def describe_reading(
    chart: Chart, reading: Reading, reference: ReferenceDocument, after: ChartState, means: Mapping[str, float]
) -> ReadingFacts:
    """Return the facts of a compared night."""
    falls = {case: chart.means[case] - means[case] for case in chart.means if case in means}
    worst = sorted((case for case in falls if falls[case] >= HALF), key=lambda case: (-falls[case], case))
    return ReadingFacts(
        quality=reading.quality,
        expected=reading.expected,
        cases=len(falls),
        reference_answers=reference.answers,
        frozen=reference.frozen,
        total=after.total,
        limit=chart.limit,
        cliff=chart.cliff,
        since=after.since,
        worse=tuple(worst[:MAX_NAMED_CASES]),
    )


def count_changed(expected: Mapping[str, float], means: Mapping[str, float]) -> int:
    """Return how many cases differ from what most of the reference's answers were."""
    return sum(round(expected[case]) != round(means[case]) for case in expected if case in means)


def begin_line(
    prompt: WatchedPrompt, asked: AskedPrompt, reference: str | None, state: ChartState, at: str
) -> NightLine:
    """Return a night's line as far as it is known before anything is compared."""
    return NightLine(
        at=at,
        prompt=prompt.name,
        version=prompt.version,
        fingerprint=prompt.prompt.fingerprint,
        goldens=prompt.goldens,
        judge=prompt.judge,
        reference=reference,
        model=prompt.prompt.model,
        models=asked.seen("model"),
        system_fingerprint=asked.seen("fingerprint"),
        n=len(prompt.weights),
        marks=render_marks(prompt.weights, asked.means),
        errors=len(asked.missing),
        refusals=asked.refusals,
        cusum=state.total,
        since=state.since,
        steady=state.steady,
        verdict=DriftVerdict.ERROR,
    ).model_copy(update=asked.numbers())


def find_new_models(asked: AskedPrompt, reference: ReferenceDocument, nights: Nights, day: str) -> list[SeenModels]:
    """Return the models that the reference does not have, and the system fingerprints that the last night did not."""
    before = [line for line in nights.lines if line.verdict not in UNASKED][-1:]
    fingerprints = before[0].system_fingerprint if before else ()
    seen = [
        nights.find_new("model", asked.seen("model"), reference.models, day),
        nights.find_new("system fingerprint", asked.seen("fingerprint"), fingerprints, day),
    ]
    return [facts for facts in seen if facts is not None]
