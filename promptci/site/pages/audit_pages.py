"""The pages of the audit log: newest entries first, so many a page that it opens at once."""

from __future__ import annotations

from promptci.present.site_links import page_name
from promptci.site.model import SiteRecords
from promptci.site.pages.frame import Frame

ROWS_PER_PAGE = 70


def render_audit(frame: Frame, records: SiteRecords) -> dict[str, bytes]:
    """Return the pages by their paths: `audit.html` is the newest, and the older ones are numbered."""
    stems = {
        repository.name: "audit" if place == 0 else f"audit-{page_name(repository.name)}"
        for place, repository in enumerate(records.repositories)
    }
    logs = {name: f"{stem}.html" for name, stem in stems.items()}
    pages: dict[str, bytes] = {}
    for repository in records.repositories:
        starts = range(0, len(repository.audit), ROWS_PER_PAGE) or [0]
        stem = stems[repository.name]
        names = [*(f"{stem}-{number}.html" for number in range(1, len(starts))), f"{stem}.html"]
        for name, start in zip(names, starts, strict=True):
            rows = repository.audit[start : start + ROWS_PER_PAGE]
            pages[name] = frame.render(
                "audit.html.j2",
                name,
                repository=repository,
                rows=rows[::-1],
                kinds=sorted({row.event.what for row in rows if row.event}),
                total=len(repository.audit),
                unreadable=sum(row.event is None for row in repository.audit),
                names=names[::-1],
                logs=logs,
            )
    return pages
