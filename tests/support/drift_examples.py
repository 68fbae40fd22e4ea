"""Facts of every rule of drift, several sets each."""

from collections.abc import Mapping, Sequence

from promptci.drift.facts import (
    AffectedAnswers,
    AskedAgain,
    ChangedTests,
    DriftOutage,
    EarlierVersion,
    MissedNights,
    PinnedModel,
    ProbedModel,
    ReadingFacts,
    ReferenceProgress,
    RefusedAnswers,
    RejudgedAnswers,
    SeenModel,
    SeenModels,
)
from promptci.findings import Facts, MessageFacts, NoFacts

READING = ReadingFacts(
    quality=0.82,
    expected=0.96,
    cases=100,
    reference_answers=20,
    frozen="2026-03-02",
    total=0.12,
    limit=0.056,
    cliff=0.074,
    since="2026-03-20",
    worse=("late-parcel", "two-orders"),
)
STEADY = READING._replace(quality=0.95, total=0.01, since=None, worse=())
OUTAGE = DriftOutage(missing=30, asked=100, limit=0.05, reason="timeout: no answer within 60 s")
REJUDGED = RejudgedAnswers(answers=40, before=0.95, now=0.8, worse=6, better=0, p=0.0078, stored="2026-03-02")
PINNED = PinnedModel(alias="gpt-4o-mini", pinned="gpt-4o-mini-2024-07-18", quality=0.82, pinned_quality=0.96, p=0.0001)
PROBED = ProbedModel(model="gpt-4o-mini", answers=20, p=0.0002, new_models=())
AFFECTED = AffectedAnswers(version="v1.3.0", since="2026-03-19 03:17 UTC", requests=2083, users=1950)
EARLIER = EarlierVersion(version="v1.2.0", quality=0.95, now=0.82, p=0.0004)

DRIFT_EXAMPLES: Mapping[str, Sequence[Facts]] = {
    "drift-steady": [STEADY, STEADY._replace(since="2026-03-20")],
    "drift-learning": [STEADY._replace(limit=None, total=0.0, reference_answers=10)],
    "drift-sum": [READING, READING._replace(worse=())],
    "drift-cliff": [READING, READING._replace(limit=None, reference_answers=5)],
    "drift-confirmed": [AskedAgain(first=0.82, pooled=0.83)],
    "drift-not-confirmed": [AskedAgain(first=0.88, pooled=0.93)],
    "drift-outage": [OUTAGE, OUTAGE._replace(missing=100, asked=100)],
    "drift-error": [MessageFacts("`order` has no goldens"), OUTAGE._replace(reason="auth: the key is not valid.")],
    "drift-no-reference": [NoFacts()],
    "drift-not-comparable": [
        ChangedTests(changes=(name,), frozen="2026-03-02") for name in ("prompt", "goldens", "judge")
    ]
    + [ChangedTests(changes=("goldens", "judge"), frozen="2026-03-02")],
    "drift-judge-moved": [REJUDGED],
    "drift-judge-same": [REJUDGED._replace(now=0.95, worse=1, better=1, p=0.5)],
    "drift-pinned-holds": [PINNED],
    "drift-pinned-too": [PINNED._replace(pinned_quality=0.82, p=0.5)],
    "drift-models": [
        SeenModels(kind="model", seen=(SeenModel("gpt-5-mini", "2026-03-20"),), before=("gpt-4o-mini-2024-07-18",)),
        SeenModels(
            kind="system fingerprint",
            seen=(SeenModel("fp_1", "2026-03-19"), SeenModel("fp_2", "2026-03-20")),
            before=("fp_0",),
        ),
    ],
    "drift-missed-nights": [MissedNights(last="2026-03-02", nights=1), MissedNights(last="2026-03-02", nights=5)],
    "drift-refusals": [RefusedAnswers(refusals=3, answers=100)],
    "drift-probe": [PROBED, PROBED._replace(p=0.4, new_models=("gpt-5-mini",)), PROBED._replace(p=None)],
    "drift-probe-same": [PROBED._replace(p=0.4)],
    "drift-no-earlier": [EarlierVersion(version="")],
    "drift-earlier-silent": [EarlierVersion(version="v1.2.0")],
    "drift-affected": [AFFECTED, AFFECTED._replace(users=None), AFFECTED._replace(requests=None, reason="no log")],
    "drift-earlier-better": [EARLIER],
    "drift-earlier-no-better": [EARLIER._replace(quality=0.83, p=0.4)],
    "drift-frozen": [
        ReferenceProgress(answers=5, path="drift/order.reference.json", added=5),
        ReferenceProgress(answers=20, path="drift/order.reference.json", added=5),
        ReferenceProgress(answers=5, path="drift/order.reference.json", added=0),
    ],
    "drift-frozen-whole": [ReferenceProgress(answers=20, path="drift/order.reference.json", added=0)],
}
