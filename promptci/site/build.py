"""Write the site: pages whose input is the same as at the last build get a new time and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.errors import InputError
from promptci.files import write
from promptci.lazy_dataclass import dataclass
from promptci.site.collect.version_changes import ReadChange
from promptci.site.model import SitePrompt, SiteRecords
from promptci.site.pages import audit_pages, canary_page, feed, overview_pages, prompt_page
from promptci.site.pages.frame import Frame, put_stamp

MAX_PAGE_BYTES = 200_000
SITE_FILE = "site.json"


class SiteDocument(Document):
    """site.json: what the last build was made from."""

    MAX_BYTES: ClassVar[int] = 64 * 2**20
    HINT: ClassVar[str] = "Delete it: then every page is drawn again."

    schema_: Literal["promptci/site/v1"] = Field(default="promptci/site/v1", alias="schema")
    made_at: str = Field(description="Time of the build in UTC.")
    title: str
    prompts: int
    pages: dict[str, str] = Field(description="By path: SHA-256 of what the page was made from.")
    problems: list[str] = Field(description="What could not be read.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteBuild:
    """What a build did."""

    document: SiteDocument
    drawn: int
    kept: int
    large: tuple[str, ...]
    """Pages over the limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageMaker:
    """Pages that are made together from one input."""

    key: str
    digest: str
    draw: Callable[[], Mapping[str, bytes]]


def build_site(
    records: SiteRecords,
    frame: Frame,
    read_changes: Mapping[str, ReadChange],
    out: Path,
    *,
    site_url: str = "",
    dry_run: bool = False,
) -> SiteBuild:
    """Write the site into a folder; pages of prompts that are gone are deleted. Dry: draw it, and write nothing.

    `read_changes` reads what differs between two versions, by repository.
    """
    before = _load_site(out)
    digests: dict[str, str] = {}
    drawn = kept = 0
    large: list[str] = []
    for maker in _list_makers(records, frame, read_changes, site_url):
        known = [path for path, digest in before.items() if digest == maker.digest]
        if known and all(_restamp(out / path, frame.made_at, dry_run=dry_run) for path in known):
            digests.update(dict.fromkeys(known, maker.digest))
            kept += len(known)
            continue
        for path, content in maker.draw().items():
            if not dry_run:
                write.write_bytes(out / path, content)
            digests[path] = maker.digest
            drawn += 1
            large += [path] if len(content) > MAX_PAGE_BYTES else []
    for path in set(before) - set(digests):
        if _is_ours(path) and not dry_run:
            (out / path).unlink(missing_ok=True)
    problems = [problem for repository in records.repositories for problem in repository.problems]
    document = SiteDocument(
        made_at=frame.made_at,
        title=frame.title,
        prompts=len(records.prompts),
        pages=dict(sorted(digests.items())),
        problems=[*records.problems, *problems],
    )
    if not dry_run:
        write.write_text(out / SITE_FILE, document.dump())
    return SiteBuild(document=document, drawn=drawn, kept=kept, large=tuple(large))


def _load_site(out: Path) -> dict[str, str]:
    """Return the pages of the last build; nothing where its record is missing or damaged."""
    try:
        return SiteDocument.load(out / SITE_FILE).pages
    except InputError:
        return {}


def _is_ours(path: str) -> bool:
    return ".." not in path.split("/") and not path.startswith("/") and path.endswith((".html", ".svg", ".xml"))


def _restamp(place: Path, made_at: str, *, dry_run: bool) -> bool:
    """Put the time of this build into a page that stays as it is; return False where it is not there."""
    try:
        content = place.read_bytes()
    except OSError:
        return False
    stamped = put_stamp(content, made_at)
    if stamped != content and not dry_run:
        place.write_bytes(stamped)
    return True


def _list_makers(
    records: SiteRecords, frame: Frame, read_changes: Mapping[str, ReadChange], site_url: str
) -> list[PageMaker]:
    prompt_digests = {(prompt.repository, prompt.name): _digest_prompt(prompt, frame) for prompt in records.prompts}
    makers = [
        _prompt_maker(frame, prompt, read_changes[prompt.repository], prompt_digests[prompt.repository, prompt.name])
        for prompt in records.prompts
    ]
    whole = _digest(
        frame.identity,
        records.log_newest,
        site_url,
        *prompt_digests.values(),
        *(repr(replace(repository, prompts=())) for repository in records.repositories),
    )
    overviews: dict[str, Callable[[], Mapping[str, bytes]]] = {
        "index": lambda: {"index.html": overview_pages.render_pipeline(frame, records)},
        "prompts": lambda: overview_pages.render_prompt_lists(frame, records),
        "drift": lambda: overview_pages.render_drift(frame, records),
        "alerts": lambda: {"alerts.html": overview_pages.render_alerts(frame, records)},
        "spend": lambda: overview_pages.render_spend(frame, records),
        "canary": lambda: {"canary.html": canary_page.render_canaries(frame, records)},
        "audit": lambda: audit_pages.render_audit(frame, records),
        "feed": lambda: {"feed.xml": feed.render_feed(frame, records, site_url)},
    }
    return [
        *makers,
        *(PageMaker(key=key, digest=_digest(key, whole), draw=draw) for key, draw in overviews.items()),
    ]


def _prompt_maker(frame: Frame, prompt: SitePrompt, read_change: ReadChange, digest: str) -> PageMaker:
    return PageMaker(
        key=prompt.name,
        digest=digest,
        draw=lambda: {
            frame.prompt_link(prompt): prompt_page.render_prompt(frame, prompt, read_change),
            frame.badge_path(prompt): feed.render_badge(prompt),
        },
    )


def _digest_prompt(prompt: SitePrompt, frame: Frame) -> str:
    lines = sha256(b"\n".join(prompt.night_lines)).hexdigest()
    return _digest(frame.identity, repr(replace(prompt, night_lines=())), lines)


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
