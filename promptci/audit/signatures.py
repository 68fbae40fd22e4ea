"""Check the signatures of the tags and commits that anchor the log, by git alone and without network."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from promptci.audit.chain import Anchor
from promptci.git import user_git

SignatureState = Literal["good", "bad", "unsigned", "not checkable"]
_GRADES: dict[str, SignatureState] = {"G": "good", "B": "bad", "N": "unsigned", "R": "bad"}
"""By git's `%G?`. Unknown validity, an expired signature or key, and a missing key are not evidence either way."""


class CheckedSignature(NamedTuple):
    """The signature of an anchor."""

    source: str
    """Such as `tag prompts/order-extractor/v1.3.0`."""
    state: SignatureState
    detail: str = ""
    """What git said where the signature is bad or cannot be checked."""


def check_signatures(root: Path, anchors: Iterable[Anchor], signers: Path | None = None) -> list[CheckedSignature]:
    """Return the signature of each anchoring tag and commit; `signers` is a file for `gpg.ssh.allowedSignersFile`."""
    settings = ("-c", f"gpg.ssh.allowedSignersFile={signers.resolve()}") if signers else ()
    sources = list(dict.fromkeys(anchor.source for anchor in anchors))
    checked = []
    for source in sources:
        kind, _, name = source.partition(" ")
        checked.append(_check_tag(root, name, settings) if kind == "tag" else _check_commit(root, name, settings))
    return checked


def _check_tag(root: Path, name: str, settings: tuple[str, ...]) -> CheckedSignature:
    source, ref = f"tag {name}", f"refs/tags/{name}"
    form = "%(objecttype)%00%(contents:signature)"
    kind, _, signature = user_git.run_user_git(root, "for-each-ref", f"--format={form}", ref).partition(b"\0")
    if kind != b"tag" or not signature.strip():
        return CheckedSignature(source, "unsigned")
    done = user_git.try_user_git(root, *settings, "verify-tag", ref)
    output = (done.stderr + done.stdout).decode(errors="replace")
    if done.returncode == 0:
        return CheckedSignature(source, "good")
    is_bad = any(word in output for word in ("BAD signature", "incorrect signature", "Signature verification failed"))
    return CheckedSignature(source, "bad" if is_bad else "not checkable", _last_line(output))


def _check_commit(root: Path, name: str, settings: tuple[str, ...]) -> CheckedSignature:
    source = f"commit {name}"
    words = (*settings, "log", "-1", "--format=%G?%x00%GG", "--end-of-options", name)
    grade, _, output = user_git.run_user_git(root, *words).decode(errors="replace").partition("\0")
    state = _GRADES.get(grade.strip(), "not checkable")
    if state == "unsigned" and _has_signature(root, name):
        state = "not checkable"  # git says so of an SSH signature where no file of signers is configured
    return CheckedSignature(source, state, "" if state in {"good", "unsigned"} else _last_line(output))


def _has_signature(root: Path, name: str) -> bool:
    content = user_git.run_user_git(root, "cat-file", "commit", name)
    return b"\ngpgsig" in content.partition(b"\n\n")[0]


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "".join(sign for sign in lines[-1] if sign.isprintable())[:200] if lines else ""
