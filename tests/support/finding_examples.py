"""Facts of every rule, several sets each: what the gold texts and the sweeps of wording are made from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from support.drift_examples import DRIFT_EXAMPLES

from promptci.findings import (
    Facts,
    FilteredRun,
    InterruptedRun,
    MessageFacts,
    NoFacts,
    NoSecrets,
    PromptNames,
    UntestedSettings,
)
from promptci.gates.baseline_facts import (
    ComparedCases,
    MismatchFacts,
    MissingGoldens,
    NewPromptFacts,
    NoCommonCases,
    NothingToLose,
    SharedCause,
)
from promptci.gates.facts import (
    CaseIds,
    CostFacts,
    CriticalFacts,
    CutOffFacts,
    DistrustFacts,
    EarlyStopFacts,
    EditedGoldens,
    EmptyGoldens,
    EndpointFacts,
    ExcludedFacts,
    FailingNewCases,
    InjectionFacts,
    JudgeCandidates,
    MinQualityFacts,
    MissingAnswers,
    OddAnswers,
    P95Facts,
    PooledFacts,
    PositionBiasFacts,
    QualityFacts,
    ReturnedModels,
    SuiteResult,
    WeakenedGoldens,
)
from promptci.gates.people.approval_rule import ApprovalFacts, Approver
from promptci.monitor.alerts.facts import AlertFacts, DataFacts
from promptci.rollout.facts import (
    CountedArms,
    CountedUsers,
    ForecastFacts,
    MetricFacts,
    MetricName,
    ModelFacts,
    NewCanary,
    NoRequests,
    OutageFacts,
    RollbackFacts,
    ShareFacts,
    TimeFacts,
    UnscoredFacts,
)
from promptci.runs.prompt_plan import UnreachedChange

APPROVAL = ApprovalFacts(
    role="medical-review", pattern="prompts/clinical/**", prompts=("triage",), needed=1, by=("dr-ada",)
)
APPROVERS = (Approver(login="dr-ada", id=7, at=datetime(2026, 11, 2, 9, tzinfo=UTC)),)
DROP = QualityFacts(
    measure="pass rate",
    base=58 / 60,
    head=31 / 60,
    pairs=60,
    worse=28,
    better=1,
    passed=(58, 31),
    interval=(-0.556, -0.349),
    confidence=0.9,
    p=0.00001,
    alpha=0.05,
    margin=0.05,
    detectable_drop=0.11,
    cases_needed=None,
    repeats_needed=None,
    same_requests=False,
)
SCORES = DROP._replace(
    measure="mean score", base=0.812, head=0.637, passed=None, pairs=24, worse=20, better=4, interval=(-0.2, -0.15)
)
EQUAL = DROP._replace(base=0.9, head=0.9, pairs=100, passed=(90, 90), worse=5, better=5, interval=(-0.02, 0.02), p=0.5)
OPEN = EQUAL._replace(interval=(-0.057, 0.057), cases_needed=248, repeats_needed=3)
TWELVE = tuple(f"case-{number}" for number in range(12))

ALERT = AlertFacts(
    kind="threshold", metric="quality", limit=0.9, value=0.82, n=1204, over_s=3600, interval=(0.797, 0.841)
)
BURN = AlertFacts(kind="burn-rate", metric="errors", limit=6, value=8.23, n=1204, over_s=21600, baseline=0.99)
WEEK = AlertFacts(
    kind="last-week",
    metric="quality",
    limit=0.05,
    value=-0.14,
    n=1204,
    over_s=21600,
    baseline=0.96,
    now=0.82,
    interval=(-0.17, -0.11),
)
SILENCE = AlertFacts(kind="threshold", metric="silence", limit=7200, value=10800, n=0, over_s=3600)

SINCE = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SHARE = ShareFacts(share=2.5, step=5)
METRIC = MetricFacts(
    metric="quality",
    limit=0.02,
    control=0.96,
    canary=0.82,
    control_n=2000,
    canary_n=120,
    p_worse=0.0000002,
    alpha=0.0008,
    min_requests=200,
    per_user=True,
)

EXAMPLES: Mapping[str, Sequence[Facts]] = {
    "regression": [
        DROP,
        DROP._replace(about="goldens", max_drop=0.6, p=0.0003),
        SCORES._replace(p=0.031),
        SCORES._replace(about="goldens", max_drop=0.3, judged=True),
        DROP._replace(assumed_answers=1200, assumed_for="head"),
    ],
    "not-worse": [
        EQUAL,
        EQUAL._replace(about="goldens", max_drop=0.031, interval=(-0.12, 0.11)),
        EQUAL._replace(about="goldens", max_drop=0.0, interval=(0.01, 0.11), head=0.99, passed=(90, 99)),
        EQUAL._replace(head=0.99, passed=(90, 99), interval=(0.04, 0.14), worse=0, better=9),
        EQUAL._replace(same_requests=True, interval=(0.0, 0.0), worse=0, better=0),
        EQUAL._replace(assumed_answers=1, assumed_for="base"),
    ],
    "cannot-tell": [
        OPEN,
        OPEN._replace(about="goldens", max_drop=0.07),
        OPEN._replace(about="goldens", max_drop=0.055),
        OPEN._replace(about="goldens", max_drop=1.0),
        OPEN._replace(repeats_needed=None),
        OPEN._replace(repeats_needed=None, cases_needed=1041),
        OPEN._replace(about="goldens", max_drop=0.046, missing_decides=1),
        OPEN._replace(interval=None, detectable_drop=None, cases_needed=None),
    ],
    "no-pairs": [
        NoCommonCases(),
        NoCommonCases(is_first=True),
        NoCommonCases(is_first=True, uncommitted=("promptci.yml", "goldens/order.jsonl")),
    ],
    "no-answered-pairs": [ComparedCases(compared=1), ComparedCases(compared=24)],
    "not-comparable": [MismatchFacts(mismatches=("different models answered: before gpt-4o, after gpt-4o-mini",))],
    "new-prompt": [
        NewPromptFacts(passed=8, cases=8, added=True),
        NewPromptFacts(passed=8, cases=8, added=False),
        NewPromptFacts(passed=25, cases=30, added=True, min_quality=0.8),
        NewPromptFacts(passed=23, cases=30, added=True, min_quality=0.8, is_below=True),
        NewPromptFacts(passed=1, cases=1, added=False, critical=1),
        NewPromptFacts(passed=0, cases=0, added=False, min_quality=0.8, critical=2),
        NewPromptFacts(passed=0, cases=3, added=False, critical=1, crosses_limit=True),
    ],
    "pooled": [
        PooledFacts(prompts=("p", "q"), pairs=100, worse=8, better=3, delta=-0.05, p=0.05, dropped=True),
        PooledFacts(prompts=("p", "q", "r"), pairs=100, worse=8, better=4, delta=-0.04, p=0.05, dropped=False),
    ],
    "deleted": [EmptyGoldens(removed=0), EmptyGoldens(removed=100)],
    "nothing-compared": [NoFacts()],
    "unreached-change": [
        UnreachedChange(paths=("order.j2",), conditions=("{% if vip %}",), unset=("vip",)),
        UnreachedChange(paths=("order.j2",), conditions=('{% if tier == "gold" %}',)),
        UnreachedChange(paths=("order.j2", "tone.j2")),
    ],
    "missing-goldens": [
        MissingGoldens(),
        MissingGoldens(removed=30),
        MissingGoldens(left_behind=True, old_rule="regression", by_old=DROP),
        MissingGoldens(removed=30, old_rule="cannot-tell", by_old=DROP),
    ],
    "no-cases": [
        EmptyGoldens(removed=0, paths=("goldens/order.csv",)),
        EmptyGoldens(removed=1),
        EmptyGoldens(removed=120),
    ],
    "nothing-evaluated": [
        MissingAnswers(missing=16, requested=16, max_error_rate=0.05, first_error="auth: HTTP 401: the key is invalid"),
        MissingAnswers(missing=0, requested=1, max_error_rate=0.05, first_error=None),
        MissingAnswers(
            missing=60,
            requested=60,
            max_error_rate=0.05,
            first_error="auth: HTTP 401: the key is invalid",
            version="both",
            unsent=57,
            kind="auth",
        ),
        MissingAnswers(
            missing=60,
            requested=60,
            max_error_rate=0.05,
            first_error="no-key: HTTP 401. OPENAI_API_KEY is not set: the key is invalid",
            version="both",
            unsent=57,
            kind="no-key",
        ),
        MissingAnswers(
            missing=24,
            requested=24,
            max_error_rate=0.05,
            first_error="unscored: helpful: the reply is invalid",
            unscored=True,
        ),
        MissingAnswers(
            missing=3,
            requested=3,
            max_error_rate=0.05,
            first_error="provider: the key is invalid",
            unsent=3,
            kind="provider",
        ),
        MissingAnswers(
            missing=3,
            requested=3,
            max_error_rate=0.05,
            first_error="connection: the certificate is invalid",
            kind="connection",
        ),
    ],
    "nothing-to-lose": [
        NothingToLose(passed=0, cases=60, shared_cause=SharedCause("same-tag", "<think>")),
        NothingToLose(passed=0, cases=60, shared_cause=SharedCause("equal-answers", "I `cannot`")),
        NothingToLose(passed=0, cases=60, shared_cause=SharedCause("equal-answers", " ")),
        NothingToLose(passed=0, cases=60, shared_cause=SharedCause("identical-requests")),
        NothingToLose(passed=1, cases=60, shared_cause=None),
    ],
    "nothing-required": [
        NewPromptFacts(passed=0, cases=10, added=False),
        NewPromptFacts(passed=4, cases=8, added=True),
        NewPromptFacts(passed=1, cases=12, added=False, critical=1),
    ],
    "critical-unanswered": [
        CaseIds(ids=("vip",)),
        CaseIds(ids=("vip", "refund")),
        CaseIds(ids=("vip",), unscored=True),
    ],
    "critical-never-answered": [
        CaseIds(ids=("vip",)),
        CaseIds(ids=("vip", "refund")),
        CaseIds(ids=("vip",), unscored=True),
    ],
    "critical-unconfirmed": [CaseIds(ids=("vip",))],
    "unanswered": [CaseIds(ids=TWELVE), CaseIds(ids=TWELVE, unscored=True)],
    "unreachable": [MessageFacts(message="no pattern of `prompts.include` matches src/prompts/order.prompt.yml")],
    "error-rate": [
        MissingAnswers(missing=9, requested=60, max_error_rate=0.05, first_error="server: HTTP 500", version="head"),
        MissingAnswers(missing=1200, requested=9800, max_error_rate=0.05, first_error="server: HTTP 500"),
        MissingAnswers(
            missing=9,
            requested=60,
            max_error_rate=0.05,
            first_error="unscored: helpful: the reply is invalid",
            version="head",
            unscored=True,
        ),
    ],
    "all-excluded": [
        ExcludedFacts(ids=("a", "b"), cases=2, reasons=("quarantined: flaky", "weight 0")),
        ExcludedFacts(ids=("a",), cases=1, reasons=("weight 0",)),
    ],
    "excluded": [
        ExcludedFacts(ids=("a",), cases=102, reasons=("quarantined: flaky",)),
        ExcludedFacts(ids=TWELVE, cases=1200, reasons=("weight 0",)),
    ],
    "critical": [
        CriticalFacts(ids=("refund-policy",), added=False),
        CriticalFacts(ids=("refund-policy", "vip"), added=True),
        CriticalFacts(ids=TWELVE, added=False),
    ],
    "min-quality": [
        MinQualityFacts(quality=0.754, limit=0.8),
        MinQualityFacts(quality=None, limit=0.8),
        MinQualityFacts(quality=0.754, limit=0.8, upper_end=0.84),
    ],
    "cost": [
        CostFacts(base=0.0001, head=0.000158, limit=0.25),
        CostFacts(base=0.0001, head=0.000158, limit=0.25, cause="model", models=("small-1", "large-1")),
        *(
            CostFacts(base=0.0001, head=0.000158, limit=0.25, cause=cause, base_tokens=(30, 2), head_tokens=after)
            for cause, after in (
                ("answers", (30.0, 11.0)),
                ("prompt", (60.0, 2.0)),
                ("both", (60.0, 11.0)),
                ("price", (30.0, 2.0)),
            )
        ),
        CostFacts(base=0.0001, head=0.000158, limit=0.25, p=0.081, shown=False, cases=40, needed=8),
        CostFacts(base=0.0001, head=0.000158, limit=0.25, shown=False, cases=5, needed=8),
        CostFacts(base=None, head=0.000158, limit=0.25, unpriced="my-model"),
        CostFacts(base=0.0001, head=None, limit=0.25, unpriced="my-model"),
        CostFacts(base=0.0001, head=None, limit=0.25),
        CostFacts(base=None, head=None, limit=0.25),
    ],
    "p95": [
        P95Facts(base=1040, head=1664, limit=0.5, answers=100, certain=True),
        P95Facts(base=812, head=1664, limit=0.5, answers=20, certain=False),
        P95Facts(base=812, head=1664, limit=0.5, answers=100, certain=True, unequal_caching=True),
    ],
    "goldens-removed": [CaseIds(ids=("a",)), CaseIds(ids=TWELVE)],
    "goldens-weakened": [
        WeakenedGoldens(ids=("a",), base_decides=True),
        WeakenedGoldens(ids=TWELVE, base_decides=False),
    ],
    "new-cases-fail": [
        FailingNewCases(ids=("n-00", "n-01", "n-02", *TWELVE), added=20, critical=3),
        FailingNewCases(ids=("n-00",), added=1),
    ],
    "goldens-compared": [
        EditedGoldens(
            base_goldens=SuiteResult(verdict="fail", cases=100, base=1.0, head=0.8),
            head_goldens=SuiteResult(verdict="pass", cases=80, base=1.0, head=1.0),
        ),
        EditedGoldens(
            base_goldens=SuiteResult(verdict="inconclusive", cases=1, base=1.0, head=1.0),
            head_goldens=SuiteResult(verdict="inconclusive", cases=0, base=None, head=None),
        ),
    ],
    "model-returned": [
        ReturnedModels(versions=("base", "head"), requested="gpt-4o-mini", returned=("llama-3.1-8b",)),
        ReturnedModels(versions=("head",), requested="gpt-4o-mini", returned=("llama-3.1-8b", "qwen-2")),
    ],
    "odd-model": [
        OddAnswers(ids=("a",), answers=1, requested=120, first="answered by llama-3.1-8b, all others by gpt-4o-mini"),
        OddAnswers(ids=TWELVE, answers=14, requested=1200, first="answered by qwen-2, all others by gpt-4o-mini"),
    ],
    "endpoint-differs": [EndpointFacts(base=("fp_1",), head=("fp_1", "fp_2", "fp_3", "fp_4"))],
    "cut-off": [
        CutOffFacts(reason="length", head=60, head_answers=60, base=0, base_answers=60, nearly_all=True),
        CutOffFacts(reason="length", head=1, head_answers=60, base=0, base_answers=60, nearly_all=False),
        CutOffFacts(reason="content_filter", head=7, head_answers=60, base=None, base_answers=0, nearly_all=False),
    ],
    "prompt-injection": [
        InjectionFacts(answers=1, patterns=("instruction",), base_cases=(), head_cases=("m-24",)),
        InjectionFacts(
            answers=3, patterns=("instruction", "hidden text"), base_cases=("m-1",), head_cases=("m-1", "m-2")
        ),
    ],
    "position-bias": [PositionBiasFacts(flipped=30, pairs=100, max_rate=0.2)],
    "judge-not-trusted": [
        DistrustFacts(
            reasons=(
                "it agrees with people no more than chance (kappa −1.00 with 40 labels, 0.6 is needed)",
                "it passed an empty answer",
            )
        )
    ],
    "judge-not-calibrated": [NoFacts()],
    "judge-is-candidate": [JudgeCandidates(models=("m", "n"))],
    "early-stop": [EarlyStopFacts(skipped=1), EarlyStopFacts(skipped=1200)],
    "early-stop-undecided": [MessageFacts(message="the verdict of order is not settled")],
    "deadline": [InterruptedRun(cause="the deadline of 45 minutes (`run.deadline`) passed after 30 of 120 answers")],
    "budget": [InterruptedRun(cause="the budget of $0.05 (`run.budget_usd`) is spent after 30 of 120 answers")],
    "assertion-time": [
        InterruptedRun(
            cause="the assertions took more than 300 s of processor time (`run.assertion_time`); most of it 290.0 s in"
            " 320 checks of case `m-1` by `regex` (goldens/order.jsonl): simplify it, or raise the limit"
        )
    ],
    "application": [MessageFacts(message="the application at head did not answer as it should: 1 case without one.")],
    "provider": [MessageFacts(message="`OPENAI_API_KEY` is not set. Set it.")],
    "input": [MessageFacts(message="goldens/order.jsonl:3: not JSON. Write one object a line.")],
    "could-not-run": [MessageFacts(message="There is no commit `x`. Fetch it.")],
    "filtered": [
        FilteredRun(filters=("--prompt order",), cases=60, all_cases=120),
        FilteredRun(filters=("--prompt order", "--case refund-*"), cases=1, all_cases=60),
    ],
    "no-secrets": [
        NoSecrets(prompts=("order",), source="pull requests from forks", remedy="A maintainer can run it: label it."),
        NoSecrets(prompts=("order", "refund"), source="Dependabot", remedy="Add the key to its secrets."),
    ],
    "unmerged-configuration": [PromptNames(names=("order",)), PromptNames(names=("order", "refund"))],
    "provider-not-tested": [
        UntestedSettings(names=("provider.base_url",)),
        UntestedSettings(names=("provider.kind", "provider.strip_reasoning")),
    ],
    "missing-approval": [
        APPROVAL,
        APPROVAL._replace(needed=2, approvers=APPROVERS, stale=("dr-bo",), by=("dr-ada", "dr-bo", "@acme/medical")),
    ],
    "approval-unknown": [
        APPROVAL._replace(reason="There is no token to ask GitHub with. Give the input github-token.")
    ],
    "approval-not-checked": [APPROVAL, APPROVAL._replace(prompts=("triage", "dose"), by=("dr-ada", "dr-bo"))],
    "approved": [APPROVAL._replace(approvers=APPROVERS)],
    "canary-none": [NoFacts()],
    "canary-complete": [NoFacts()],
    "canary-started": [NewCanary(first_step=5, share=0), NewCanary(first_step=5, share=50)],
    "canary-rolled-back": [RollbackFacts(at=SINCE, reason="quality"), RollbackFacts(at=SINCE, reason="")],
    "canary-reverted": [RollbackFacts(at=SINCE, reason="quality")],
    "canary-paused": [SHARE],
    "canary-resumed": [SHARE],
    "canary-share-raised": [SHARE._replace(share=50)],
    "canary-share-lowered": [SHARE],
    "canary-no-requests": [
        NoRequests(arm="canary", newest=None, since=SINCE),
        NoRequests(arm="canary", newest=None, since=SINCE, counted_from=SINCE + timedelta(minutes=10)),
        NoRequests(arm="stable", newest=SINCE, since=SINCE),
    ],
    "canary-no-values": [MetricName(metric="cost")],
    "canary-users-in-both-arms": [CountedUsers(users=120, total=4200, share=5, p=0.2)],
    "canary-uneven-split": [CountedUsers(users=146, total=4166, share=5, p=0.0002)],
    "canary-wrong-arms": [CountedArms(wrong=900, keyed=9500)],
    "canary-different-models": [
        ModelFacts(canary=("gpt-4o-mini-2024-07-18",), stable=("gpt-4o-mini-2025-01-02", "gpt-4o-mini-x"), p=1e-9)
    ],
    "canary-signal-worse": [METRIC._replace(metric="signals", canary=0.9)],
    "canary-unscored": [UnscoredFacts(canary_unscored=150, canary=2500, stable_unscored=0, stable=47000, p=1e-9)],
    "canary-outage": [OutageFacts(failing=0.31)],
    "canary-too-long": [TimeFacts(elapsed_s=1.3e6, limit_s=14 * 86400)],
    "canary-too-early": [TimeFacts(elapsed_s=5400, limit_s=86400), TimeFacts(elapsed_s=600, limit_s=3 * 86400)],
    "canary-forecast": [
        ForecastFacts(users_per_day=1250, days=3.2, remaining_days=12),
        ForecastFacts(users_per_day=1250, days=0.4, remaining_days=12),
        ForecastFacts(users_per_day=125, days=32, remaining_days=12),
        ForecastFacts(users_per_day=1250, days=None, remaining_days=12),
        ForecastFacts(users_per_day=125, days=None, remaining_days=12, reachable=250),
        ForecastFacts(users_per_day=1250, days=3.2, remaining_days=12, per_user=False),
        ForecastFacts(users_per_day=27, days=6.4, remaining_days=12, earliest=True),
    ],
    "canary-too-few": [METRIC, METRIC._replace(metric="errors", per_user=False)],
    "canary-not-shown": [METRIC, METRIC._replace(metric="errors", limit=0.01, control=None)],
    "canary-worse": [METRIC, METRIC._replace(metric="latency", p_worse=0.0004)],
    "canary-within-limit": [
        METRIC._replace(canary=0.958),
        METRIC._replace(metric="cost", limit=0.25, control=0.75, canary=0.7),
        METRIC._replace(metric="cost", limit=0.25, control=0.75, canary=0.8),
        METRIC._replace(metric="cost", limit=0.25, control=1.0, canary=0.9),
        METRIC._replace(metric="cost", limit=0.25, control=1.0, canary=1.0),
    ],
    "alert-threshold": [
        ALERT,
        ALERT._replace(value=0.96, interval=(0.95, 0.97)),
        ALERT._replace(value=None, n=12),
        ALERT._replace(metric="errors", value=0.031, limit=0.02, interval=(0.022, 0.041)),
        ALERT._replace(metric="negative", value=0.05, limit=0.02, interval=(0.03, 0.07), over_s=6 * 3600),
        ALERT._replace(metric="p95", value=2310, limit=2000, over_s=86400, interval=None),
        ALERT._replace(metric="cost", value=0.0031, limit=0.002, interval=None),
    ],
    "alert-burn-rate": [
        BURN,
        BURN._replace(metric="negative", value=0.4),
        BURN._replace(metric="quality", value=None, n=1),
    ],
    "alert-last-week": [
        WEEK,
        WEEK._replace(metric="errors", limit=0.01, value=0.02, now=0.03, baseline=0.01, interval=(0.012, 0.028)),
        WEEK._replace(metric="cost", limit=0.2, value=0.31, now=0.0031, baseline=0.0024, interval=(0.22, 0.41)),
        WEEK._replace(metric="p95", limit=0.2, value=-0.04, now=960, baseline=1000, interval=(-0.1, 0.02)),
        WEEK._replace(value=None, interval=None, n=0),
    ],
    "alert-silence": [
        SILENCE,
        SILENCE._replace(value=None),
        SILENCE._replace(value=0.0),
        SILENCE._replace(value=3 * 86400.0),
    ],
    "alert-data": [
        DataFacts(cause="ok"),
        DataFacts(cause="missing", limit_s=7200),
        DataFacts(cause="empty", limit_s=7200),
        DataFacts(cause="ahead", newest="2036-03-02T10:00:00Z", limit_s=7200),
        DataFacts(cause="old-look", newest="2026-03-02T10:00:00Z", age_s=9000, limit_s=7200),
        DataFacts(cause="old-data", newest="2026-03-02T10:00:00Z", age_s=260000, limit_s=7200),
    ],
    "alert-removed": [NoFacts()],
    "alert-unknown": [NoFacts()],
    **DRIFT_EXAMPLES,
}
