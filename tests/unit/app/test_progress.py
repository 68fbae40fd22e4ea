from functools import partial

from promptci.app.progress import PlainProgress
from promptci.providers.base import Completion
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm


def test_a_long_wait_is_printed_with_its_reason() -> None:
    lines: list[str] = []

    PlainProgress(lines.append).wait("m: HTTP 429: slow down")

    assert lines == ["waiting: m: HTTP 429: slow down"]


def test_where_nothing_came_nothing_was_paid() -> None:
    """Failed requests have no price; that it is unknown would be another statement."""
    lines: list[str] = []
    progress = PlainProgress(lines.append)
    progress.begin(2)
    for number in range(2):
        error = AnswerError(kind="auth", message="HTTP 401")
        progress.step(
            Answer(prompt="order", arm=Arm.HEAD, case_id=str(number), replicate=0, request_key="k", error=error)
        )
    assert lines[-1] == "2 of 2 answers, 2 failed"


def answer(number: int, *, cached: bool) -> Answer:
    completion = Completion(text="x")
    return Answer(
        prompt="order",
        arm=Arm.HEAD,
        case_id=str(number),
        replicate=0,
        request_key="k",
        completion=completion,
        cached=cached,
    )


def test_cached_answers_get_one_line_together_also_over_several_rounds() -> None:
    lines: list[str] = []
    progress = PlainProgress(lines.append)
    progress.begin(12)
    for number in range(36):
        if number in {12, 24}:
            progress.extend(12)
        progress.step(answer(number, cached=True))
    progress.end()
    progress.end()
    assert lines == ["asking: 12 answers", "36 of 36 answers, 36 from the cache or shared"]


def test_a_line_stands_for_some_answers_unless_they_are_slow() -> None:
    for pause_s, expected in ((1, [5, 10, 12]), (20, [2, 3, 4, 5, 6, 8, 9, 10, 11, 12])):
        lines: list[str] = []
        seconds = range(0, 10_000, pause_s)
        progress = PlainProgress(lines.append, clock=partial(next, map(float, seconds)))
        progress.begin(12)
        for number in range(12):
            progress.step(answer(number, cached=False))
        assert [int(line.split()[0]) for line in lines[1:]] == expected
