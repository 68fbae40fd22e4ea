"""From matplotlib's SVG to one that stands inline under a strict policy: no style, no outside name, our colours."""

import re
from xml.etree import ElementTree as ET

from markupsafe import Markup

from promptci.report import escape

INK, BEFORE, NOW, LIMIT = "#000000", "#000001", "#000002", "#000003"
"""Colours to draw with; each stands for a variable of the page, which has another value in the dark."""
_VARIABLES = {INK: "currentColor", BEFORE: "var(--before)", NOW: "var(--now)", LIMIT: "var(--bad)"}
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"#([\w-]+)")


def inline(drawn: str, *, name: str, title: str, description: str) -> Markup:
    """Give the `<svg>` element that goes into the page.

    Parameters
    ----------
    drawn
        What matplotlib wrote.
    name
        Starts every id in the drawing, so that several drawings on a page do not share ids.
    title, description
        For readers who hear the page.
    """
    root = ET.fromstring(drawn)  # noqa: S314 - matplotlib has just drawn it, from numbers and our own words
    _without(root, {f"{_SVG}style", f"{_SVG}metadata"})
    for element in root.iter():
        _style_to_attributes(element)
        element.text = (element.text or "").strip()
        element.tail = None
    _rename(root, name)
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "stroke-linejoin": "round",
    }
    for tag, words in (("desc", description), ("title", title)):
        said = ET.Element(f"{_SVG}{tag}", {"id": f"{name}-{tag}"})
        said.text = escape.one_line(words)
        root.insert(0, said)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - the serialiser has escaped every text


def _without(root: ET.Element, tags: set[str]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in tags:
                parent.remove(child)


def _style_to_attributes(element: ET.Element) -> None:
    """Turn the style into presentation attributes, which no policy forbids; the font is the page's."""
    for declaration in filter(None, (part.strip() for part in element.attrib.pop("style", "").split(";"))):
        key, value = (part.strip() for part in declaration.split(":", 1))
        if not key.startswith("font") or key == "font-size":
            element.set(key, _VARIABLES.get(value, value))


def _rename(root: ET.Element, name: str) -> None:
    """Drop ids that nothing refers to, and start the others with the drawing's name."""
    for element in root.iter():
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
    used = {
        target
        for element in root.iter()
        for key in ("href", "clip-path")
        for target in _REFERENCE.findall(element.get(key, ""))
    }
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in used:
            element.set("id", f"{name}-{old}")
        for key in ("href", "clip-path"):
            if key in element.attrib:
                element.set(key, _REFERENCE.sub(rf"#{name}-\1", element.attrib[key]))
