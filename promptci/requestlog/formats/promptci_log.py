"""What `promptci.runtime` writes, and what an application writes with the names of OpenTelemetry."""

from promptci.requestlog.aliases import ALIASES
from promptci.requestlog.formats.dialect import Dialect

PROMPTCI = Dialect(
    name="promptci",
    markers=(
        ("time", "promptci.request"),
        ("time", "gen_ai.prompt.name"),
        ("time", "promptci.prompt"),
        ("time", "gen_ai.response.id"),
    ),
    fields=ALIASES,
    needs_zone=True,
    needs_prompt=True,
)
