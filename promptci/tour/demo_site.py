"""The demo of the site: play the story, build the site of what it left, and a tour through the pages."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from promptci.files import write
from promptci.lazy_dataclass import dataclass
from promptci.site.pages import tour_page
from promptci.site.pages.tour_page import SimulatedSides
from promptci.tour import story
from promptci.tour.story import ORDERS
from promptci.usecases.rollout.simulate import SimulationDocument, SimulationRequest, simulate_canary
from promptci.usecases.site import make_site
from promptci.usecases.site.make_site import MadeSite, SiteRequest

PER_DAY, BEFORE, AFTER, DAYS_UNSEEN = 25_000.0, 0.97, 0.85, 2.0
"""The lesson's change: 25,000 messages a day, and complaints after two days."""
RUNS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoRequest:
    """Where the demo goes."""

    out: Path
    now: datetime
    environ: Mapping[str, str]


def make_demo(request: DemoRequest, say: Callable[[str], None]) -> MadeSite:
    """Play the two months before a time, and build the site.

    Raises
    ------
    UsageError
        If the folder holds files that no demo made.
    """
    played = story.play(request.out / "story", request.now, say)
    site = request.out / "site"
    result = make_site.make_site(
        SiteRequest(
            roots=(played.root,),
            out=site,
            now=request.now,
            environ=request.environ,
            monitors=(str(played.monitor),) if played.monitor else (),
            canaries=tuple(str(path) for path in played.canaries),
            title="Garden shop",
            is_demo=True,
        )
    )
    say("the same change with and without promptci: simulated")
    sides = compare_sides(_simulate(request.out))
    events = [event for prompt in result.records.prompts if prompt.name == ORDERS for event in prompt.events]
    write.write_bytes(site / "tour.html", tour_page.render_tour(result.frame, sides, events, played.facts))
    return result


def _simulate(root: Path) -> SimulationDocument:
    return simulate_canary(
        SimulationRequest(
            root=root,
            environment=None,
            per_day=PER_DAY,
            before=BEFORE,
            after=AFTER,
            users=None,
            schedule_s=900,
            cache_s=600,
            runs=RUNS,
        )
    )


def compare_sides(document: SimulationDocument) -> SimulatedSides:
    """Return the numbers of both sides: the lesson's without promptci, the simulator's with it."""
    (rolled_back,) = [each for each in document.steps[0].outcomes if each.outcome == "rolled back"]
    requests = rolled_back.requests.median + rolled_back.delay_requests.median
    return SimulatedSides(
        per_day=document.per_day,
        before=document.before,
        after=document.after,
        runs=document.runs,
        unseen_days=DAYS_UNSEEN,
        requests_without=document.per_day * DAYS_UNSEEN,
        harmed_without=document.per_day * DAYS_UNSEEN * (document.before - document.after),
        requests_with=requests,
        harmed_with=requests * (document.before - document.after),
        minutes_with=(rolled_back.possible_s.median + rolled_back.delay_s.median) / 60,
        caught=document.rolled_back,
    )
