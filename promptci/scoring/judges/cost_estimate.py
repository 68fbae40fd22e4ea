"""What judges will be asked, before there are answers to mark: for the price of a run."""

from collections.abc import Mapping, Sequence

from promptci.goldens.model import Case
from promptci.providers import prices
from promptci.providers.base import Request
from promptci.runs.estimate import estimate_max_usage
from promptci.runs.model import Question
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges import judge


def judge_requests(
    cases: Mapping[str, Case], questions: Sequence[Question], *, model: str | None, rubric: str | None
) -> Sequence[Request]:
    """Return the judges' requests for one prompt, with the longest answers it allows in place of the real ones.

    Retries, probes, and the second order of answers judged in pairs are not in it.
    """
    requests = []
    for question in questions:
        case = cases[question.case_id]
        for place in judge.judged_positions(case):
            subject = Subject(text=_longest(question), case=case, answer=question.answer())
            request = judge.build_request(case.assertions[place], subject, model=model, rubric=rubric)
            requests += [] if request is None else [request]
    return requests


def _longest(question: Question) -> str:
    """Return a text of the length of the longest answer, of its own for each question."""
    length = prices.CHARACTERS_PER_TOKEN * estimate_max_usage(question.request).output_tokens
    return f"{question.arm} {question.replicate} ".ljust(length, "x")
