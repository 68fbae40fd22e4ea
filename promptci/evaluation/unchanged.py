"""Report a run without changes from the ready texts, where there is nothing else to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptci.app.requests import RunResult
from promptci.files import write
from promptci.git.state_folder import find_folder_problem
from promptci.pipeline.environment import Trigger
from promptci.report.output_paths import OutputPaths
from promptci.report.unchanged import ready_report
from promptci.report.unchanged.ready_report import UnchangedRun

if TYPE_CHECKING:
    from promptci.app.requests import RunRequest
    from promptci.pipeline.collection.collected_run import CollectedRun
    from promptci.pipeline.environment import Environment
    from promptci.pipeline.revisions import Revisions


def report_unchanged(
    collected: CollectedRun, revisions: Revisions, request: RunRequest, env: Environment, started_at: str
) -> RunResult | None:
    """Write the report; return None where it takes the renderers: for notes, or a caller's view."""
    config, base_sha = collected.config, revisions.base_sha
    is_plain = (
        not (collected.is_own_base or collected.notes or collected.problems or config.comment_template)
        and env.trigger == Trigger()
    )
    if request.needs_view or base_sha is None or not is_plain or not _is_memory_usable(collected, revisions, request):
        return None
    run = UnchangedRun(
        base_rev=revisions.base_name,
        base_sha=base_sha,
        head_rev=revisions.head_name,
        head_sha=revisions.head_sha,
        started_at=started_at,
        generated_at=env.timestamp(),
        policy=config.gate,
        source=collected.config_source,
    )
    texts = ready_report.fill_report(run, env.redactor(*config.secret_names))
    if texts is None:
        return None
    headline = texts.pop(ready_report.HEADLINE)
    try:
        for name, text in texts.items():
            write.write_text(request.out / name, text)
    except OSError:  # the renderers find another place, and tell the reason
        return None
    return RunResult(exit_code=0, unchanged=headline, paths=OutputPaths(folder=request.out))


def _is_memory_usable(collected: CollectedRun, revisions: Revisions, request: RunRequest) -> bool:
    """Return whether the memory, which such a run neither reads nor extends, needs no note: its folder is in order."""
    memory = collected.config.run.memory
    return memory is None or find_folder_problem(request.root, request.root / memory, revisions.head) is None
