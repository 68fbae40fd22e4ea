"""The built folder: links, sizes, escaping, and what is kept from one build to the next."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_payloads import XSS
from support.site_records import MADE_AT, build, event, hostile, nights, prompt, records, version

from promptci.present.site_links import page_name
from promptci.site.build import MAX_PAGE_BYTES
from promptci.site.model import AuditRow, SiteRecords

LATER = "2026-03-10T04:43:00Z"
PAYLOADS = " ".join(XSS)


class Links(HTMLParser):
    """Collects the addresses of a page, and the elements that could do something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.handlers += [name] if name.startswith("on") else []
            if name in {"href", "src"}:
                self.found.append(value or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build(hostile(PAYLOADS), out)
    return out


def full(count: int = 2) -> SiteRecords:
    names = [f"prompt-{number}" for number in range(count)]
    prompts = [prompt(name, versions=(version("v1.0.0"),), night_lines=nights(3)) for name in names]
    rows = tuple(AuditRow(event=event("released", entry=n), line="{}", place="audit") for n in range(1, 151))
    return records(*prompts, audit=rows)


def test_hostile_text_stays_text_on_every_page(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 9
    for page in pages:
        seen = Links(page.read_text(encoding="utf-8"))
        assert seen.handlers == []
        assert not seen.tags & {"iframe", "img", "form", "link", "base", "object", "math", "embed"}
        assert [link for link in seen.found if re.match(r"\s*(javascript|data|https?):", link, re.IGNORECASE)] == []


def test_feed_and_badges_are_xml(site: Path) -> None:
    feed = ET.parse(site / "feed.xml")  # noqa: S314 - made here
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == 7
    badges = list(site.rglob("*.svg"))
    assert len(badges) == 2
    for badge in badges:
        assert {element.tag.rpartition("}")[2] for element in ET.parse(badge).iter()} <= {  # noqa: S314 - made here
            "svg", "title", "rect", "path", "g", "text",
        }  # fmt: skip


def test_every_link_is_relative_and_leads_somewhere(tmp_path: Path) -> None:
    build(full(), tmp_path)
    for page in tmp_path.rglob("*.html"):
        for link in Links(page.read_text(encoding="utf-8")).found:
            target = link.partition("#")[0]
            assert not target or (page.parent / target).resolve().is_file(), f"{page.name}: {link}"


def test_a_page_is_kept_with_a_new_time_and_drawn_when_its_records_change(tmp_path: Path) -> None:
    first = build(full(), tmp_path)
    assert (first.kept, first.large) == (0, ())
    again = build(full(), tmp_path, LATER)
    assert again.drawn == 0
    assert f'datetime="{LATER}">2026-03-10 04:43</time>' in (tmp_path / "index.html").read_text(encoding="utf-8")
    (repository,) = full().repositories
    changed = replace(repository.prompts[0], night_lines=nights(4))
    build(replace(full(), repositories=(replace(repository, prompts=(changed, *repository.prompts[1:])),)), tmp_path)
    page = tmp_path / "prompt" / "prompt-1.html"
    assert "3 nights" in page.read_text(encoding="utf-8")
    assert "4 nights" in (tmp_path / "prompt" / "prompt-0.html").read_text(encoding="utf-8")


def test_the_page_of_a_prompt_that_is_gone_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    build(full(2), tmp_path)
    (tmp_path / "mine.html").write_text("mine")
    build(full(1), tmp_path)
    assert not (tmp_path / "prompt" / "prompt-1.html").exists()
    assert (tmp_path / "mine.html").exists()
    assert not (tmp_path / "badge" / "prompt-1.svg").exists()


def test_pages_stay_small(tmp_path: Path) -> None:
    long_text = "reason " * 80
    happened = tuple(event("released", why=long_text, verdict=long_text, entry=n) for n in range(60))
    heavy = prompt(versions=tuple(version(f"v1.{n}.0") for n in range(30)), events=happened, night_lines=nights(731))
    built = build(records(heavy, *(prompt(f"p{n}") for n in range(260))), tmp_path)
    assert built.large == ()
    assert max(page.stat().st_size for page in tmp_path.rglob("*.html")) <= MAX_PAGE_BYTES


def test_nothing_to_show_is_stated(tmp_path: Path) -> None:
    build(records(has_history=False), tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "No prompt was found" in text
    assert "There is no branch" in text
    assert MADE_AT in text


@given(st.text(min_size=1))
def test_a_page_name_has_only_plain_signs(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,80}", page_name(name))


def test_different_names_have_different_pages() -> None:
    assert len({page_name(name) for name in ("a/b", "a-b", "A-B", "a b", "a.")}) == 5
