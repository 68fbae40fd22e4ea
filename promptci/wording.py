"""Lists, counts, near names and shortened digests as every message spells them."""

from collections.abc import Iterable, Sequence

from promptci import __version__

SOURCE = f"git+https://github.com/promptci/promptci@v{__version__}"
SHORT_SHA = 7
SHORT_DIGEST = 12


def join_names(names: Sequence[str], limit: int = 10, *, others: int = 0, last: str = " and ") -> str:
    """Return `a, b and c`; of more names than `limit`, the first ones and the number of the others.

    `others` counts what is not among `names`; `last` stands before the last name of a whole list.
    """
    others += max(0, len(names) - limit)
    if others:
        return f"{', '.join(names[:limit])} and {others:,} more"
    return last.join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 case`, `2 cases`, `12,345 cases`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def suggest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return which known name may be meant; empty where none is as near as `cutoff`, from 0 to 1."""
    nearest = find_nearest(name, known, cutoff=cutoff)
    return f"Did you mean `{nearest}`?" if nearest else ""


def find_nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the known name that is nearest; empty where none is as near as `cutoff`, from 0 to 1."""
    import difflib  # noqa: PLC0415 - 2 ms of every start, which only mistakes need

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def install_extra(extra: str) -> str:
    """Return how to install an extra of promptci; the brackets are quoted, as zsh would expand them."""
    return f"Install it: `pip install 'promptci-action[{extra}] @ {SOURCE}'`."


def short_sha(sha: str | None) -> str:
    """Return the first seven digits of a commit; None is the working tree."""
    return "working tree" if sha is None else sha[:SHORT_SHA]


def short_digest(digest: str | None) -> str:
    """Return the first twelve digits of a SHA-256; enough to tell two of them apart by eye."""
    return "unknown" if digest is None else digest[:SHORT_DIGEST]


def format_kappa(kappa: float, least: float | None = None) -> str:
    """Format a kappa with two decimals, or with four where two would hide that it is below `least`."""
    short = f"{kappa:.2f}"
    long = least is not None and kappa < least <= float(short)
    return (f"{kappa:.4f}" if long else short).replace("-", "−")


def count_equal_chars(text: str, other: str) -> int:
    """Return how many characters two texts share from their beginning: the position of the first that differs."""
    pairs = enumerate(zip(text, other, strict=False))
    return next((i for i, (left, right) in pairs if left != right), min(len(text), len(other)))
