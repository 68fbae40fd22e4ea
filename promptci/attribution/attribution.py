"""Attribution: which of a change's edits broke the cases that it broke."""

from promptci.attribution.edits import Edit
from promptci.attribution.search import SearchResult
from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribution:
    """What a search for the guilty edits came to."""

    edits: tuple[Edit, ...]
    """Everything that the change did to the prompt."""
    broken: int
    """Cases that the change broke."""
    result: SearchResult | None = None
    """None where nothing could be asked."""
    failure: str | None = None
    """Why not, in words."""
