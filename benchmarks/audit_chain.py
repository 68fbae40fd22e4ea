"""Measures `promptci audit verify` on a long log, in this process: its chain, entries and anchors.

Run `python benchmarks/audit_chain.py [COUNT]`.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from promptci.process_setup import configure_process

configure_process()

from promptci.audit import written_line  # noqa: E402 - as in every entry point
from promptci.audit.chain import Anchor, AuditLine, LogHead, digest_line, verify_chain  # noqa: E402
from promptci.audit.entry import (  # noqa: E402
    ZERO_DIGEST,
    Actor,
    AuditedChange,
    AuditEntry,
    AuditTools,
    DeployedShare,
    EvidenceFile,
)

DEFAULT_COUNT = 100_000
ANCHOR_EVERY = 100
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)


def build_lines(count: int) -> list[AuditLine]:
    """Return a chain of entries as large as those of a deployment, one segment a month."""
    lines: list[AuditLine] = []
    prev = ZERO_DIGEST
    by, tool = Actor(kind="workflow", actor="ann", actor_id=98712, event="push"), AuditTools(promptci="1.0.0")
    for n in range(1, count + 1):
        at = BEGAN + timedelta(minutes=10 * n)
        entry = AuditEntry(
            n=n,
            prev=prev,
            at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
            what="deployed" if n > 1 else "log-began",
            environment="production",
            prompt="order-extractor",
            from_=DeployedShare(version="v1.2.0", fingerprint="c" * 64, share=100),  # type: ignore[call-arg]
            to=DeployedShare(version="v1.3.0", fingerprint="8" * 64, share=5),
            by=by,
            why="quality 96.1 against 96.0",
            change=AuditedChange(commit="6" * 40, pull_request=247, author="Ann <ann@example.com>"),
            evidence=(EvidenceFile(name="report.json", sha256="a" * 64),),
            policy=f"sha256:{'b' * 64}",
            tool=tool,
        )
        content = entry.line()
        lines.append(AuditLine(f"audit/{at:%Y-%m}.jsonl", n, content))
        prev = digest_line(content)
    return lines


def main() -> None:
    """Build the chain, and print how much processor time its verification takes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_COUNT
    lines = build_lines(count)
    anchors = [
        Anchor(f"tag {n}", LogHead(n, digest_line(lines[n - 1].content)))
        for n in range(ANCHOR_EVERY, count + 1, ANCHOR_EVERY)
    ]
    size = sum(len(line.content) for line in lines) / 2**20
    start = time.process_time()
    report = verify_chain(lines, anchors)
    chained = time.process_time() - start
    problems: list[str] = []
    entries = sum(1 for _ in written_line.iterate_facts(lines, problems))
    whole = time.process_time() - start
    if report.fault or problems or entries != count:
        raise SystemExit("the log does not verify")
    shown = f"{count:,} lines, {size:.0f} MiB, {len(anchors):,} anchors"
    print(f"{shown}: chain {chained:.2f} s, with every entry {whole:.2f} s")


if __name__ == "__main__":
    main()
