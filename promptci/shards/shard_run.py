"""Ask one part of a run that is split over several machines, and write what the merge needs."""

import hashlib
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from promptci import __version__
from promptci.documents.document import Document
from promptci.errors import ProviderError, UsageError
from promptci.files import write
from promptci.pipeline.ask import asking, resume
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.plan import partition
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.pipeline.shard import MAX_SHARDS, Shard

RECORD = "shard.json"
UNFINISHED = 4
"""Exit code of a shard that could not ask all its questions, as of the verdict `error`."""
Short = Field(max_length=400)
"""A name or a revision."""
Sha256 = Field(pattern="^[0-9a-f]{64}$")


class ShardRecord(Document, strict=True):
    """shard.json: what one shard asked. It holds no verdict."""

    MAX_BYTES: ClassVar[int] = 2**16
    HINT: ClassVar[str] = "Pass the complete folder that `--shard` wrote, or run that shard again."

    schema_: Literal["promptci/shard/v1"] = Field(default="promptci/shard/v1", alias="schema")
    promptci: str = Short
    """Version that wrote it."""
    index: int = Field(ge=1, le=MAX_SHARDS)
    count: int = Field(ge=1, le=MAX_SHARDS)
    kind: Literal["check", "run"]
    base: str | None = Field(pattern="^[0-9a-f]{40,64}$")
    """Commit."""
    head: str = Field(pattern="^[0-9a-f]{40,64}$")
    base_rev: str = Short
    """What the revision is called in the report."""
    head_rev: str = Short
    config: str = Short
    """Path of the configuration."""
    plan: str = Sha256
    """Fingerprint of the whole plan, of which this shard asked a part."""
    provider: str = Short
    questions: int = Field(ge=0)
    """Questions of this part."""
    journal_sha256: str = Sha256
    """Of the journal.jsonl beside it."""


def ask(
    planned: PlannedRun, collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment
) -> int:
    """Ask one shard's part of the plan and return the exit code; the answers are in the journal, nothing is decided.

    The labels and the probes, by which a judge is measured, concern the whole run: the merge asks them. An early stop
    needs all answers, so a split run has none.

    Raises
    ------
    ProviderError
        If nothing could be asked.
    UsageError
        If head is not a commit, so that the shards cannot be matched.
    """
    shard, head = options.shard, revisions.head_sha
    if shard is None or head is None:
        raise UsageError("A working tree cannot be split", "Name a commit, such as --head HEAD.")
    part = _without_labels(partition.select_part(planned, shard))
    options.out.joinpath(RECORD).unlink(missing_ok=True)
    asked = asking.Asked()
    journal = options.out / resume.JOURNAL
    if part.questions:
        asked = asking.ask(part, _limit_to_part(collected, part, planned), revisions, options, env)
        if asked.provider is None:
            raise ProviderError(" ".join(error.message for error in asked.errors))
    else:
        write.write_text(journal, "")
    record = ShardRecord(
        promptci=__version__,
        index=shard.index,
        count=shard.count,
        kind="run" if revisions.base_sha is None else "check",
        base=revisions.base_sha,
        head=head,
        base_rev=revisions.base_name,
        head_rev=revisions.head_name,
        config=options.config_path,
        plan=planned.fingerprint,
        provider=asked.provider or "nobody",
        questions=len(part.questions),
        journal_sha256=hashlib.sha256(journal.read_bytes()).hexdigest(),
    )
    write.write_text(options.out / RECORD, record.dump())
    unfinished = [f"The run was not finished: {error.message}." for error in asked.errors]
    for line in (*unfinished, _describe_part(shard, part, planned)):
        env.print(line)
    return UNFINISHED if asked.errors else 0


def _without_labels(part: PlannedRun) -> PlannedRun:
    """Remove the labels, which measure a judge for the whole run: the merge asks them."""
    for run in part.prompts:
        run.plan = replace(run.plan, task=replace(run.plan.task, labelled=None))
    return part


def _describe_part(shard: Shard, part: PlannedRun, planned: PlannedRun) -> str:
    asked = f"{len(part.questions)} of {len(planned.questions)} questions are its own"
    return f"shard {shard}: {asked}; there is no verdict before `promptci merge`"


def _limit_to_part(collected: CollectedRun, part: PlannedRun, planned: PlannedRun) -> CollectedRun:
    """Return the collected run with this part's budget, and without what concerns the whole run."""
    limits = replace(
        collected.config.run,
        early_stop=False,
        budget_usd=partition.budget(collected.config.run.budget_usd, part, planned),
    )
    config = replace(collected.config, run=limits, judge=replace(collected.config.judge, probes=0))
    return replace(collected, config=config)
