"""Have the judge score answers that people have labelled, exactly as it would score them in a run."""

import asyncio
from collections.abc import Iterator, Sequence

from promptci.goldens.labels import LabelledAnswer
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges import judge
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.trust import Calibration
from promptci.scoring.model import AssertionResult


async def calibrate(labelled: Sequence[LabelledAnswer], judge_config: JudgeConfig) -> Calibration:
    """Score every labelled answer; it passes where all of the case's judged assertions hold."""
    results = await asyncio.gather(*(_score(answer, judge_config) for answer in labelled))
    scored = [
        (answer.acceptable, all(result.passed for result in answer_results))
        for answer, answer_results in zip(labelled, results, strict=True)
        if not any(result.passed is None for result in answer_results)
    ]
    failures = [result.reason for answer_results in results for result in answer_results if result.passed is None]
    return Calibration(
        pairs=tuple(scored), unscored=len(labelled) - len(scored), first_failure=failures[0] if failures else None
    )


def calibration_requests(
    labelled: Sequence[LabelledAnswer], *, model: str | None, rubric: str | None
) -> Iterator[Request]:
    """Yield what would be asked, for an estimate of its price."""
    for answer in labelled:
        for assertion in answer.case.assertions:
            request = judge.build_request(assertion, _subject(answer), model=model, rubric=rubric)
            if request is not None:
                yield request


async def _score(labelled: LabelledAnswer, judge_config: JudgeConfig) -> Sequence[AssertionResult]:
    subject = _subject(labelled)
    return await asyncio.gather(
        *(judge.judge_answer(assertion, subject, judge_config) for assertion in labelled.case.assertions)
    )


def _subject(labelled: LabelledAnswer) -> Subject:
    """Return the answer as the judge would get it in a run."""
    answer = Answer(
        prompt="label",
        arm=Arm.HEAD,
        case_id=labelled.case.id,
        replicate=0,
        request_key="",
        completion=Completion(text=labelled.text),
    )
    return Subject(text=labelled.text, case=labelled.case, answer=answer)
