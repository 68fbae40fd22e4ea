"""How large a report of many cases is, how long it takes to write, and how soon it can be read in Chromium.

    python benchmarks/report_page.py [--cases 50000] [--out page.html]

The cases are as varied as real ones (tests/support/large_reports.py). Times are of this machine. The page is opened
three times and the median is printed. Exit code 1 where the page passes 20 MB or opens in more than 3 s.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from playwright.sync_api import Browser, expect, sync_playwright
from support import large_reports
from support.browser import CHROMIUM, FLAGS

from promptci.report.html import html_renderer

MOST_BYTES, MOST_MS = 20_000_000, 3000
ROUNDS = 3


def measure(browser: Browser, address: str, cases: int) -> dict[str, float]:
    """Open the page once; give milliseconds until it stands, until its table is of use, and of what a reader does."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    expect(page.locator("#found")).to_have_text(f"{cases:,} cases", timeout=60_000)
    opened, ready = page.evaluate(
        "[performance.getEntriesByType('navigation')[0].domComplete,"
        " performance.getEntriesByName('cases')[0].startTime]"
    )
    found = {"opened": opened, "table ready": ready}
    started = time.perf_counter()
    page.locator("#sort").select_option(value="id")
    page.evaluate("1")
    found["sorted by name"] = 1000 * (time.perf_counter() - started)
    page.evaluate("scrollTo(0, document.querySelector('#cases').offsetTop)")
    started = time.perf_counter()
    page.locator("#rows .case-row").first.click()
    page.wait_for_selector("#opened-body > *")
    found["case shown"] = 1000 * (time.perf_counter() - started)
    page.keyboard.press("Escape")
    started = time.perf_counter()
    page.locator("#find").fill("no such words in any of the answers")
    done = re.compile(rf"^0 of {cases:,} cases(?!.*searching,)")
    expect(page.locator("#found")).to_have_text(done, timeout=60_000)
    found["every text searched"] = 1000 * (time.perf_counter() - started)
    page.close()
    return found


def main() -> int:
    """Write one page, look at it, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "promptci-page.html")
    options = parser.parse_args()
    view = large_reports.view(options.cases)
    started = time.process_time()
    text = html_renderer.render_page(view)
    print(f"written in {time.process_time() - started:.1f} s of one core: {len(text.encode()) / 1e6:.1f} MB")
    options.out.write_text(text, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        rounds = [measure(browser, options.out.resolve().as_uri(), options.cases) for _ in range(ROUNDS)]
        browser.close()
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    for name, took in medians.items():
        print(f"{name:>20}  {took:6.0f} ms")
    return int(len(text.encode()) >= MOST_BYTES or medians["opened"] >= MOST_MS or medians["table ready"] >= MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
