"""What all pages share: the environment of templates, style, script, navigation, time of the build."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from hashlib import sha256
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from promptci.files import packaged
from promptci.lazy_dataclass import dataclass
from promptci.present import site_links, templates
from promptci.present.content_policy import content_policy
from promptci.site.model import SiteEvent, SitePrompt, SiteRecords

NAVIGATION = (
    ("index.html", "Pipeline"),
    ("prompts.html", "Prompts"),
    ("canary.html", "Canaries"),
    ("drift.html", "Drift"),
    ("alerts.html", "Alerts"),
    ("audit.html", "Audit"),
    ("spend.html", "Spend"),
)
STAMP = re.compile(rb'(id="built" data-limit="\d+" datetime=")[^"]{20}(">)[^<]{16}(</time>)')
"""The time of the build: the one thing that changes in a page whose content stays."""


@cache
def environment() -> Environment:
    """Return the environment for the site's templates."""
    own = templates.create_environment()
    own.filters["moment"] = show_moment
    own.filters["day"] = lambda text: text[:10]
    return own


def show_moment(text: str) -> str:
    """Return a time to the minute: `2026-03-02 10:15`."""
    return text[:16].replace("T", " ")


@dataclass(frozen=True)
class Frame:
    """One build of the site."""

    title: str
    made_at: str
    stale_hours: float
    is_demo: bool
    addresses: Mapping[str, str]
    """Web address of each repository, by its name; empty: not known."""
    several: bool
    """Whether there is more than one repository."""

    @classmethod
    def create(cls, records: SiteRecords, *, title: str, stale_hours: float, is_demo: bool = False) -> Frame:
        """Return the frame for some records."""
        return cls(
            title=title,
            made_at=records.made_at,
            stale_hours=stale_hours,
            is_demo=is_demo,
            addresses={repository.name: repository.address for repository in records.repositories},
            several=len(records.repositories) > 1,
        )

    def render(self, template: str, path: str, **values: Any) -> bytes:
        """Return a page; `path` is its place in the site."""
        page = (
            environment()
            .get_template(f"html/site/{template}")
            .render(
                frame=self,
                path=path,
                root="../" * path.count("/"),
                navigation=self.navigation,
                style=_style(),
                script=_script(),
                policy=_policy(),
                **values,
            )
        )
        return page.encode(errors="replace")

    @property
    def navigation(self) -> tuple[tuple[str, str], ...]:
        """Return the pages that every page links to."""
        return (("tour.html", "Tour"), *NAVIGATION) if self.is_demo else NAVIGATION

    @cached_property
    def identity(self) -> str:
        """Return what of the frame is in every page; the time of the build is not, as it can be put in later."""
        parts = (self.title, self.stale_hours, self.is_demo, sorted(self.addresses.items()), _code_digest())
        return repr(parts)

    def prompt_link(self, prompt: SitePrompt) -> str:
        """Return the path of a prompt's page."""
        return site_links.prompt_page(prompt.name, prompt.repository if self.several else "")

    def badge_path(self, prompt: SitePrompt) -> str:
        """Return the path of a prompt's badge."""
        return site_links.badge_file(prompt.name, prompt.repository if self.several else "")

    def pull_request_link(self, repository: str, number: int | None) -> str:
        """Return the address of a pull request; empty where none is known."""
        address = self.addresses.get(repository, "")
        return f"{address}/pull/{number}" if address and number else ""

    def commit_link(self, repository: str, commit: str) -> str:
        """Return the address of a commit; empty where none is known."""
        address = self.addresses.get(repository, "")
        return f"{address}/commit/{commit}" if address and re.fullmatch(r"[0-9a-f]{7,64}", commit) else ""

    @staticmethod
    def run_link(event: SiteEvent) -> str:
        """Return the address of a workflow run; empty for anything that is not one of GitHub's."""
        return event.run if re.fullmatch(r"https://[A-Za-z0-9.-]+/[A-Za-z0-9._/-]+", event.run) else ""


def put_stamp(page: bytes, made_at: str) -> bytes:
    """Return a page with another time of the build."""
    spelled, shown = made_at.encode(), show_moment(made_at).encode()
    return STAMP.sub(lambda match: match[1] + spelled + match[2] + shown + match[3], page, count=1)


@cache
def _style() -> Markup:
    return Markup(templates.read_asset("report.css") + templates.read_asset("site.css"))  # noqa: S704 - files of ours


@cache
def _script() -> Markup:
    return templates.read_asset("site.js")


@cache
def _policy() -> str:
    return content_policy(_style(), _script())


@cache
def _code_digest() -> str:
    """Return a digest of what pages are made with: with another version of promptci, all are drawn again."""
    folder = packaged.find_packaged_folder("templates")
    digest = sha256()
    for path in (
        *sorted((folder / "html" / "site").glob("*.j2")),
        *sorted((folder / "html" / "parts").glob("_icons*")),
    ):
        digest.update(path.read_bytes())
    digest.update(str(_style()).encode() + str(_script()).encode())
    return digest.hexdigest()
