"""A report of any number of cases whose texts are as varied as real ones: no two answers alike but by intention.

The sentences are drawn word by word from the project's own pages: after each word comes one that follows it somewhere
in them. That is about as hard to compress as prose is (`test_report_packing.py` holds it to that); a few sentences
repeated would not be.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from support.run_notation import comparison, many, report

from promptci.report.model.report import AnswerView, CaseView, MarkView, PromptView, ReportView

DOCS = Path(__file__).resolve().parents[2] / "docs"
LABELS = ("billing", "delivery", "refund", "technical", "other")
TAGS = ("vip", "long", "german", "angry", "two questions")


@cache
def _followers() -> dict[str, list[str]]:
    """Return the words that follow each word in the documentation."""
    result: dict[str, list[str]] = defaultdict(list)
    for page in sorted(DOCS.glob("*.md")):
        words = re.findall(r"[A-Za-z][\w'-]*[,.]?", page.read_text(encoding="utf-8"))
        for word, following in pairwise(words):
            result[word].append(following)
    return dict(result)


@cache
def _starts() -> list[str]:
    return [word for word in _followers() if word.istitle()]


def prose(chance: random.Random, length: int) -> str:
    """Return about so many characters of text that reads like nothing and compresses like English."""
    followers, starts, draw = _followers(), _starts(), chance.random
    word = starts[int(draw() * len(starts))]
    words, size = [word], len(word)
    while size < length:
        following = followers.get(word) or starts
        word = following[int(draw() * len(following))]
        words.append(word)
        size += len(word) + 1
        if draw() < 0.05:
            number = f"#{int(draw() * 10**6)}"
            words.append(number)
            size += len(number) + 1
    return " ".join(words)


def edited(chance: random.Random, text: str) -> str:
    """Return the text with some of its words replaced, the way two versions of a prompt differ."""
    words = text.split(" ")
    for _ in range(1 + len(words) // 12):
        words[chance.randrange(len(words))] = prose(chance, 12)
    return " ".join(words)


def cases(count: int, seed: int = 5) -> Iterator[CaseView]:
    """Return cases: of 100, four broke, two are fixed, one is lost, five are wrong in both versions."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    for index in range(count):
        draw = chance.random()
        before, now = (draw < 0.04 or draw >= 0.11), draw >= 0.04 and not 0.06 <= draw < 0.11
        lost = 0.11 <= draw < 0.12
        text = prose(chance, chance.randrange(150, 450))
        style = chance.random()  # of the other answers, some are the same, some reworded, some quite different
        other = text if style < 0.3 else edited(chance, text)
        if style >= 0.7:
            other = prose(chance, chance.randrange(150, 450))
        yield CaseView(
            id=f"ticket-{chance.randrange(10**6):06}-{index}",
            change="same",
            outcome="incomplete" if lost else "broken" if before > now else "fixed" if now > before else "same",
            critical=chance.random() < 0.01,
            tags=[tag for tag in TAGS if chance.random() < 0.1],
            input=prose(chance, chance.randrange(60, 240)),
            expected=chance.choice(LABELS),
            flaky=chance.random() < 0.01,
            base_pass_rate=float(before),
            head_pass_rate=None if lost else float(now),
            base=answer(chance, text, before),
            head=failed() if lost else answer(chance, other, now),
        )


def answer(chance: random.Random, text: str, passed: bool) -> AnswerView:
    """Return an answer that a judge marked with a reason of its own."""
    return AnswerView(
        text=text,
        passed=passed,
        score=1.0 if passed else 0.0,
        error=None,
        marks=[
            MarkView(
                name="helpful",
                type="llm",
                passed=passed,
                score=1.0 if passed else 0.0,
                reason=prose(chance, 60),
                judge="gpt-4o-mini",
            )
        ],
        model="gpt-4o-mini-2024-07-18",
        finish_reason="stop",
        input_tokens=chance.randrange(80, 300),
        output_tokens=len(text) // 4,
        latency_ms=round(chance.lognormvariate(6.4, 0.4), 1),
        cost_usd=round(chance.uniform(5e-5, 4e-4), 7),
    )


def failed() -> AnswerView:
    """Return an answer that never came."""
    return AnswerView(text=None, passed=None, score=None, error="HTTP 503 after 5 attempts")


def view(count: int, prompts: int = 1) -> ReportView:
    """Return a report with so many cases, spread over so many prompts."""
    report_view = report(comparison(many(right=40, broken=10), kind="one-of"))
    (model,) = report_view.prompts
    each = count // prompts
    return report_view.model_copy(update={"prompts": [_prompt(model, i, each) for i in range(prompts)]})


def _prompt(model: PromptView, index: int, count: int) -> PromptView:
    drawn = list(cases(count, seed=index + 5))
    return model.model_copy(
        update={
            "name": f"{model.name}-{index + 1}" if index else model.name,
            "case_details": drawn,
            "cases": count,
            "pairs": sum(case.outcome != "incomplete" for case in drawn),
            "regressions": [case.id for case in drawn if case.outcome == "broken"],
            "fixes": [case.id for case in drawn if case.outcome == "fixed"],
        }
    )
