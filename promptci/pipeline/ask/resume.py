"""Open the journal of a run; the answers of an interrupted run of the very same plan are used again."""

import contextlib

from promptci import __version__
from promptci.errors import InputError
from promptci.pipeline.environment import RunOptions
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.redact import REPLACEMENT, Redactor
from promptci.runs import journal
from promptci.runs.execute import QuestionKey
from promptci.runs.model import Answer

JOURNAL = "journal.jsonl"


def open_journal(
    planned: PlannedRun, revisions: Revisions, options: RunOptions, redactor: Redactor
) -> tuple[journal.Journal, dict[QuestionKey, Answer]]:
    """Open the run's journal; where an interrupted run of the very same plan left one, go on with its answers."""
    path = options.out / JOURNAL
    run = journal.JournalRun(
        base=revisions.base_sha,
        head=revisions.head_sha,
        config=options.config_path,
        plan=planned.fingerprint,
        shard=None if options.shard is None else str(options.shard),
        promptci=__version__,
    )
    known: dict[QuestionKey, Answer] = {}
    finished = (options.out / "report.json").exists()
    if path.exists():
        with contextlib.suppress(InputError):  # a journal that cannot be read is begun anew
            header, answers = journal.load_journal(path)
            if header == run.redacted(redactor) and not finished:
                known = {answer.key: answer for answer in answers if _is_whole(answer)}
        if not known:
            path.unlink()
    (options.out / "report.json").unlink(missing_ok=True)
    return journal.Journal.open(path, run=run, redactor=redactor), known


def _is_whole(answer: Answer) -> bool:
    """Tell whether a journal's answer is as the model gave it; one that held a secret is asked for again."""
    return answer.completion is not None and REPLACEMENT not in answer.completion.text
