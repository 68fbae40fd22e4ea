"""Call git: with lists, a clean environment and `safe.directory` for this call alone; nothing global is written."""

import os
import subprocess
from pathlib import Path

from promptci.errors import GitError

KEPT = (
    "PATH",
    "HOME",
    "SYSTEMROOT",
    "TMPDIR",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
)
TIMEOUT_S = 300


def arguments(root: Path, *words: str) -> list[str]:
    """Give the command line for git in `root`."""
    # The workspace of a container action belongs to another user; git refuses it unless told, here and not for good.
    return ["git", "-C", str(root), "-c", f"safe.directory={root}", "-c", "core.fsmonitor=false", *words]


def environment() -> dict[str, str]:
    """Give the environment: the caller's GIT_* variables and settings stay out."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }


def run(root: Path, *words: str, data: bytes | None = None) -> bytes:
    """Run git and give what it prints.

    Raises
    ------
    GitError
        Where git is missing or fails, with the first line it said.
    """
    done = attempt(root, *words, data=data)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(f"git {words[0]} failed: {said[0] if said else f'exit code {done.returncode}'}")
    return done.stdout


def attempt(root: Path, *words: str, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run git and give how it went; raises GitError only where there is no git or it hangs."""
    try:
        return subprocess.run(
            arguments(root, *words),
            env=environment(),
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except FileNotFoundError as error:
        raise GitError("git was not found", "Install git and see that it is on PATH.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(
            f"git {words[0]} took longer than {TIMEOUT_S} s", "See whether it waits for the network."
        ) from error


def split(output: bytes) -> list[str]:
    """Split the NUL-terminated names that `-z` prints; bytes that are no UTF-8 become surrogates and survive."""
    return [os.fsdecode(part) for part in output.split(b"\0") if part]
