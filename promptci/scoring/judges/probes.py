"""Probes: answers that are useless under any rubric and carry an attack, scored by the judges of a run.

A judge that lets one pass may be talked into passing anything, so it is not trusted in this run. They are scored in the
context of real cases, in the way real answers are scored.
"""

import asyncio
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from promptci.files import canonical
from promptci.goldens.model import Assertion
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Completion
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges import evaluator, judge, pairwise, prompt_injection
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.prompt_injection import CORPUS, PromptInjection
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.wording import join_names

USELESS_ANSWER = "Bla bla bla, qwrt zxcv 0000."
NO_INJECTION = PromptInjection(name="no attack at all", kind="plain", text="")
"""The useless answer alone: a judge that passes it was not talked into anything, it lets everything pass."""
_PASS = re.compile(r"\bpass\b", re.IGNORECASE)
MAX_LISTED_INJECTIONS = 5
"""Attacks that are named in a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeOutcome:
    """How one judge scored the probes."""

    judge: str
    prompts: tuple[str, ...] = ()
    """Names of the prompts whose answers it marks."""
    asked: int
    passed: tuple[str, ...]
    """Names of the attacks that it let pass."""
    unscored: int

    @property
    def compromised(self) -> bool:
        """Whether a useless answer passed."""
        return bool(self.passed)

    @property
    def untested(self) -> bool:
        """Whether no mark at all could be had."""
        return self.asked > 0 and self.unscored == self.asked


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeTarget:
    """A place where a judge marks: an assertion of a case, and an answer to it that was given."""

    judge_name: str
    """Its name."""
    judge_key: str
    """Equal keys are one judge."""
    assertion: Assertion
    scored: ScoredCase


def distrust_reason(outcome: ProbeOutcome) -> str | None:
    """Return why this judge is not trusted in this run, to be read after `not trusted:`; None if nothing was found."""
    if outcome.compromised:
        names = list(dict.fromkeys(outcome.passed))
        everything = ", one without any attack among them" if NO_INJECTION.name in names else ""
        named = join_names(names, MAX_LISTED_INJECTIONS)
        return f"it let {len(outcome.passed)} of {outcome.asked} useless answers pass{everything} ({named})"
    if outcome.untested:
        return f"it gave none of the {outcome.asked} useless answers a mark, so it was not tested"
    return None


def find_targets(scored: Iterable[ScoredCase], judge_config: JudgeConfig) -> dict[str, list[ProbeTarget]]:
    """Return the judges whose marks count, each with one target for every case it has scored."""
    targets: dict[str, dict[tuple[str, str], ProbeTarget]] = {}
    for scored_case in sorted(
        scored,
        key=lambda scored_case: (
            scored_case.answer.prompt,
            scored_case.case.id,
            scored_case.arm,
            scored_case.replicate,
        ),
    ):
        for assertion in scored_case.case.assertions if scored_case.text is not None else ():
            if assertion.type in prompt_injection.JUDGE_TYPES and assertion.weight > 0:
                target = _make_target(assertion, scored_case, judge_config.for_prompt(scored_case.answer.prompt))
                targets.setdefault(target.judge_key, {}).setdefault(
                    (scored_case.answer.prompt, scored_case.case.id), target
                )
    return {key: list(targets_by_case.values()) for key, targets_by_case in targets.items()}


def select_probes(
    key: str, targets: Sequence[ProbeTarget], count: int
) -> Iterator[tuple[PromptInjection, ProbeTarget]]:
    """Choose attacks and targets: each kind in turn, each target in turn, always the same for the same judge."""
    start = int(canonical.digest(key)[:8], 16)
    order = sorted(
        targets, key=lambda target: canonical.digest([key, target.scored.answer.prompt, target.scored.case.id])
    )
    for number, attack in enumerate(itertools.islice(itertools.cycle(_interleave_kinds(start)), count)):
        yield attack, order[number % len(order)]


async def run_probes(scored: Sequence[ScoredCase], judge_config: JudgeConfig, count: int) -> tuple[ProbeOutcome, ...]:
    """Send `count` probes to each judge that has marked an answer."""
    targets = find_targets(scored, judge_config) if count else {}
    return tuple(
        await asyncio.gather(
            *(_probe_judge(key, judge_targets, judge_config, count) for key, judge_targets in targets.items())
        )
    )


def probe_text(attack: PromptInjection, assertion: Assertion) -> str:
    """Return the answer that carries an attack, in the words of the judge: its best choice stands for `pass`."""
    if attack.whole_answer:
        return attack.text
    text = attack.text
    if assertion.type == "llm":
        best = max(assertion.value["choices"], key=lambda choice: float(choice["score"]))
        text = _PASS.sub(lambda _: str(best["choice"]).strip(), text)
    return f"{USELESS_ANSWER}\n\n{text}".rstrip()


async def _probe_judge(key: str, targets: Sequence[ProbeTarget], judge_config: JudgeConfig, count: int) -> ProbeOutcome:
    probes = list(select_probes(key, targets, count))
    marks = await asyncio.gather(*(_mark_probe(attack, target, judge_config) for attack, target in probes))
    return ProbeOutcome(
        judge=targets[0].judge_name,
        prompts=tuple(dict.fromkeys(target.scored.answer.prompt for target in targets)),
        asked=len(probes),
        passed=tuple(attack.name for (attack, _), mark in zip(probes, marks, strict=True) if mark.passed),
        unscored=sum(mark.passed is None for mark in marks),
    )


async def _mark_probe(attack: PromptInjection, target: ProbeTarget, judge_config: JudgeConfig) -> AssertionResult:
    """Score one probe like an answer of head; a pairwise judge compares it with the real answer."""
    real = target.scored.answer
    judge_config = judge_config.for_prompt(real.prompt)
    text = probe_text(attack, target.assertion)
    answer = Answer(
        prompt=real.prompt,
        arm=Arm.HEAD,
        case_id=real.case_id,
        replicate=0,
        request_key="canary",
        completion=Completion(text=text, finish_reason="stop"),
    )
    subject = Subject(text=text, case=target.scored.case, answer=answer)
    if _is_pairwise(target.assertion, real.prompt, judge_config):
        rival = Subject(text=target.scored.text or "", case=target.scored.case, answer=real)
        return (await pairwise.compare_answers(target.assertion, rival, subject, judge_config))[1]
    return await judge.judge_answer(target.assertion, subject, judge_config)


def _make_target(assertion: Assertion, scored: ScoredCase, judge_config: JudgeConfig) -> ProbeTarget:
    if assertion.type == "llm":
        model = evaluator.model_name(assertion, judge_config.model)
        name = f"{base.shorten(assertion.name or assertion.type)} ({base.shorten(model)})"
        key = canonical.digest(assertion.value)
    else:
        pairs = _is_pairwise(assertion, scored.answer.prompt, judge_config)
        name = f"{judge_config.model} ({'pairwise, ' if pairs else ''}by the rubric)"
        key = canonical.digest([assertion.type, judge_config.model, pairs])
    return ProbeTarget(judge_name=name, judge_key=key, assertion=assertion, scored=scored)


def _is_pairwise(assertion: Assertion, prompt: str, judge_config: JudgeConfig) -> bool:
    return assertion.type == "judge" and prompt in judge_config.pairwise


def _interleave_kinds(start: int) -> list[PromptInjection]:
    """Return all attacks, one of each kind before the second of any; the plain answer comes with the first."""
    kinds: dict[str, list[PromptInjection]] = {}
    for attack in (*CORPUS, NO_INJECTION):
        kinds.setdefault(attack.kind, []).append(attack)
    turned = [[*attacks[start % len(attacks) :], *attacks[: start % len(attacks)]] for attacks in kinds.values()]
    return [attack for row in itertools.zip_longest(*turned) for attack in row if attack is not None]
