"""Records of a made-up shop, as the site's collector returns them; every free text can be a payload."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from promptci.site.build import SiteBuild, build_site
from promptci.site.model import (
    AlertChange,
    AuditRow,
    CanaryMetric,
    JudgeAgreement,
    ReleasedVersion,
    RunningPair,
    SiteCanaryLook,
    SiteEvent,
    SiteEvidence,
    SitePrompt,
    SiteRecords,
    SiteRepository,
    VersionChange,
)
from promptci.site.pages.frame import Frame

MADE_AT = "2026-03-09T04:43:00Z"
FINGERPRINT = "8bff" * 16


def event(kind: str, at: str = "2026-03-01T10:00:00Z", **fields: object) -> SiteEvent:
    return SiteEvent(at=at, what=kind, **{"prompt": "order", "actor": "ann", **fields})  # type: ignore[arg-type]


def version(number: str, **fields: str) -> ReleasedVersion:
    known = {"commit": "6863230aa", "at": "2026-03-01T09:00:00Z", "by": "ann", "fingerprint": FINGERPRINT}
    return ReleasedVersion(version=number, **{**known, "verdict": "pass; 60 cases", **fields})  # type: ignore[arg-type]


def night(day: date, **fields: object) -> bytes:
    """Return the line of a night with ten cases, one of them wrong."""
    known = {
        "schema": "promptci/night/v1",
        "at": f"{day}T03:17:00Z",
        "prompt": "order",
        "version": "v1.0.0",
        "fingerprint": FINGERPRINT,
        "goldens": "9a1e",
        "judge": "71c0",
        "reference": None,
        "model": "gpt-4o-mini",
        "n": 10,
        "marks": "1111111110",
        "quality": 0.9,
        "p95_ms": 640,
        "usd": "0.02",
        "h": 0.13,
        "cusum": 0.02,
        "verdict": "steady",
    }
    return json.dumps({**known, **fields}).encode()


def nights(count: int, **fields: object) -> tuple[bytes, ...]:
    last = date(2026, 3, 8)
    return tuple(night(last - timedelta(days=count - 1 - place), **fields) for place in range(count))


def prompt(name: str = "order", **fields: object) -> SitePrompt:
    known: Mapping[str, object] = {
        "path": "prompts/order.prompt.yml",
        "model": "gpt-4o-mini",
        "fingerprint": FINGERPRINT,
        "goldens": 60,
    }
    return SitePrompt(repository="shop", name=name, **{**known, **fields})  # type: ignore[arg-type]


def records(*prompts: SitePrompt, **fields: object) -> SiteRecords:
    events = tuple(event for each in prompts for event in each.events)
    known: Mapping[str, object] = {"has_history": True, "newest_record": MADE_AT, "events": events}
    repository = SiteRepository(name="shop", prompts=prompts, **{**known, **fields})  # type: ignore[arg-type]
    return SiteRecords(repositories=(repository,), made_at=MADE_AT)


def build(records: SiteRecords, out: Path, made_at: str = MADE_AT) -> SiteBuild:
    """Build a site; each version is one line away from the one before."""
    text = records.repositories[0].problems[0] if records.repositories[0].problems else "line"
    change = VersionChange(facts=(f"model: {text}",), lines=(f"@@ {text} @@", f"+{text}", f"-{text}", f" {text}"))
    frame = replace(Frame.create(records, title=records.repositories[0].name, stale_hours=26), made_at=made_at)
    readers = {repository.name: lambda *_: change for repository in records.repositories}
    return build_site(records, frame, readers, out)


def hostile(text: str) -> SiteRecords:
    """Return records with the text in every place that others write."""
    happened = tuple(
        event(
            kind,
            f"2026-03-0{8 - place}T10:00:00Z",
            prompt=text,
            environment=text,
            before=text,
            before_share=5.0,
            after=text,
            share=5.0,
            actor=text,
            proposed_by=text,
            approved=(text, text),
            why=text,
            verdict=text,
            pull_request=7,
            commit=text,
            run=text,
            entry=8 - place,
        )
        for place, kind in enumerate(
            ("rolled-back", "promoted", "held", "deployed", "released", "blocked", "overridden")
        )
    )
    released = ReleasedVersion(
        version=text,
        commit=text,
        at="2026-03-01T09:00:00Z",
        by=text,
        fingerprint=text,
        replaces=text,
        bump=text,
        verdict=text,
        reason=text,
        pull_request=text,
        proposed_by=text,
        approved_by=text,
        report=text,
    )
    metric = CanaryMetric(
        metric=text, stable=0.9, canary=None, stable_n=9, canary_n=9, need_worse=7, need_fine=3, status=text
    )
    point = SiteEvidence(at=MADE_AT, metric=text, share=5, stable_n=9, canary_n=9, drop=0, log_e_worse=1, log_e_fine=2)
    look = SiteCanaryLook(
        at=MADE_AT,
        environment=text,
        prompt=text,
        stable=text,
        canary=text,
        share=5,
        outcome="hold",
        reasons=(text,),
        metrics=(metric,),
        evidence=(point,),
    )
    alerts = tuple(
        AlertChange(
            at=MADE_AT,
            what=kind,
            rule=f"{kind} {text}",
            prompt=text,
            metric=text,
            since=MADE_AT,
            value=1,
            limit=None,
            n=1,
        )
        for kind in ("opened", "resolved")
    )
    running = RunningPair(environment=text, stable=text, canary=text, share=5)
    ended = RunningPair(environment="b", stable=text, canary=text, rolled_back=MADE_AT, rollback_reason=text)
    full = prompt(
        text,
        path=text,
        model=text,
        goldens=None,
        goldens_problem=text,
        judge=JudgeAgreement(model=text, kappa=0.7, interval=(0.6, 0.8), labels=60, trusted=False),
        versions=(released, released),
        events=happened,
        running=(running, ended),
        night_lines=(*nights(40, version=text, model=text, models=[text]), b"broken"),
        alerts=alerts,
        looks=(look,),
        reference=(20, text),
    )
    rows = tuple(AuditRow(event=each, line=text, place=text) for each in happened)
    broken = AuditRow(event=None, line=text, place=text)
    filled = records(full, prompt("plain"), audit=(*rows, broken), problems=(text,))
    (repository,) = filled.repositories
    name = f"shop {text}"
    prompts = tuple(replace(each, repository=name) for each in repository.prompts)
    named = replace(repository, name=name, prompts=prompts)
    return SiteRecords(repositories=(named,), made_at=MADE_AT, log_newest=MADE_AT)
