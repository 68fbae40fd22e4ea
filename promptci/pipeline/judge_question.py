"""A judge's request as a question of the run, so that it is asked, cached and paid for as any other."""

from promptci.providers.base import Request
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm

JUDGE_PROMPT_NAME = "judge"
"""Used as the prompt's name in the journal's rows of judges' answers."""


def judge_question(request: Request, attempt: int = 0) -> Question:
    """Return a judge's request as a question; equal requests are one question."""
    return Question(prompt=JUDGE_PROMPT_NAME, arm=Arm.HEAD, case_id=request.key, replicate=attempt, request=request)
