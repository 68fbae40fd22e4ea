"""Make the README's pictures of report and comment from a real run: `python tools/take_pictures.py demo-output/report`."""

import sys
from pathlib import Path

from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
BROWSER = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FRAME = """<!doctype html><meta charset="utf-8"><style>
body { font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; color: #1f2328; margin: 16px }
main { border: 1px solid #d1d9e0; border-radius: 6px; width: 858px }
header { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; border-radius: 6px 6px 0 0; color: #59636e }
header b { color: #1f2328 }
article { padding: 0 16px 16px }
h3 { font-size: 17.5px } h4 { font-size: 14px }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #d1d9e0; padding: 6px 13px; line-height: 1.3 }
code { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; background: #eff1f3; padding: 3px 5px; border-radius: 6px; white-space: nowrap }
pre { background: #f6f8fa; padding: 12px; border-radius: 6px } pre code { background: none; padding: 0; white-space: pre }
blockquote { border-left: 4px solid #d1d9e0; margin: 0 0 16px; padding: 0 14px; color: #59636e }
</style><main><header><b>github-actions</b> bot commented now</header><article>COMMENT</article></main>"""


def pictures(folder: Path) -> None:
    """Draw the first screen of the page, and the comment as GitHub would show it."""
    comment = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render((folder / "comment.md").read_text())
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto((folder / "report.html").resolve().as_uri())
        page.screenshot(path=DOCS / "report.png")
        page = browser.new_page(viewport={"width": 892, "height": 760})
        page.set_content(FRAME.replace("COMMENT", comment))
        page.screenshot(path=DOCS / "comment.png")
        browser.close()


if __name__ == "__main__":
    pictures(Path(sys.argv[1]))
