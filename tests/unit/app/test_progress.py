from promptci.app.progress import PlainProgress
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
