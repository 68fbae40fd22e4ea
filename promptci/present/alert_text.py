"""Texts of alerts for issues, chats and the step summary."""

from collections.abc import Sequence
from typing import Literal

from promptci.monitor.alerts.evaluate import DATA_RULE, AlertLook
from promptci.present.escape import Ready, code, inline, prose
from promptci.present.finding_text.describe import describe

DATA_TITLE = "No data to alert on"
ShownState = Literal["ok", "unknown", "pending", "open", "resolved"]


def alert_title(rule: str, prompt: str) -> str:
    """Return the title of an alert, as plain text."""
    return DATA_TITLE if rule == DATA_RULE else f"Alert {rule}: {prompt}"


def alert_line(look: AlertLook) -> str:
    """Return what was measured, in a line of plain text."""
    return f"{alert_title(look.rule, look.prompt)}: {describe(look.finding).text}"


def issue_body(look: AlertLook, at: str, run_url: str | None) -> str:
    """Return the Markdown of an open alert's issue."""
    since = look.state.since if look.state else at
    recovering = f" At the last {look.state.fine} looks it did not fire." if look.state and look.state.fine else ""
    row = f"| {code(look.rule)} | {_prompt(look)} | {since} | {at} |"
    lines = [
        prose(describe(look.finding).text),
        "",
        "| rule | prompt | first seen | looked at |",
        "|:--|:--|:--|:--|",
        row,
        "",
        f"promptci closes this issue after three looks at which the alert does not fire.{recovering}",
    ]
    return "\n".join([*lines, *_run_link(run_url)])


def closing_comment(at: str) -> str:
    """Return the Markdown of the comment that closes an issue: the same at each attempt to close it."""
    return f"Resolved: it did not fire at three looks in a row, the last one at {at}."


def summary_table(looks: Sequence[AlertLook], state: str) -> str:
    """Return the step summary's Markdown."""
    head = ["### Alerts", "", f"Data: {state}.", "", "| alert | prompt | state | measured |", "|:--|:--|:--|:--|"]
    rows = [
        f"| {code(look.rule)} | {_prompt(look)} | {look_state(look)} | {prose(describe(look.finding).summary)} |"
        for look in looks
    ]
    return "\n".join([*head, *rows, ""])


def look_state(look: AlertLook) -> ShownState:
    """Return the state of an alert in a word."""
    if look.state is not None:
        return look.state.phase
    if look.event == "resolved":
        return "resolved"
    return "unknown" if look.firing is None else "ok"


def _prompt(look: AlertLook) -> Ready:
    return code(look.prompt) if look.prompt else inline("-")


def _run_link(run_url: str | None) -> list[str]:
    return ["", f"[Run](<{run_url}>)"] if run_url else []
