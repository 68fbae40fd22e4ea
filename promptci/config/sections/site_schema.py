"""Schema of the section `site`."""

from typing import Annotated

from pydantic import Field

from promptci.config.sections.section import ConfigSection


class SiteSection(ConfigSection):
    """The pages that `promptci site` builds."""

    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*/?$")] | None = Field(
        default=None,
        description="Address of the site. Comment and summary of a pull request link to the prompts' pages there.",
    )
