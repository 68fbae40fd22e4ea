"""Call git: with lists, a clean environment and `safe.directory` for this call alone; nothing global is written."""

import os
import re
import subprocess
from pathlib import Path

from promptci.errors import GitError

KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "SYSTEMROOT",
    "TMPDIR",
    *("SSH_AUTH_SOCK", "GIT_SSH_COMMAND"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
)
"""What a fetch may need; nothing else of the caller's environment reaches git."""
SETTINGS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    *("gc.auto=0", "maintenance.auto=false"),  # a fetch must not start work in the background
    "fetch.recurseSubmodules=false",
)
TIMEOUT_S = 300


def build_command(root: Path, *words: str) -> list[str]:
    """Return the command line for git in `root`."""
    # The workspace of a container action belongs to another user; git refuses it unless told, here and not for good.
    settings = (word for setting in (f"safe.directory={root}", *SETTINGS) for word in ("-c", setting))
    return ["git", "-C", str(root), *settings, *words]


def build_environment() -> dict[str, str]:
    """Return the environment: the caller's GIT_* variables and settings stay out."""
    return {
        **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }


def run_git(root: Path, *words: str, data: bytes | None = None) -> bytes:
    """Run git and return its output.

    Raises
    ------
    GitError
        Where git is missing or fails, with what it complained of.
    """
    done = try_git(root, *words, data=data)
    if done.returncode:
        raise GitError(f"git {words[0]} failed: {error_message(done)}")
    return done.stdout


def error_message(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the line in which git said what is wrong, without a password that an address in it may hold."""
    return find_error_line(done.stderr.decode(errors="replace")) or f"exit code {done.returncode}"


def find_error_line(output: str) -> str:
    """Return the line of git's output that says what is wrong, without a password; empty where there is no line."""
    lines = output.strip().splitlines()
    first = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    return "".join(sign for sign in re.sub(r"://[^/@\s]*@", "://", first) if sign.isprintable())


def try_git(root: Path, *words: str, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run git and return the finished process; raises GitError only if git is missing or hangs."""
    hint = "See whether it waits for the network."
    return run_process(build_command(root, *words), build_environment(), data, name=f"git {words[0]}", hint=hint)


def run_process(
    words: list[str], environment: dict[str, str], data: bytes | None, *, name: str, hint: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run git with a time limit; raises GitError only if git is missing or hangs, with `hint` for that."""
    try:
        return subprocess.run(
            words,
            env=environment,
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except FileNotFoundError as error:
        raise GitError("git was not found", "Install git and see that it is on PATH.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"{name} took longer than {TIMEOUT_S} s", hint) from error


def split_nul(output: bytes) -> list[str]:
    """Split the NUL-terminated names that `-z` prints; bytes that are no UTF-8 become surrogates and survive."""
    return [part for part in os.fsdecode(output).split("\0") if part]


def is_shallow(root: Path) -> bool:
    """Return whether a clone lacks the older commits."""
    return run_git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
