"""Globs over repository paths: `*` stays within a folder, `**` does not, `{a,b}` is either."""

import re
from functools import lru_cache


def escaped(text: str) -> str:
    """Give a glob that matches exactly this text."""
    return re.sub(r"([*?\[\]{},])", r"[\1]", text)


def matches(pattern: str, path: str) -> bool:
    """Whether a path, relative to the repository's root, matches; upper and lower case differ."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_translated(pattern.removeprefix("./")), re.DOTALL)


TOKEN = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\[(?P<set>!?\]?[^\]]*)\]|\{|\}|,|.", re.DOTALL)
WILD = {"**/": r"(?:[^/]+/)*", "/**": r"/.+", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}


def _translated(pattern: str) -> str:
    out, depth = [], 0
    for match in TOKEN.finditer(pattern):
        sign = match[0]
        if sign in WILD:
            out.append(WILD[sign])
        elif match["set"]:
            inner = match["set"].replace("\\", r"\\").replace("[", r"\[")
            negated, members = inner.startswith("!"), inner.removeprefix("!").replace("^", r"\^")
            members = ("\\]" + members[1:]) if members.startswith("]") else members
            out.append(f"(?!/)[{'^' if negated else ''}{members}]")
        elif sign == "{" and "}" in pattern[match.end() :]:
            depth += 1
            out.append("(?:")
        elif sign == "}" and depth:
            depth -= 1
            out.append(")")
        elif sign == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(sign))
    return "".join(out) + ")" * depth
