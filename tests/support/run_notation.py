"""Whole runs in a notation that a person can read: prompts with their texts, cases with both answers.

One line a case: `id | asked | expected | before | now`. An answer is right when it is the expected text. A `*` after
the id makes the case critical, `~` marks it as changed, `+` as new, `-` as gone from the change's own goldens, `?` sets
it aside. An answer `!text` is a failed
call, `-` was not asked, one that ends in `{0.4}` got that mark from a judge, `{0.5 flipped}` from one that compares,
`{unread}` none, because the judge could not be understood;
` / ` stands between replicates.

With `confusion` a judge is measured by so many labels, with `doubt` it is not trusted for that reason; what it says has
no weight where it is not trusted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from support.plans import prompt_plan

from promptci.config.policy import GatePolicy
from promptci.findings import Finding, MessageFacts
from promptci.gates.decide import decide
from promptci.goldens.model import Assertion, Case
from promptci.prompts.model import Message, Prompt
from promptci.providers.base import Completion, Usage
from promptci.report.build import view
from promptci.report.build.run_facts import RunFacts
from promptci.report.model.report import ReportView, RevisionView, SpendView
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan, Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.judges import trust
from promptci.scoring.judges.trust import Calibration, JudgeSummary
from promptci.scoring.model import AssertionResult, JudgeIdentity, PositionConsistency, ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates.raters import Confusion
from promptci.verdict import Verdict

BASE = RevisionView(rev="main", sha="1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d")
HEAD = RevisionView(rev="shorter-prompt", sha="5d6e7f8a9b0c1d2e3f4a5d6e7f8a9b0c1d2e3f4a")
JUDGE = JudgeIdentity(model="gpt-4o-mini", fingerprint="1a2b3c4d" * 8, parameters=(("temperature", 0),))
SPEND = SpendView(calls=118, cached=2, usd=0.0312, usd_is_lower_bound=False)

OLD = """\
name: order-extractor
model: gpt-4o-mini
modelParameters:
  temperature: 0
  maxTokens: 20
messages:
  - role: system
    content: |
      You read e-mails to a shop. Answer with the order number and nothing else.
      If there is none, answer NONE.
  - role: user
    content: "Mail: Where is order 1234? It has not come."
  - role: assistant
    content: "1234"
  - role: user
    content: "Mail: {{mail}}"
"""
NEW = """\
name: order-extractor
model: gpt-4o-mini
modelParameters:
  temperature: 0
  maxTokens: 60
messages:
  - role: system
    content: |
      You are a friendly assistant. Find the order number in the customer's e-mail.
  - role: user
    content: "Mail: {{mail}}"
"""

_ANSWER = re.compile(r"(?P<text>.*?)(?:\s*\{(?P<score>[\d.]+|unread)(?: (?P<orders>\w+))?\})?", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """What the calls of both versions cost and how long they took."""

    usd: tuple[float | None, float | None] = (0.000112, 0.000131)
    ms: tuple[float, float] = (520.0, 610.0)
    models: tuple[str, str] = ("gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18")


def prompt(name: str, source: str) -> Prompt:
    return Prompt(
        name=name,
        path=f"prompts/{name}.prompt.yml",
        model="gpt-4o-mini",
        messages=(Message(role="system", content=source.replace("\r\n", "\n")),),
        source=source,
    )


def comparison(
    rows: str, *, name: str = "order-extractor", kind: str = "equals", numbers: Numbers | None = None, **plan: Any
) -> PromptRun:
    """Make the comparison that these rows describe; `plan` sets any field of PromptPlan."""
    cases, scored = [], []
    status = plan.setdefault("status", Status.CHANGED)
    plan.setdefault("why", ("prompt changed",))
    plan.setdefault("base", None if status is Status.ADDED else prompt(name, OLD))
    plan.setdefault("head", None if status is Status.DELETED else prompt(name, NEW))
    if plan["base"] and plan["head"] and plan["base"].fingerprint == plan["head"].fingerprint:
        numbers = numbers or Numbers(usd=(0.000112, 0.000112), ms=(520.0, 520.0))
    for index, line in enumerate(filter(None, map(str.strip, rows.splitlines()))):
        written, asked, expected, before, now = (cell.strip().replace("⏎", "\n") for cell in line.split("|"))
        case = Case(
            id=written.rstrip("*~+?-"),
            vars={"mail": asked},
            expected=expected,
            assertions=(Assertion(type=kind, value=expected),),
            critical="*" in written,
            tags=("refund",) if "refund" in asked else (),
            path=f"goldens/{name}.jsonl",
        )
        change = "new" if "+" in written else "changed" if "~" in written else "same"
        aside = "quarantined until 2026-12-31 by Ann: a coin flip" if "?" in written else None
        kept = not written.endswith("-")
        cases.append(PlannedCase(case=case, change=change, excluded_reason=aside, kept=kept))
        for arm, answers in ((Arm.BASE, before), (Arm.HEAD, now)):
            for replicate, answer in enumerate(answers.split(" / ")):
                if answer != "-":
                    scored.append(_scored(case, arm, (index, replicate), answer, numbers or Numbers()))
    confusion, doubt = plan.pop("confusion", None), plan.pop("doubt", None)
    built_plan = prompt_plan(name=name, path=f"prompts/{name}.prompt.yml", cases=tuple(cases), **plan)
    if confusion is None and doubt is None:
        return compare_versions(PromptRun(plan=built_plan, scored=scored), alpha=0.05)
    judged = judging(built_plan, scored, confusion or Confusion(), doubt)
    run = PromptRun(plan=built_plan, scored=scored, trust=judged.trust, judging=judged)
    return compare_versions(run.counted(), alpha=0.05)


def judging(plan: PromptPlan, scored: Sequence[ScoredCase], table: Confusion, doubt: str | None = None) -> JudgeSummary:
    """Measure the judge of a prompt by labels with these outcomes; of an empty table: there are no labels."""
    outcomes = (
        ((True, True), table.tp),
        ((False, True), table.fp),
        ((True, False), table.fn),
        ((False, False), table.tn),
    )
    pairs = tuple(pair for pair, count in outcomes for _ in range(count))
    calibration = Calibration(pairs=pairs, unscored=1) if pairs else None
    cases = {planned.case.id: planned.case for planned in plan.task.cases}
    return JudgeSummary(
        trust=trust.assess_trust(calibration, 0.6, (doubt,) if doubt else (), (JUDGE,)),
        base=trust.measure_judged_rate(cases, scored, Arm.BASE, calibration),
        head=trust.measure_judged_rate(cases, scored, Arm.HEAD, calibration),
    )


def _scored(case: Case, arm: Arm, place: tuple[int, int], written: str, numbers: Numbers) -> ScoredCase:
    index, replicate = place
    side = 0 if arm is Arm.BASE else 1
    usd = numbers.usd[side]
    failed = written.startswith("!")
    match = _ANSWER.fullmatch(written)
    assert match
    text = match["text"]
    completion = Completion(
        text=text,
        usage=Usage(input_tokens=140 + index, output_tokens=max(1, len(text) // 4)),
        latency_ms=round(numbers.ms[side] * (0.8 + 0.1 * (index * 7 % 13) + (1.5 if index % 29 == 7 else 0)), 1),
        model=numbers.models[side],
        fingerprint="fp_b705f0c291",
        finish_reason="stop",
    )
    answer = Answer(
        prompt="order-extractor",
        arm=arm,
        case_id=case.id,
        replicate=replicate,
        request_key=f"{arm}-{case.id}-{replicate}",
        completion=None if failed else completion,
        error=AnswerError(kind="server", message=written[1:] or "HTTP 503") if failed else None,
        cost_usd=None if failed or usd is None else Decimal(str(usd)),
    )
    if failed:
        return ScoredCase(case=case, arm=arm, replicate=replicate, answer=answer)
    mark = _mark(case, text, match["score"])
    if match["orders"]:
        mark = replace(
            mark,
            name="judge (pairwise)",
            passed=None if match["orders"] == "flipped" else mark.score != 0,
            score=None if match["orders"] == "flipped" else mark.score,
            position_consistency=PositionConsistency(match["orders"]),
        )
    return ScoredCase(case=case, arm=arm, replicate=replicate, answer=answer, results=(mark,))


def _mark(case: Case, text: str, score: str | None) -> AssertionResult:
    kind = case.assertions[0].type
    if score == "unread":
        reason = "the judge's answer could not be read, twice: `I would rather not say.`"
        return AssertionResult(type=kind, name="helpful", passed=None, score=None, reason=reason, judge=JUDGE)
    if score is not None:
        passed = float(score) >= 0.5
        return AssertionResult(
            type=kind, name="helpful", passed=passed, score=float(score), reason="judge said so", judge=JUDGE
        )
    right = text == case.expected
    reason = "is the expected text" if right else f"expected `{case.expected}`"
    label = (str(case.expected), text) if kind == "one-of" else None
    return AssertionResult(type=kind, name=kind, passed=right, score=float(right), reason=reason, label=label)


_MAILS = (
    "My order {n} arrived damaged. Could I have a refund?",
    "Hello, any news about {n}? I ordered two weeks ago.",
    "I'd like to return order number {n}, the shoes are too small.",
    "Please cancel {n}. Thank you, Ana",
    "Invoice for order {n} is missing from your mail of Monday.",
)


def many(*, right: int = 0, broken: int = 0, fixed: int = 0, wrong: int = 0, start: int = 0) -> str:
    """So many cases of each outcome, as lines."""
    chatty = "Sure! The order number in this e-mail is {n}. Can I help with anything else?"
    kinds = (("{n}", chatty, broken), (chatty, "{n}", fixed), ("{n}", "{n}", right), ("NONE", chatty, wrong))
    lines: list[str] = []
    for before, now, count in kinds:
        for _ in range(count):
            i = start + len(lines)
            n = str(4711 + 37 * i)
            cells = (f"mail-{i + 1:02}", _MAILS[i % len(_MAILS)], "{n}", before, now)
            lines.append(" | ".join(cells).replace("{n}", n))
    return "\n".join(lines)


def problem(rule: str, message: str, verdict: Verdict = Verdict.ERROR) -> Finding:
    """Make a finding about the run as a whole."""
    return Finding(rule=rule, verdict=verdict, subject="", facts=MessageFacts(message=message))


def report(
    *comparisons: PromptRun, policy: GatePolicy | None = None, problems: Sequence[Finding] = (), **facts: Any
) -> ReportView:
    """Decide the comparisons and give the view; `facts` sets any field of RunFacts."""
    scored = [answer for run in comparisons for answer in run.scored]
    nothing = bool(scored) and all(each.answer.completion is None for each in scored)
    inputs: dict[str, Any] = {
        "base": BASE,
        "head": HEAD,
        "repository": "acme/shop",
        "pull_request": 42,
        "generated_at": "2026-03-02T09:30:00Z",
        "provider": "api.openai.com",
        "spend": SpendView(calls=len(scored), cached=0, usd=0.0, usd_is_lower_bound=False) if nothing else SPEND,
        "requests_per_day": 50_000.0,
        "gate_source": "promptci.yml at 1a2b3c4 (base)",
        "promptci_version": "0.1.0",
        **facts,
    }
    return view.build_view(decide(list(comparisons), policy or GatePolicy(), problems), facts=RunFacts(**inputs))
