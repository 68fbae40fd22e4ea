"""`promptci site`."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from promptci.cli import console, options
from promptci.cli.release import output
from promptci.documents.written_files import WrittenFiles
from promptci.usecases.site import make_site
from promptci.usecases.site.make_site import DEFAULT_STALE_HOURS, SiteRequest

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("site")
@options.repository_options
@click.option(
    "--from", "others", multiple=True, type=FOLDER, help="A repository to show, instead of --repo; repeat it."
)
@options.output_option("Folder for the site.", Path("promptci-site"))
@click.option(
    "--monitor", "monitors", multiple=True, metavar="[NAME=]FILE", help="monitor.json, for production figures."
)
@click.option("--canary", "canaries", multiple=True, metavar="[NAME=]FILE", help="canary.json of a last look.")
@click.option("--judge", "judges", multiple=True, metavar="[NAME=]FILE", help="calibration.json of `promptci judge`.")
@click.option("--rev", "revision", help="Commit whose prompts and deployments count; default: the default branch.")
@click.option("--remote", default="origin", show_default=True, help="Remote whose history branch is read.")
@click.option("--title", help="Title of the site; default: the names of the repositories.")
@click.option("--url", default="", help="Address of the site, for whole links in the feed; default: `site.url`.")
@click.option(
    "--stale-after",
    "stale_hours",
    type=click.FloatRange(min=1 / 60),
    default=DEFAULT_STALE_HOURS,
    show_default=True,
    help="Hours after which a page turns red, if it was not built again.",
)
@click.option(
    "--demo", is_flag=True, help="Play two months of an example first, and build its site with a guided tour."
)
@options.now_option("Build")
@output.dry_run_option
@output.json_option
def command(root: Path, others: tuple[Path, ...], demo: bool, as_json: bool, **rest: Any) -> int:
    """Build the site: every prompt on its stage, the gates between, and who decided what on which evidence.

    Reads git's tags, the deployment files and the branch promptci/history of this clone. Writes a folder of pages that
    need no server and make no request. Pages whose records did not change are kept.

    \b
    Example:
      promptci history fetch
      promptci site --out site --monitor promptci-report/monitor.json
      promptci site --from shop --from billing --out site
      promptci site --demo --out demo-site

    Exit code: 0 built, 1 built but something could not be read, 4 there is nothing to show, 2 bad usage.
    """  # noqa: D301 - click's sign for lines that stay
    if demo:
        return _show_demo(rest["out"], rest["now"], dry_run=rest["dry_run"], as_json=as_json)
    site = make_site.make_site(SiteRequest(roots=others or (root,), environ=os.environ, **rest))
    built = make_site.describe_site(site)
    output.print_result(built, built.notes, as_json=as_json)
    return site.exit_code


def _show_demo(out: Path, now: datetime, *, dry_run: bool, as_json: bool) -> int:
    from promptci.tour.demo_site import DemoRequest, make_demo

    if dry_run:
        notes = [f"would play two months of an example in {out / 'story'}, and build its site in {out / 'site'}"]
        output.print_result(WrittenFiles(files=[], notes=notes, dry_run=True), notes, as_json=as_json)
        return 0
    site = make_demo(DemoRequest(out=out, now=now, environ=os.environ), console.say_beside(as_json))
    built = make_site.describe_site(site)
    tour = str(site.out / "tour.html")
    built = built.model_copy(update={"files": [*built.files, tour], "notes": [*built.notes, f"tour: {tour}"]})
    output.print_result(built, built.notes, as_json=as_json)
    return site.exit_code
