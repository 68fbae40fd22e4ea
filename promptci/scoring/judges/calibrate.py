"""Have a judge mark answers that people have marked, through the same desk as any others."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptci.goldens.model import Case
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer, Arm
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges import judge
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.trust import Calibration
from promptci.scoring.model import AssertionResult


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledAnswer:
    """One answer that people have marked, with the case it answers."""

    case: Case
    """With the assertions by which the judge marks it, and no others."""
    text: str
    acceptable: bool
    """What people say."""

    @property
    def subject(self) -> Subject:
        """The answer as the judge gets it: exactly as it would get the same answer in a run."""
        answer = Answer(
            prompt="label",
            arm=Arm.HEAD,
            case_id=self.case.id,
            replicate=0,
            request_key="",
            completion=Completion(text=self.text),
        )
        return Subject(text=self.text, case=self.case, answer=answer)


async def calibrate(labelled: Sequence[LabelledAnswer], desk: JudgeConfig) -> Calibration:
    """Mark every labelled answer; it passes where all of the case's judged assertions hold."""
    found = await asyncio.gather(*(_marks(one, desk) for one in labelled))
    scored = [
        (one.acceptable, all(mark.passed for mark in marks))
        for one, marks in zip(labelled, found, strict=True)
        if not any(mark.passed is None for mark in marks)
    ]
    silent = [mark.reason for marks in found for mark in marks if mark.passed is None]
    return Calibration(
        pairs=tuple(scored), unscored=len(labelled) - len(scored), first_failure=silent[0] if silent else None
    )


def calibration_requests(
    labelled: Sequence[LabelledAnswer], *, model: str | None, rubric: str | None
) -> Iterator[Request]:
    """Yield what would be asked, for an estimate of its price."""
    for one in labelled:
        for assertion in one.case.assertions:
            request = judge.build_request(assertion, one.subject, model=model, rubric=rubric)
            if request is not None:
                yield request


async def _marks(one: LabelledAnswer, desk: JudgeConfig) -> Sequence[AssertionResult]:
    return await asyncio.gather(
        *(judge.judge_answer(assertion, one.subject, desk) for assertion in one.case.assertions)
    )
