"""Comparisons in a notation that a person can read.

One line a case: `id base head`, where a side is `1` (right), `0` (wrong), `!` (the call failed), `-` (not asked), a
number such as `0.4` (the mean of graded marks), or several with commas (`1,0,1`: replicates). A `*` after the id
makes the case critical, a `~` marks its text as changed, a `?` sets it aside, `@name` after it puts it into a cluster.
"""

import re
from decimal import Decimal
from typing import Any

from support.plans import prompt_plan

from promptci.goldens.model import Assertion, Case
from promptci.prompts.model import Message, Prompt
from promptci.providers.base import Completion
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm, PlannedCase, Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.scoring.prompt_run import PromptRun

LINE = re.compile(
    r"(?P<id>[\w-]+)(?P<critical>\*?)(?P<changed>~?)(?P<aside>\??)(?:@(?P<cluster>\w+))?\s+(?P<base>\S+)\s+(?P<head>\S+)"
)

PER_ARM = ("cost", "latency", "models", "fingerprints", "finish", "cached_base")
ASIDE = "flaky, and Ann looks into it"


def quality_rows(*, right: int = 0, broken: int = 0, fixed: int = 0, wrong: int = 0) -> str:
    """So many cases of each outcome, as lines."""
    kinds = [("right", right, "1 1"), ("broken", broken, "1 0"), ("fixed", fixed, "0 1"), ("wrong", wrong, "0 0")]
    return "\n".join(f"{name}{i} {sides}" for name, count, sides in kinds for i in range(count))


def prompt(text: str, model: str = "m") -> Prompt:
    return Prompt(
        name="greeter", path="prompts/greeter.prompt.yml", model=model, messages=(Message(role="user", content=text),)
    )


def comparison(
    rows: str,
    *,
    status: Status = Status.CHANGED,
    alpha: float = 0.05,
    graded: bool = False,
    plan: dict[str, Any] | None = None,
    **facts: Any,
) -> PromptRun:
    """Make the comparison that these rows describe.

    `facts`: `cost=(base, head)` dollars, `latency=(base, head)` ms, `models=(base, head)`,
    `fingerprints=(base, head)` and `finish=(base, head)` (several with commas: by turns), `cached_base`, or any field
    of PromptPlan.
    """
    per_arm = {key: facts.pop(key, None) for key in PER_ARM}
    cases, scored = [], []
    for line in filter(None, map(str.strip, rows.splitlines())):
        match = LINE.fullmatch(line)
        assert match, f"not a case: {line!r}"
        kind = "llm" if graded else "equals"
        case = Case(
            id=match["id"],
            path="goldens/greeter.jsonl",
            critical=bool(match["critical"]),
            cluster=match["cluster"],
            assertions=(Assertion(type=kind, value="x"),),
        )
        new = match["base"] == "-"
        change = "new" if new else "changed" if match["changed"] else "same"
        cases.append(PlannedCase(case=case, change=change, excluded_reason=ASIDE if match["aside"] else None))
        for arm, written in ((Arm.BASE, match["base"]), (Arm.HEAD, match["head"])):
            scored += [
                _scored(case, arm, i, score, per_arm) for i, score in enumerate(written.split(",")) if written != "-"
            ]
    fields = {
        "name": "greeter",
        "path": "prompts/greeter.prompt.yml",
        "status": status,
        "base": None if status is Status.ADDED else prompt("old"),
        "head": None if status is Status.DELETED else prompt("new"),
        "cases": tuple(cases),
    }
    built_plan = prompt_plan(**fields | facts | (plan or {}))
    return compare_versions(PromptRun(plan=built_plan, scored=scored), alpha=alpha)


def _scored(case: Case, arm: Arm, replicate: int, written: str, per_arm: dict[str, Any]) -> ScoredCase:
    side = 0 if arm is Arm.BASE else 1
    failed = written == "!"
    cost: Decimal | None = (per_arm["cost"] or (None, None))[side]
    answer = Answer(
        prompt="greeter",
        arm=arm,
        case_id=case.id,
        replicate=replicate,
        request_key=f"{arm}{case.id}",
        completion=None
        if failed
        else Completion(
            text=written,
            latency_ms=(per_arm["latency"] or (None, None))[side],
            model=_by_turns(per_arm["models"], side, case),
            fingerprint=_by_turns(per_arm["fingerprints"], side, case),
            finish_reason=_by_turns(per_arm["finish"], side, case),
        ),
        error=AnswerError(kind="server", message="HTTP 500") if failed else None,
        cost_usd=cost,
        cached=bool(per_arm["cached_base"]) and arm is Arm.BASE,
    )
    if failed:
        return ScoredCase(case=case, arm=arm, replicate=replicate, answer=answer)
    score = float(written)
    kind = case.assertions[0].type
    mark = AssertionResult(type=kind, name=kind, passed=score > 0, score=score, reason="as written")
    return ScoredCase(case=case, arm=arm, replicate=replicate, answer=answer, results=(mark,))


def _by_turns(sides: tuple[str | None, str | None] | None, side: int, case: Case) -> str | None:
    """Return one of several names, by the case."""
    names = (sides[side] or "").split(",") if sides else [""]
    return names[sum(map(ord, case.id)) % len(names)] or None
