"""Styles and scripts of the page, as they are put into it."""

from promptci.files import packaged

STYLES = ("report.css", "explorer.css")
SCRIPTS = ("report.js", "packed.js", "worddiff.js", "opened.js", "explorer.js")
"""In this order: each uses names of those before it."""


def read_assets(*names: str) -> str:
    """Return the text of these files together."""
    folder = packaged.find_packaged_folder("templates") / "assets"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)
