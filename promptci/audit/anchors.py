"""Find the places outside the audit log that name its entries: `Audit-head:` of release tags and deployment commits."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from promptci.audit.chain import Anchor, LogHead
from promptci.git import command
from promptci.wording import short_sha

TRAILER = "Audit-head"
_VALUE = re.compile(r"(\d{1,12}) ([0-9a-f]{64})")
_DEPLOYMENTS = "deployments/"
_TAGS = "refs/tags/prompts/"


def parse_head(value: str) -> LogHead | None:
    """Return the head that a trailer's value names; None for a value of another form."""
    match = _VALUE.fullmatch(value.strip())
    return LogHead(int(match[1]), match[2]) if match and int(match[1]) else None


def list_anchors(root: Path, revision: str) -> list[Anchor]:
    """Return the anchors in the tags of this clone and in the deployment commits that a revision contains."""
    # git finds no trailers of a tag that is signed: for it, the signature is the last paragraph.
    tags = command.run_git(root, "for-each-ref", "--format=%(refname:short)%00%(contents:body)%00", _TAGS)
    form = f"%H%x00%(trailers:key={TRAILER},valueonly)%x00"
    commits = command.run_git(root, "log", f"--format={form}", "--end-of-options", revision, "--", _DEPLOYMENTS)
    return [
        *_parse(tags, lambda tag: f"tag {tag}", _read_trailer),
        *_parse(commits, lambda commit: f"commit {short_sha(commit)}", str.splitlines),
    ]


def _read_trailer(body: str) -> list[str]:
    return [line.removeprefix(f"{TRAILER}: ") for line in body.splitlines() if line.startswith(f"{TRAILER}: ")]


def _parse(printed: bytes, describe: Callable[[str], str], read: Callable[[str], Iterable[str]]) -> Iterator[Anchor]:
    parts = printed.decode(errors="replace").split("\0")[:-1]
    for name, values in zip(parts[::2], parts[1::2], strict=True):
        for value in read(values):
            if head := parse_head(value):
                yield Anchor(describe(name.strip()), head)
