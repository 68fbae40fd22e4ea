"""`promptci audit verify` says of each tag that anchors the log whether its signature is good, bad or not checkable."""

import subprocess
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support import audited, released
from support.released import run

from promptci.audit import attestations
from promptci.audit.attestations import AttestationOptions
from promptci.errors import UsageError


@pytest.fixture
def signed(tmp_path: Path) -> tuple[RepoBuilder, Path]:
    """A shop whose release anchors the log and is signed, and the file of signers that git takes."""
    shop = released.shop(tmp_path)
    audited.note(shop, {"what": "held"})
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in {"gpg.format": "ssh", "user.signingKey": str(key), "tag.gpgSign": "true"}.items():
        shop.git("config", name, value)
    released.release(shop)
    signers = tmp_path / "signers"
    signers.write_text(f"ann@example.com {key.with_suffix('.pub').read_text()}")
    return shop, signers


def states(shop: RepoBuilder, *words: str) -> dict[str, int]:
    value: dict[str, int] = run(shop, "audit", "verify", "--json", *words).value["signatures"]
    return value


def test_a_signature_counts_only_with_a_file_of_signers_that_has_its_key(
    signed: tuple[RepoBuilder, Path], tmp_path: Path
) -> None:
    shop, signers = signed
    assert states(shop) == {"not checkable": 1}
    assert states(shop, "--signers", str(signers)) == {"good": 1}
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    signers.write_text(f"eve@example.com {other.with_suffix('.pub').read_text()}")
    assert states(shop, "--signers", str(signers)) == {"not checkable": 1}
    assert run(shop, "audit", "verify").code == 0


def test_a_tag_that_was_changed_after_it_was_signed_is_a_problem(signed: tuple[RepoBuilder, Path]) -> None:
    shop, signers = signed
    text = shop.git("cat-file", "tag", "prompts/order/v1.0.0")
    forged = subprocess.run(
        ["git", "-C", str(shop.path), "hash-object", "-t", "tag", "-w", "--stdin"],
        input=text.replace("the test says so", "nobody says so") + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    shop.git("update-ref", "refs/tags/prompts/order/v1.0.0", forged.stdout.strip())
    done = run(shop, "audit", "verify", "--signers", str(signers))
    assert (done.code, "The signature of tag prompts/order/v1.0.0 is bad" in done.text) == (1, True)


def test_unsigned_anchors_are_called_so_and_are_no_evidence(tmp_path: Path) -> None:
    shop = released.shop(tmp_path)
    audited.note(shop, {"what": "held"})
    released.release(shop)
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production").code == 0
    assert states(shop) == {"unsigned": 2}
    assert (
        "Signatures of those tags and commits: 2 unsigned. Only `good` is evidence" in run(shop, "audit", "verify").text
    )


def test_a_commit_that_is_signed_is_checked_too(signed: tuple[RepoBuilder, Path]) -> None:
    shop, signers = signed
    shop.git("config", "commit.gpgSign", "true")
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production").code == 0
    assert states(shop) == {"not checkable": 2}
    assert states(shop, "--signers", str(signers)) == {"good": 2}


def test_an_attestation_is_verified_by_gh_with_the_stored_root_and_else_not_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = AttestationOptions(repository="example/shop")
    assert attestations.check_attestations(tmp_path, options).summary.startswith("not made")
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "report.json.sigstore.json").write_text("{}")
    with pytest.raises(UsageError, match="which repository"):
        attestations.check_attestations(tmp_path, AttestationOptions())
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    assert (
        "1 not checkable, because `gh` is not installed" in attestations.check_attestations(tmp_path, options).summary
    )
    gh = tools / "gh"
    gh.write_text('#!/bin/sh\n[ "$5 $9" = "example/shop" ]\n[ "$3" = "good" ] || { echo "no match" >&2; exit 1; }\n')
    gh.chmod(0o700)
    assert "there is no trusted_root.jsonl" in attestations.check_attestations(tmp_path, options).summary
    (tmp_path / "trusted_root.jsonl").write_text("{}")
    result = attestations.check_attestations(tmp_path, options)
    assert result.problems == ["The attestation of report.json does not verify: no match"]
    gh.write_text('#!/bin/sh\nfor word; do case "$word" in --custom-trusted-root) exit 0;; esac; done\nexit 1\n')
    assert attestations.check_attestations(tmp_path, options).summary == "1 of 1 verified by gh"
