"""List the cases that a run asks, and make the recording for `kind: recorded` from a program's answers to them."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from promptci.documents.written_files import WrittenFiles
from promptci.errors import InputError, Problem
from promptci.evaluation import run
from promptci.files import write
from promptci.files.lines import decode_utf8
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection.collect_all import select_prompts
from promptci.pipeline.plan import planning
from promptci.pipeline.plan.planning import PlannedRun
from promptci.providers import recorded
from promptci.providers.command import answer_lines
from promptci.redact import Redactor
from promptci.runs.model import Question
from promptci.wording import count


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordRequest:
    """Whose cases are meant."""

    root: Path
    config_path: str
    head: str
    prompts: tuple[str, ...] = ()


def list_cases(request: RecordRequest) -> str:
    """Return one line of JSON for each question of the first round."""
    planned = _plan(request)
    variables = {(run.name, each.case.id): each.case.vars for run in planned.prompts for each in run.plan.task.cases}
    lines = []
    for line_id, question in _by_line(planned).items():
        name, case_id = question.prompt, question.case_id
        case = {"prompt": name, "case": case_id, "vars": dict(variables[name, case_id])}
        lines.append(answer_lines.dump_case(line_id, question.request, question.replicate, case))
    return "".join(lines)


def record_answers(
    request: RecordRequest, answers: Path, to: Path, redactor: Redactor, *, dry_run: bool = False
) -> WrittenFiles:
    """Write a recording of the answers in a file; a dry run writes nothing.

    Raises
    ------
    InputError
        Where a case has no answer, or a line is no answer to a case.
    """
    questions = _by_line(_plan(request))
    names = {line_id: f"{question.prompt}/{question.case_id}" for line_id, question in questions.items()}
    parsed = answer_lines.parse_answers(decode_utf8(answers.read_bytes(), str(answers)), names)
    failed = [names[line_id] for line_id, answer in parsed.by_id.items() if answer.error is not None]
    faults = parsed.faults or (f"the program could not answer {', '.join(failed)}" if failed else "")
    if faults:
        hint = "Every line of `promptci record --list` takes one line with its `id` and a `text`."
        raise InputError([Problem(path=str(answers), message=redactor.redact(faults), hint=hint)])
    lines = [
        recorded.dump_recorded(questions[line_id].request, questions[line_id].replicate, completion, redactor)
        for line_id, completion in ((key, answer_lines.to_completion(value)) for key, value in parsed.by_id.items())
    ]
    if not dry_run:
        write.write_text(to, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in _sort(lines)))
    return WrittenFiles(files=[str(to)], notes=[count(len(lines), "answer")], dry_run=dry_run)


def _plan(request: RecordRequest) -> PlannedRun:
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        return planning.plan_run(select_prompts(run.collect_everything(head, request.config_path), request.prompts))


def _by_line(planned: PlannedRun) -> dict[str, Question]:
    """Return the questions by the id of their line; questions with the same request are one line."""
    by_id: dict[str, Question] = {}
    for question in planned.questions:
        by_id.setdefault(f"{question.request.key[:16]}-{question.replicate + 1}", question)
    return by_id


def _sort(lines: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(lines, key=lambda line: (str(line["key"]), str(line["replicate"])))
