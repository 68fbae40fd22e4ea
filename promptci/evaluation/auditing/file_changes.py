"""Commits that changed by what prompts are judged: promptci.yml, the golden cases, the rules of deployments."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from typing import NamedTuple

from promptci.audit.entry import AuditedChange, ChangedFile
from promptci.config.find import DEFAULT_PATHS, load_revision_config
from promptci.evaluation.auditing.decisions import FoundDecision, decision_key, to_utc
from promptci.git import command, globs
from promptci.git.objects import ObjectReader
from promptci.git.repo import Repo
from promptci.git.snapshot import MAX_FILE_BYTES, PathIndex
from promptci.goldens.find import NAME, find_golden_files
from promptci.registry.release import parse_moment
from promptci.registry.released_prompt import load_prompts_by_name
from promptci.registry.tag_message import one_line
from promptci.wording import short_sha

MAX_COMMITS = 1000
MAX_FILES = 50
"""Files of one commit that an entry names."""
DEPLOYMENTS = "deployments/"
_PULL_REQUEST = (
    re.compile(r"^Merge pull request #(\d{1,9})\b"),
    re.compile(r"\(#(\d{1,9})\)$"),
    re.compile(r"^Pull-request: #?(\d{1,9})$", re.MULTILINE),
)
_FORMAT = "%x01%H%x01%an <%ae>%x01%cI%x01%B"
_COMMIT = re.compile(r"\n*\x01([0-9a-f]+)\x01([^\x01]*)\x01([^\x01]*)\x01(.*)", re.DOTALL)
_NO_OBJECT = re.compile(r"0+")


class _FileChange(NamedTuple):
    before: str
    after: str
    path: str


class _Commit(NamedTuple):
    sha: str
    author: str
    at: str
    message: str
    files: list[_FileChange]


def find_pull_request(message: str) -> int | None:
    """Return the pull request that a commit's message names: of a merge, of a squash, or in a trailer."""
    subject = message.strip().partition("\n")[0]
    for pattern, text in zip(_PULL_REQUEST, (subject, subject, message), strict=True):
        if match := pattern.search(text):
            return int(match[1])
    return None


def list_file_changes(
    repo: Repo, commit: str, config_path: str, deployed: Iterable[FoundDecision]
) -> Iterator[FoundDecision]:
    """Yield the commits up to one that changed the configuration, goldens or the rules of a deployment.

    A deployment that changed what runs is a decision of its own, among `deployed`, and not named once more.
    """
    commits = _list_commits(repo, commit)
    index = PathIndex({change.path for each in commits for change in each.files})
    owners = _find_owners(repo, commit, config_path, index)
    running = {decision.key[4] for decision in deployed}
    reader = ObjectReader(repo.root).open()
    try:
        for each in reversed(commits):  # of one second: in their order
            groups: dict[tuple[str, str], list[_FileChange]] = {}
            for change in each.files:
                is_rule = change.path.startswith(DEPLOYMENTS) and change.path.endswith((".yml", ".yaml"))
                if change.path in {config_path, *DEFAULT_PATHS} or (is_rule and each.sha not in running):
                    groups.setdefault(("config-changed", ""), []).append(change)
                for owner in owners.get(change.path, ()):
                    groups.setdefault(("goldens-changed", owner), []).append(change)
            if groups:
                yield from _describe(each, groups, reader)
    finally:
        reader.close()


def _list_commits(repo: Repo, commit: str) -> list[_Commit]:
    words = ("--first-parent", "-m", "--root", "--raw", "--no-renames", "--no-abbrev", "-z")
    bounds = (f"--max-count={MAX_COMMITS}", f"--format={_FORMAT}")
    printed = command.run_git(repo.root, "log", *words, *bounds, "--end-of-options", commit)
    commits: list[_Commit] = []
    tokens = iter(command.split_nul(printed))
    for token in tokens:
        if match := _COMMIT.match(token):
            commits.append(_Commit(match[1], match[2], match[3], match[4], []))
        elif token.lstrip("\n").startswith(":") and commits:
            _, _, before, after, _ = token.split(" ")
            commits[-1].files.append(_FileChange(before, after, next(tokens, "")))
    # What the oldest commit of a shallow clone changed is not known: git shows all that is in it.
    is_cut = command.is_shallow(repo.root) or len(commits) == MAX_COMMITS
    return commits[:-1] if is_cut else commits


def _find_owners(repo: Repo, commit: str, config_path: str, index: PathIndex) -> dict[str, list[str]]:
    """Return the prompts whose golden cases a path holds; an empty name for those of no prompt that is there."""
    with closing(repo.snapshot(commit)) as snapshot:
        pattern = load_revision_config(snapshot, config_path).prompts.goldens
        prompts, _ = load_prompts_by_name(snapshot, config_path)
    owners: dict[str, list[str]] = {}
    for name in prompts:
        for path in find_golden_files(index.glob, pattern, name, globs.escape):
            owners.setdefault(path, []).append(name)
    for path in index.glob(pattern.replace(NAME, "*")):
        owners.setdefault(path, [""])
    return owners


def _describe(
    commit: _Commit, groups: dict[tuple[str, str], list[_FileChange]], reader: ObjectReader
) -> Iterator[FoundDecision]:
    subject = one_line(commit.message.strip().partition("\n")[0])
    for (kind, prompt), files in groups.items():
        changed = _digest_files(files, reader)
        change = AuditedChange(
            commit=commit.sha,
            author=one_line(commit.author) or None,
            at=to_utc(commit.at),
            pull_request=find_pull_request(commit.message),
            files=tuple(changed[:MAX_FILES]),
        )
        entry: dict[str, object] = {"what": kind, "prompt": prompt or None, "why": subject, "change": change}
        if kind == "config-changed" and (policy := _find_policy(changed)):
            entry["policy"] = f"sha256:{policy}"
        names = ", ".join(each.path for each in changed[:3])
        yield FoundDecision(
            key=decision_key(kind, prompt=prompt, commit=commit.sha),
            moment=parse_moment(commit.at),
            description=f"{kind} {names} in {short_sha(commit.sha)}",
            entry=entry,
        )


def _digest_files(files: Sequence[_FileChange], reader: ObjectReader) -> list[ChangedFile]:
    return [
        ChangedFile(
            path=one_line(each.path), before=_digest_blob(each.before, reader), after=_digest_blob(each.after, reader)
        )
        for each in files
    ]


def _digest_blob(oid: str, reader: ObjectReader) -> str | None:
    if _NO_OBJECT.fullmatch(oid):
        return None
    size, content = reader.read(oid, MAX_FILE_BYTES)
    return sha256(content).hexdigest() if size <= MAX_FILE_BYTES else None


def _find_policy(files: Iterable[ChangedFile]) -> str | None:
    return next((each.after for each in files if not each.path.startswith(DEPLOYMENTS) and each.after), None)
