"""Settings of the documentation site: Sphinx, Furo and MyST, built by `make docs-site` (docs/adr/0013)."""

import re
from pathlib import Path
from typing import Any

from pygments.lexers.data import JsonLexer

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
REPOSITORY = "https://github.com/promptci/promptci"
LINK_TARGET = re.compile(r"(?<=\]\()(?:\.\./)+[^)#\s]*")

project = "promptci"
author = "the promptci project"
extensions = ["myst_parser"]
exclude_patterns = ["notebooks", "schemas"]
myst_heading_anchors = 4  # headings get the anchors that GitHub gives them
html_theme = "furo"
html_title = "promptci"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"source_repository": REPOSITORY, "source_branch": "main", "source_directory": "docs/"}


def resolve_outer_links(text: str, folder: Path) -> str:
    """Return a page's text with links that leave docs/ as addresses in the repository; they have to exist there."""

    def resolve(match: re.Match[str]) -> str:
        path = (folder / match[0]).resolve()
        if path.is_relative_to(DOCS):
            return match[0]
        if not path.exists():
            message = f"{folder.relative_to(ROOT)}: the link to {match[0]} leads nowhere"
            raise ValueError(message)
        kind = "tree" if path.is_dir() else "blob"
        return f"{REPOSITORY}/{kind}/main/{path.relative_to(ROOT).as_posix()}"

    return LINK_TARGET.sub(resolve, text)


def setup(app: Any) -> None:
    """Register what happens to links, which work on GitHub as they are written, and a name of JSON Lines."""

    def read(_app: object, name: str, source: list[str]) -> None:
        source[0] = resolve_outer_links(source[0], (DOCS / name).parent)

    app.add_lexer("jsonl", JsonLexer)
    app.connect("source-read", read)
