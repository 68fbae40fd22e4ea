"""Make the bundle of an environment: the prompts that applications read, as the committed deployment file says."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.errors import GitError, UsageError
from promptci.files import write
from promptci.git import user_git
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry.bundle_document import BundleDocument
from promptci.registry.released_prompt import VersionReader
from promptci.registry.tags import list_releases
from promptci.rollout.deployments.bundle import build_bundle, find_source
from promptci.rollout.deployments.environment_file import load_environment
from promptci.wording import short_sha

SIGNATURE_NAMESPACE = "promptci-bundle"


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleRequest:
    """What is to be made of what."""

    root: Path
    config_path: str
    environment: str
    revision: str = "HEAD"
    out: Path | None = None
    """None: dist/ENVIRONMENT.bundle.json in the repository."""
    sign: bool = False
    key: Path | None = None
    """SSH key; None: `user.signingkey` of git."""
    dry_run: bool = False


class BundleSummary(Document):
    """What was made."""

    schema_: Literal["promptci/bundle-summary/v1"] = Field(default="promptci/bundle-summary/v1", alias="schema")
    environment: str
    path: str | None = Field(description="null after a dry run.")
    signature: str | None = None
    serial: int
    commit: str
    digest: str = Field(description="SHA-256 of the file's bytes.")
    prompts: dict[str, str] = Field(description="What runs of each prompt, in words.")
    warnings: list[str] = Field(default=[])


def make_bundle(request: BundleRequest) -> BundleSummary:
    """Make the bundle, and write it unless this is a dry run.

    Raises
    ------
    ConfigError
        With every version that cannot be used, and its line.
    UsageError
        Where the revision is not part of the default branch, whose commits the serial counts.
    """
    repo = Repo.discover(request.root)
    commit = repo.resolve(request.revision)
    _require_default_branch(repo, commit)
    with closing(repo.snapshot(commit)) as snapshot:
        file = load_environment(snapshot, request.environment)
    reader = VersionReader(repo, list_releases(repo.root), request.config_path, revision=commit)
    bundle = build_bundle(file, find_source(repo, commit), reader)
    if not bundle.prompts:
        raise UsageError(f"{file.path} has no prompt", "Deploy one with `promptci deploy NAME@VERSION`.")
    data = bundle.dump().encode()
    out = request.out or repo.root / "dist" / f"{request.environment}.bundle.json"
    signature = None
    if not request.dry_run:
        write.write_bytes(out, data)
        signature = _sign(repo, out, request.key) if request.sign else None
    return BundleSummary(
        environment=request.environment,
        path=None if request.dry_run else str(out),
        signature=None if signature is None else str(signature),
        serial=bundle.serial,
        commit=commit,
        digest=sha256(data).hexdigest(),
        prompts=dict(_describe(bundle)),
        warnings=_warnings(repo, file.path, file.data),
    )


def summary_lines(summary: BundleSummary) -> Iterator[str]:
    """Yield what a person reads."""
    outcome = "would be written" if summary.path is None else f"written to {summary.path}"
    yield f"{summary.environment}: serial {summary.serial}, commit {short_sha(summary.commit)}: {outcome}"
    yield from (f"  {prompt}: {text}" for prompt, text in summary.prompts.items())
    yield f"  sha256 {summary.digest}"
    if summary.signature:
        yield f"  signed: {summary.signature}"
    yield from (f"warning: {text}" for text in summary.warnings)


def _describe(bundle: BundleDocument) -> Iterator[tuple[str, str]]:
    for name, entry in bundle.prompts.items():
        tried = f", {entry.canary.version} for {entry.share / 100:g}%" if entry.canary else ""
        yield name, f"{entry.stable.version}{tried}"


def _require_default_branch(repo: Repo, commit: str) -> None:
    """Raise where the commit is not on the default branch: its serial could be above that of a later bundle."""
    try:
        branch = repo.default_branch()
    except GitError:
        return  # a repository with branches of other names, or a checkout of one commit
    if repo.merge_base(commit, branch) != commit:
        hint = f"Push or merge it first (then `git fetch`), or pass `--rev {branch}` for the bundle without it."
        message = f"{short_sha(commit)} is not part of the default branch {branch}, which counts the serials"
        raise UsageError(message, hint)


def _warnings(repo: Repo, path: str, data: bytes) -> list[str]:
    place = repo.root / path
    if place.is_file() and place.read_bytes() != data:
        return [f"{path} has changes that are not in this commit, and not in the bundle"]
    return []


def _sign(repo: Repo, path: Path, key: Path | None) -> Path:
    """Sign a file with an SSH key and return the signature's path."""
    if key is None:
        named = user_git.try_user_git(repo.root, "config", "--type=path", "user.signingkey").stdout.decode().strip()
        if not named:
            hint = "Pass `--key ~/.ssh/id_ed25519`, or set git's `user.signingkey`."
            raise UsageError("There is no key to sign with", hint)
        key = Path(named)
    signature = path.with_name(f"{path.name}.sig")
    signature.unlink(missing_ok=True)  # ssh-keygen would ask whether to overwrite it
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", SIGNATURE_NAMESPACE, "-f", str(key), str(path)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"The bundle was written and not signed: {error}", "Install OpenSSH.") from error
    if done.returncode or not signature.exists():
        message = " ".join(done.stderr.split())[:300]
        raise UsageError(f"The bundle was written and not signed: {message}", "Pass --key an SSH key.")
    return signature
