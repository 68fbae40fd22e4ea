"""Make the pictures of docs/tour.md from the demo's site: `python tools/take_site_pictures.py demo-site/site`."""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from take_pictures import BROWSER, DOCS, FLAGS

WIDTH = 1180
SHOTS = {
    "site-pipeline": ("index.html", 560),
    "site-gate": ("index.html", 900),
    "site-prompt": ("prompt/order-extractor.html", 900),
    "site-canary": ("canary.html", 900),
}
"""By the picture's name: the page and the picture's height."""


def prepare(page: Page, name: str) -> None:
    """Bring the page to what the picture is to show."""
    if name == "site-gate":
        page.click(".g3 > summary")
    if name == "site-canary":
        page.locator(".canary", has_text="rolled back").first.evaluate("(part) => scrollTo(0, part.offsetTop - 20)")


def main(site: Path) -> None:
    """Take every picture."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for name, (path, height) in SHOTS.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": height})
            page.goto((site / path).resolve().as_uri())
            prepare(page, name)
            page.screenshot(path=DOCS / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
