"""Open the journal of a run; the answers of an interrupted run of the very same plan are used again."""

import contextlib
import os
import stat
import sys
from pathlib import Path

from promptci import __version__
from promptci.errors import InputError
from promptci.git.state_folder import check_output_folder
from promptci.pipeline.environment import RunOptions
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.redact import REPLACEMENT, Redactor
from promptci.runs import journal
from promptci.runs.execute import QuestionKey
from promptci.runs.model import Answer

JOURNAL = "journal.jsonl"


def open_journal(
    planned: PlannedRun, revisions: Revisions, options: RunOptions, redactor: Redactor, endpoint: str
) -> tuple[journal.Journal, dict[QuestionKey, Answer]]:
    """Open the run's journal; continue the one that an interrupted run of the very same plan left.

    Only a journal of this user that is not in git is continued: a committed one could hold invented answers.
    """
    path = options.out / JOURNAL
    check_output_folder(options.root, options.out)
    run = journal.JournalRun(
        base=revisions.base_sha,
        head=revisions.head_sha,
        config=options.config_path,
        plan=planned.fingerprint,
        shard=None if options.shard is None else str(options.shard),
        promptci=__version__,
        endpoint=endpoint,
    )
    try:
        known = _load_known(path, run.redacted(redactor))
        if not known:
            path.unlink(missing_ok=True)
        for finished in ("report.json", JOURNAL + journal.COMPRESSED_SUFFIX):
            (options.out / finished).unlink(missing_ok=True)
    except OSError as error:
        raise journal.unwritable(path, error) from error
    return journal.Journal.open(path, run=run, redactor=redactor), known


def _load_known(path: Path, run: journal.JournalRun) -> dict[QuestionKey, Answer]:
    """Return the answers of an interrupted run of the same plan; none where it ended, or its journal is not ours."""
    known: dict[QuestionKey, Answer] = {}
    finished = path.with_name("report.json").exists()
    if path.exists():
        with contextlib.suppress(InputError):  # a journal that cannot be read is begun again
            header, answers = journal.load_journal(path)
            if header == run and not finished and _is_own(path):
                known = {answer.key: answer for answer in answers if _is_whole(answer)}
    return known


def _is_own(path: Path) -> bool:
    """Return whether the journal is a plain file that this user wrote."""
    status = path.lstat()
    is_mine = sys.platform == "win32" or status.st_uid == os.geteuid()  # Windows has no number of an owner
    return stat.S_ISREG(status.st_mode) and is_mine


def _is_whole(answer: Answer) -> bool:
    """Return whether a journal's answer is as the model gave it; one that held a secret is asked for again."""
    return answer.completion is not None and REPLACEMENT not in answer.completion.text
