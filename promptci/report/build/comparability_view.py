"""What a comparison rests on, in words. Pure."""

import re

from promptci.report.model.report import PromptView

_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def mismatches(prompt: PromptView) -> list[str]:
    """Give why the versions are not comparable; nothing where they are, or where nothing is compared."""
    return prompt.comparability.mismatches if prompt.comparability else []


def rows(prompt: PromptView) -> list[tuple[str, str]]:
    """Say whether the versions are comparable and what on, in the order of reading; digests by their beginning."""
    found = prompt.comparability
    if found is None:
        return []
    said = f"no: {'; '.join(found.mismatches)}" if found.mismatches else "yes"
    parts = [(name[:1].upper() + name[1:], shortened(part)) for name, part in found.parts.items()]
    return [("Comparable", said), *parts, ("Fingerprint", found.fingerprint[:12])]


def shortened(part: str) -> str:
    """Give a part with its digests by their beginning."""
    return _DIGEST.sub(r"\1", part)
