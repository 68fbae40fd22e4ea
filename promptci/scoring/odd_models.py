"""Few answers of a model that only one version got, as after a gateway's fallback: they are left out as missing.

Whatever difference they make is not the change's. Where one version got more of them than chance explains, or more than
a few, the versions are not comparable (`scoring/comparability`).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from promptci.runs.model import AnswerError
from promptci.runs.prompt_plan import Arm, PromptPlan
from promptci.scoring.model import ScoredCase
from promptci.stats.significance.ratio_tests import hypergeometric_chances

OTHER_MODEL = "other-model"
"""Kind of the error of an answer that is left out."""
MAX_SHARE = 0.05
"""Of a version's answers; more are too many to decide without."""
MAX_CHANCE = 0.05
"""Two-sided chance below which odd answers are not spread over both versions by accident."""


def leave_out(plan: PromptPlan, scored: Iterable[ScoredCase]) -> tuple[ScoredCase, ...]:
    """Return one prompt's scored answers, those of a model that only one version got as missing."""
    answers = tuple(scored)
    base, head = plan.change.base, plan.change.head
    if base is None or head is None or base.model != head.model:
        return answers
    by_arm = [{_model(answer) for answer in answers if answer.arm is arm} - {None} for arm in Arm]
    odd = by_arm[0] ^ by_arm[1]
    if not odd or not all(by_arm) or not _is_accident(answers, odd):
        return answers
    usual = ", ".join(sorted(str(name) for name in by_arm[0] & by_arm[1]))
    return tuple(_mark_missing(answer, usual) if _model(answer) in odd else answer for answer in answers)


def _model(scored: ScoredCase) -> str | None:
    completion = scored.answer.completion
    return completion.model or None if completion is not None else None


def _is_accident(answers: Sequence[ScoredCase], odd: set[str | None]) -> bool:
    named = {
        arm: [_model(answer) for answer in answers if answer.arm is arm and _model(answer) is not None] for arm in Arm
    }
    counts = {arm: sum(model in odd for model in models) for arm, models in named.items()}
    if any(counts[arm] > MAX_SHARE * len(models) for arm, models in named.items()):
        return False
    return _split_chance(counts[Arm.BASE], len(named[Arm.BASE]), counts[Arm.HEAD], len(named[Arm.HEAD])) > MAX_CHANCE


def _split_chance(base_odd: int, base: int, head_odd: int, head: int) -> float:
    """Return the two-sided chance of a split at least so uneven (Fisher's exact test, the smaller tail doubled)."""
    chances = hypergeometric_chances(head, base, base_odd + head_odd)
    return min(1.0, 2 * min(math.fsum(chances[: head_odd + 1]), math.fsum(chances[head_odd:])))


def _mark_missing(scored: ScoredCase, usual: str) -> ScoredCase:
    message = f"answered by {_model(scored)}, all others by {usual}"
    error = AnswerError(kind=OTHER_MODEL, message=message)
    return replace(scored, answer=replace(scored.answer, completion=None, error=error), results=())
