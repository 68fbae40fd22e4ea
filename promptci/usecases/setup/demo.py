"""The demo: a real git repository made from example-repo/, its pull request as a branch, the Action run on it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from promptci.errors import GitError, UsageError
from promptci.files import packaged
from promptci.providers.local import model_file

OVERLAY = "pull-request"
TITLE = "PULL_REQUEST.md"
BRANCH = "shorter-prompts"
WHEN = "2026-11-02T09:00:00+00:00"
"""A fixed date, so that the demo's commits have the same hashes everywhere."""
CACHE = Path(".promptci")
"""Ignored by the example's .gitignore."""
REPORT = Path("promptci-report")
"""The Action's default output folder, also ignored there."""
MARK = ".promptci-demo"
"""Marks a folder that promptci may replace."""


def fetch_model_file(environ: Mapping[str, str]) -> Path:
    """Return the embedded model's file, downloading it if it is missing; raise ProviderError if that fails."""
    model_path = environ.get("PROMPTCI_MODEL_FILE")
    return Path(model_path) if model_path else model_file.fetch_model(model_file.cache_home(environ))


def create_demo_repository(target: Path) -> tuple[str, str]:
    """Create the example repository in `target`, with the pull request's branch checked out.

    Return the commits of the default branch and of the pull request. `target` must not exist yet.
    """
    source = packaged.find_packaged_folder("example-repo")
    left_out = {str(source): [OVERLAY], str(source / "app"): ["__pycache__"]}
    shutil.copytree(source, target, ignore=lambda folder, _: left_out.get(folder, []))
    _git(target, "init", "--quiet", "--initial-branch=main")
    base = _commit(target, "Prompts, goldens and the workflow")
    _git(target, "switch", "--quiet", "--create", BRANCH)
    shutil.copytree(source / OVERLAY, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(TITLE))
    title = (source / OVERLAY / TITLE).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    return base, _commit(target, title)


def run_demo(out: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Run the Action on the demo repository as GitHub would, and return its exit code."""
    repository, kept_cache = out / "repository", out / "cache"
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise UsageError(f"{out} holds other files", "Give --out a new folder.")
    if (repository / CACHE).exists():  # answers of an earlier demo, so that this one takes seconds
        shutil.rmtree(kept_cache, ignore_errors=True)
        shutil.move(repository / CACHE, kept_cache)
    shutil.rmtree(repository, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("Made by `promptci demo`, which replaces what is here.\n", encoding="utf-8")
    base, head = create_demo_repository(repository)
    if kept_cache.exists():
        shutil.move(kept_cache, repository / CACHE)
    say(f"repository: {repository} (main, and the pull request's branch {BRANCH})")
    variables = _as_on_github(out.resolve(), base, head)
    kept = {name: value for name, value in environ.items() if not name.startswith(("GITHUB_", "INPUT_"))}
    code = subprocess.run([sys.executable, "-m", "promptci.action"], env={**kept, **variables}, check=False).returncode
    shutil.rmtree(out / "report", ignore_errors=True)
    if (repository / REPORT).exists():
        shutil.copytree(repository / REPORT, out / "report")
    say(f"exit code {code}: {'the merge is blocked' if code else 'the merge may go on'}")
    say(f"report:  {out / 'report' / 'report.html'}")
    say(f"comment: {out / 'report' / 'comment.md'}")
    # The demo is there to see a merge blocked: exit code 1 of the Action is its success.
    return {1: 0, 0: 1}.get(code, code)


def _as_on_github(out: Path, base: str, head: str) -> dict[str, str]:
    """Return the variables of a pull request's run; there is no token, so nothing is sent to GitHub."""
    files = out / "runner"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    event = {
        "action": "opened",
        "number": 1,
        "pull_request": {
            "number": 1,
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "example/shop"}},
            "head": {"sha": head, "ref": BRANCH, "repo": {"full_name": "example/shop"}},
        },
        "repository": {"full_name": "example/shop", "default_branch": "main"},
    }
    (files / "event.json").write_text(json.dumps(event), encoding="utf-8")
    for name in ("output", "summary"):
        (files / name).touch()
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(files / "event.json"),
        "GITHUB_OUTPUT": str(files / "output"),
        "GITHUB_STEP_SUMMARY": str(files / "summary"),
        "GITHUB_REPOSITORY": "example/shop",
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_SHA": head,
        "GITHUB_WORKSPACE": str(out / "repository"),
    }


def _commit(folder: Path, message: str) -> str:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--no-verify", f"--message={message}")
    return _git(folder, "rev-parse", "HEAD").strip()


def _git(folder: Path, *arguments: str) -> str:
    """Run git on the demo repository, without the user's settings."""
    identity = {"NAME": "A colleague", "EMAIL": "colleague@example.com", "DATE": WHEN}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in identity.items()},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    command = ["git", "-C", str(folder), "-c", f"safe.directory={folder.resolve()}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GitError(
            f"git {arguments[0]} failed: {done.stderr.strip()}", "Is git installed, and the folder writable?"
        )
    return done.stdout
