"""Write other versions into a deployment file; comments, order and everything else stay as they are."""

import codecs
import json
import re
from collections.abc import Sequence

from promptci.errors import ConfigError, InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed, Deployment

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
_EMPTY = re.compile(r"([\"']?prompts[\"']?[ \t]*:)[ \t]*\{[ \t]*\}([ \t]*(?:[ \t]#.*)?\r?)")
"""A file in which nothing is deployed: `prompts: {}`."""
_WORDS = {"null", "true", "false"}


def with_deployed(data: bytes | None, path: str, deployed: Deployed) -> bytes:
    """Return the file with what is wanted of one prompt; None: there is no file yet.

    Raises
    ------
    ConfigError
        Where the file has mistakes.
    InputError
        Where it is written in a way that cannot be changed in place.
    """
    if data is None:
        return "\n".join(["prompts:", *_render_section(deployed, "  ", "    "), ""]).encode()
    before = deployment.load(data, path)
    text = decode_utf8(data, path)
    document = strict_yaml.load(text, path)
    lines = text.split("\n")
    known = any(entry.prompt == deployed.prompt for entry in before.prompts)
    where: tuple[str, ...] = ("prompts", deployed.prompt) if known else ("prompts",)
    first = document.line_of(where) - 1
    changed = _change_section(lines, first, deployed) if known else _add_section(lines, first, deployed)
    windows = 2 * data.count(b"\r\n") > data.count(b"\n")
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    new = mark + ("\r\n" if windows else "\n").join(changed).encode("utf-8", "surrogatepass")
    if not _holds_only_change(before, new, path, deployed):
        shown = " ".join(line.strip() for line in _render_section(deployed, "", "  "))
        hint = f"Write it by hand: `{shown}`."
        raise InputError([Problem(path=path, line=first + 1, message="this cannot be changed in place", hint=hint)])
    return new


def _holds_only_change(before: Deployment, new: bytes, path: str, deployed: Deployed) -> bool:
    try:
        after = deployment.load(new, path)
    except ConfigError:
        return False
    others_before = [entry for entry in before.prompts if entry.prompt != deployed.prompt]
    others_after = [entry for entry in after.prompts if entry.prompt != deployed.prompt]
    return (others_after, after.policy, deployed in after.prompts) == (others_before, before.policy, True)


def _render_section(deployed: Deployed, outer: str, inner: str) -> list[str]:
    return [
        f"{outer}{_render_scalar(deployed.prompt)}:",
        f"{inner}stable: {_render_scalar(deployed.stable)}",
        *_render_canary(deployed, inner),
    ]


def _render_canary(deployed: Deployed, indent: str) -> list[str]:
    if deployed.canary is None:
        return []
    return [
        f"{indent}canary:",
        f"{indent}  version: {_render_scalar(deployed.canary)}",
        f"{indent}  share: {deployed.share:g}",
    ]


def _render_scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_filler(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _end(lines: Sequence[str], first: int) -> int:
    """Return the line after a block that begins with a key; comments and blanks behind it belong to what follows."""
    own = _indent(lines[first])
    end = first + 1
    while end < len(lines) and (_is_filler(lines[end]) or _indent(lines[end]) > own):
        end += 1
    while _is_filler(lines[end - 1]):
        end -= 1
    return end


def _add_section(lines: list[str], first: int, deployed: Deployed) -> list[str]:
    if match := _EMPTY.fullmatch(lines[first]):
        return [*lines[:first], f"{match[1]}{match[2]}", *_render_section(deployed, "  ", "    "), *lines[first + 1 :]]
    end = _end(lines, first)
    outer = next((" " * _indent(line) for line in lines[first + 1 : end] if not _is_filler(line)), "  ")
    return [*lines[:end], *_render_section(deployed, outer, outer + "  "), *lines[end:]]


def _change_section(lines: list[str], first: int, deployed: Deployed) -> list[str]:
    end = _end(lines, first)
    section = lines[first:end]
    inner = next((_indent(line) for line in section[1:] if not _is_filler(line)), 0)
    kept: list[str] = []
    at = 0
    while at < len(section):
        line = section[at]
        if at and _indent(line) == inner and re.match(r" *[\"']?canary[\"']?\s*:", line):
            stop = _end(section, at)
            kept += _change_canary(section[at:stop], deployed)
            at = stop
            continue
        kept.append(_with_value(line, "stable", deployed.stable) if at and _indent(line) == inner else line)
        at += 1
    if deployed.canary is not None and not any(re.match(r" *[\"']?canary[\"']?\s*:", line) for line in kept):
        kept += _render_canary(deployed, " " * inner)
    return [*lines[:first], *kept, *lines[end:]]


def _change_canary(block: list[str], deployed: Deployed) -> list[str]:
    if deployed.canary is None:
        return []
    if len(block) == 1:  # `canary: null`
        return _render_canary(deployed, " " * _indent(block[0]))
    block = [_with_value(line, "version", deployed.canary) for line in block]
    return [_with_value(line, "share", f"{deployed.share:g}") for line in block]


def _with_value(line: str, key: str, value: str) -> str:
    """Return a line with another scalar, and its comment as it was."""
    match = re.fullmatch(rf"( *[\"']?{key}[\"']?\s*:\s*)(\"[^\"]*\"|'[^']*'|[^\s#]\S*)(\s*(?:\s#.*)?\r?)", line)
    if match is None:
        return line
    written = value if key == "share" else _render_scalar(value)
    return f"{match[1]}{written}{match[3]}"
