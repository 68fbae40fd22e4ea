"""The option `--figures` of commands that can draw what they report."""

from typing import Any, Final

import click

from promptci.present.figures import FORMATS


class _Formats(click.ParamType[tuple[str, ...]]):
    """`png,svg`."""

    name = "FORMATS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the formats, each once."""
        if isinstance(value, tuple):
            return value
        named = tuple(dict.fromkeys(part.strip().lower() for part in str(value).split(",") if part.strip()))
        if not named or any(name not in FORMATS for name in named):
            self.fail(f"`{value}` is not a list of formats; choose from {', '.join(FORMATS)}", param, ctx)
        return named


figures_option: Final = click.option(
    "--figures",
    type=_Formats(),
    default=(),
    help="Also draw figures for slides and e-mail: png, pdf, svg, or several, such as png,svg.",
)
