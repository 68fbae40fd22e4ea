"""Label answers of the last run by hand, for measuring the judge. Asks no model."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from promptci.config.find import load_revision_config
from promptci.errors import InputError, UsageError
from promptci.evaluation import run
from promptci.files import write
from promptci.git import globs
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE, Snapshot
from promptci.goldens import labels
from promptci.goldens.labels import Label
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.redact import REPLACEMENT
from promptci.report.model import json_safe
from promptci.report.model.report import CaseView, PromptView, ReportView
from promptci.scoring.judges.judge import judged_positions
from promptci.scoring.judges.rubric import choose_rubric
from promptci.wording import join_names, suggest


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRequest:
    """Whose answers are to be labelled, and where they are."""

    root: Path
    config_path: str
    prompt: str
    report: Path
    """A report.json."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnlabelledAnswer:
    """One answer for a person to judge. Neither its version nor the judge's mark is shown, so that they sway nobody."""

    case_id: str
    question: str
    expected: str | None
    answer: str
    criteria: str = ""
    """By what the judge marks it, in the words that the judge gets; empty: not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    """The answers of a prompt that nobody has labelled yet, and the file for the labels."""

    path: Path
    answers: tuple[UnlabelledAnswer, ...]
    """In an order that has nothing to do with how they were marked, so that any number of them is a fair sample."""
    labelled: int


def open_labelling(request: LabelRequest) -> Labelling:
    """Return the judged answers of a report without a label.

    Raises
    ------
    UsageError
        Where the report does not have the prompt, or no judge scored it.
    InputError
        With every mistake in the labels that are there.
    """
    view = ReportView.load(request.report.resolve(), str(request.report))
    prompt = next((prompt for prompt in view.prompts if prompt.name == request.prompt), None)
    if prompt is None:
        names = join_names([prompt.name for prompt in view.prompts]) or "no prompt"
        fix = suggest(request.prompt, [prompt.name for prompt in view.prompts]) or "`promptci run` asks every prompt."
        raise UsageError(f"{request.report} does not have the prompt `{request.prompt}`, but {names}", fix)
    repo = Repo.discover(request.root)
    with closing(repo.snapshot(WORK_TREE)) as tree:
        pattern = load_revision_config(tree, request.config_path).judge.labels
        paths = tree.glob(pattern.replace("{name}", globs.escape(request.prompt)))
        criteria = _load_criteria(tree, request)
        existing = [label for path in paths for label in labels.parse_labels(tree.read(path) or b"", path)]
    answers = _unlabelled_answers(prompt, {label.identity for label in existing}, criteria)
    if not answers and not existing:
        raise UsageError(f"No judge scored an answer of `{request.prompt}` in {request.report}", "Run it with a judge.")
    path = paths[0] if paths else pattern.replace("{name}", request.prompt).replace("*", "jsonl")
    return Labelling(path=repo.root / path, answers=answers, labelled=len(existing))


def _load_criteria(tree: Snapshot, request: LabelRequest) -> Mapping[str, str]:
    """Return by what each case is judged, by the case's id; nothing where the files of now cannot tell."""
    try:
        collected = run.collect_everything(tree, request.config_path)
    except InputError:
        return {}
    plans = [plan for plan in collected.plans if plan.name == request.prompt]
    return {
        json_safe.text(planned.case.id): _describe_criteria(planned.case, collected.judge_of(plan.name).rubric)
        for plan in plans
        for planned in plan.task.cases
    }


def _describe_criteria(case: Case, rubric: str | None) -> str:
    """Return the rubrics and the evaluators' prompts of a case."""
    texts = [
        str(each.value["prompt"]) if each.type == "llm" else choose_rubric(each, case, rubric) or ""
        for each in (case.assertions[place] for place in judged_positions(case))
    ]
    return "\n\n".join(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _unlabelled_answers(
    prompt: PromptView, known: set[str], criteria: Mapping[str, str]
) -> tuple[UnlabelledAnswer, ...]:
    answers = {
        identity: answer
        for case in prompt.case_details
        for answer in _judged_answers(case)
        if (identity := _identify(answer)) not in known and REPLACEMENT not in answer.answer
    }
    return tuple(
        replace(answers[identity], criteria=criteria.get(answers[identity].case_id, "")) for identity in sorted(answers)
    )


def _judged_answers(case: CaseView) -> Iterator[UnlabelledAnswer]:
    for answer in (case.base, case.head):
        if answer is not None and answer.text is not None and any(mark.judge for mark in answer.marks):
            yield UnlabelledAnswer(case_id=case.id, question=case.input, expected=case.expected, answer=answer.text)


def _identify(answer: UnlabelledAnswer) -> str:
    """Return the digest that a label of this answer would have."""
    return Label(case_id=answer.case_id, answer=answer.answer, passed=True, path="", line=0).identity


def save_label(path: Path, answer: UnlabelledAnswer, *, passed: bool) -> None:
    """Add one label to the file at once, so that an interrupted session loses nothing."""
    content = path.read_bytes() if path.is_file() else b""
    if content and not content.endswith(b"\n"):
        content += b"\n"
    label = {"id": answer.case_id, "answer": answer.answer, "pass": passed}
    write.write_bytes(path, content + json.dumps(label, ensure_ascii=False).encode() + b"\n")
