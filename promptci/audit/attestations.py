"""Verify the attestations that were stored beside the evidence: by `gh`, offline, with a stored trusted root."""

import shutil
import subprocess
from pathlib import Path

from promptci.errors import UsageError
from promptci.lazy_dataclass import dataclass

PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
"""Of the statements that `statement` builds."""
BUNDLE_ENDINGS = (".sigstore.json", ".attestation.jsonl")
"""A file `report.json.sigstore.json` attests `report.json`."""
ROOT_NAME = "trusted_root.jsonl"
"""As `gh attestation trusted-root` prints it."""
TIMEOUT_S = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class AttestationOptions:
    """How attestations are verified."""

    repository: str | None = None
    """`OWNER/NAME` whose workflow must have signed."""
    trusted_root: Path | None = None
    """None: `trusted_root.jsonl` of the folder with the evidence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttestationResult:
    """What was found."""

    summary: str
    problems: list[str]


def check_attestations(folder: Path | None, options: AttestationOptions) -> AttestationResult:
    """Verify each attestation in a folder.

    Raises
    ------
    UsageError
        Where there is one and it is not output whose it must be.
    """
    pairs = _find_pairs(folder) if folder else []
    if not pairs:
        return AttestationResult(summary="not made, or not in the folder of --evidence", problems=[])
    if not options.repository:
        hint = "Pass --repository OWNER/NAME: an attestation of another repository proves nothing."
        raise UsageError("It is not clear which repository must have attested the files", hint)
    root = options.trusted_root or (folder / ROOT_NAME if folder else None)
    program = shutil.which("gh")
    if root is None or not root.is_file() or program is None:
        missing = "`gh` is not installed" if program is None else f"there is no {ROOT_NAME}"
        return AttestationResult(summary=f"{len(pairs)} not checkable, because {missing}", problems=[])
    problems = []
    for file, bundle in pairs:
        words = [program, "attestation", "verify", str(file), "--repo", options.repository, "--bundle", str(bundle)]
        words += ["--custom-trusted-root", str(root), "--predicate-type", PREDICATE_TYPE]
        done = subprocess.run(words, capture_output=True, check=False, timeout=TIMEOUT_S)
        if done.returncode:
            output = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            reason = "".join(sign for sign in (output[-1] if output else "no reason") if sign.isprintable())
            problems.append(f"The attestation of {file.name} does not verify: {reason[:300]}")
    return AttestationResult(summary=f"{len(pairs) - len(problems)} of {len(pairs)} verified by gh", problems=problems)


def _find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Return each attested file with its attestation."""
    pairs = []
    for bundle in sorted(folder.rglob("*")):
        for ending in BUNDLE_ENDINGS:
            file = bundle.with_name(bundle.name.removesuffix(ending))
            if bundle.name.endswith(ending) and file.is_file() and not bundle.is_symlink():
                pairs.append((file, bundle))
    return pairs
