"""The feed of decisions, and the badges."""

from __future__ import annotations

from promptci.present.escape import shorten
from promptci.site.model import SitePrompt, SiteRecords
from promptci.site.pages.frame import Frame, environment
from promptci.site.view import answers, stages

MAX_ENTRIES = 50
COLOURS = {"good": "#1a6b3a", "warn": "#855600", "bad": "#b3261e", "mute": "#5a6372"}


def render_feed(frame: Frame, records: SiteRecords, site_url: str) -> bytes:
    """Return the Atom feed; its links are whole addresses where the site's is known."""
    events = [(repository, event) for repository in records.repositories for event in repository.events if event.at]
    events.sort(key=lambda pair: pair[1].at, reverse=True)
    prompts = {(prompt.repository, prompt.name): prompt for prompt in records.prompts}
    text = (
        environment()
        .get_template("html/site/feed.html.j2")
        .render(
            frame=frame,
            events=events[:MAX_ENTRIES],
            updated=events[0][1].at if events else records.made_at,
            base=site_url.rstrip("/") + "/" if site_url else "",
            prompts=prompts,
        )
    )
    return text.encode(errors="replace")


def render_badge(prompt: SitePrompt) -> bytes:
    """Return the badge: what runs in production, in the colour of its evidence."""
    card = next((card for stage, card in stages.find_cards(prompt) if stage == "production"), None)
    pair = answers.find_main_pair(prompt)
    label, value = shorten(prompt.name, 40), f"{pair.stable} · {card.note}" if pair and card else "not deployed"
    value = shorten(value, 48)
    widths = [round(6.6 * len(text)) + 14 for text in (label, value)]
    return (
        environment()
        .get_template("html/site/badge.html.j2")
        .render(label=label, value=value, widths=widths, colour=COLOURS[card.slug if card else "mute"])
        .encode(errors="replace")
    )
