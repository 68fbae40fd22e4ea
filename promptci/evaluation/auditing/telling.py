"""The story of a version in sentences: proposed, checked, approved, released, deployed, watched, rolled back."""

from collections.abc import Callable
from typing import NamedTuple

from promptci.evaluation.auditing.material import VersionMaterial, describe_actor
from promptci.evaluation.auditing.stories import LoggedEntry, VersionStory
from promptci.report.text.number_text import moment
from promptci.wording import join_names, short_digest, short_sha


class ToldSentence(NamedTuple):
    """A sentence, and what shows it."""

    text: str
    entries: tuple[int, ...] = ()
    evidence: tuple[str, ...] = ()


def tell_story(story: VersionStory, material: VersionMaterial) -> list[ToldSentence]:
    """Return the story, in the order in which things happened."""
    sentences = [_tell_proposal(story)]
    for each in story.logged:
        tell = TELLERS.get(each.entry.what, _tell_other)
        sentences.append(_with_evidence(tell(story, each), each, material))
    sentences.append(_tell_approvals(story))
    if not story.select("checked", "blocked"):
        sentences.append(ToldSentence("No check of it is in the log: `promptci audit record --report` adds one."))
    return sentences


def _with_evidence(text: str, each: LoggedEntry, material: VersionMaterial) -> ToldSentence:
    entry = each.entry
    evidence = [f"{file.name} sha256:{short_digest(file.sha256)}" for file in entry.evidence]
    if entry.what == "released" and material.release is not None:
        evidence.insert(0, f"tag {material.release.tag}")
    elif entry.change and entry.change.commit:
        evidence.insert(0, f"commit {short_sha(entry.change.commit)}")
    return ToldSentence(text, (entry.n,), tuple(evidence))


def _tell_proposal(story: VersionStory) -> ToldSentence:
    changes = [each.entry.change for each in story.logged if each.entry.change]
    proposer = next((change.proposed_by for change in changes if change.proposed_by), None)
    number = next((change.pull_request for change in changes if change.pull_request), None)
    where = f" in pull request {number}" if number else ""
    if proposer:
        return ToldSentence(f"{proposer} proposed it{where}.")
    return ToldSentence(f"Who proposed it{where} is not recorded.")


def _tell_approvals(story: VersionStory) -> ToldSentence:
    roles: dict[str, list[str]] = {}
    entries = []
    for each in story.logged:
        if each.entry.what != "overridden":
            for approval in each.entry.approved:
                roles.setdefault(approval.login, []).extend([approval.role] if approval.role else [])
                entries.append(each.entry.n)
    if not roles:
        return ToldSentence("No approval is recorded.")
    named = [
        f"{login} (as {join_names(list(dict.fromkeys(held)))})" if held else login for login, held in roles.items()
    ]
    return ToldSentence(f"{join_names(named)} approved it.", tuple(dict.fromkeys(entries)))


def _name_approver(login: str, roles: list[str]) -> str:
    return f"{login} (as {join_names(list(dict.fromkeys(roles)))})" if roles else login


def _tell_check(_: VersionStory, each: LoggedEntry) -> str:
    entry = each.entry
    rules = f" by {join_names(list(entry.rules))}" if entry.rules else ""
    result = f"blocked{rules}" if entry.what == "blocked" else "checked"
    return f"On {moment(each.at)} it was {result}, verdict {entry.verdict}: {entry.why}"


def _tell_override(_: VersionStory, each: LoggedEntry) -> str:
    entry = each.entry
    roles = [approval.role for approval in entry.approved if approval.role]
    role = f" as {join_names(roles)}" if roles else ""
    rules = f" ({join_names(list(entry.rules))})" if entry.rules else ""
    return f"{describe_actor(entry)}{role} overrode the block{rules}: {entry.why or 'no reason is recorded'}"


def _tell_release(_: VersionStory, each: LoggedEntry) -> str:
    entry = each.entry
    replaced = f", replacing {entry.from_.version}" if entry.from_ else ", the first release"
    author = entry.change.author if entry.change else None
    verdict = f" Verdict: {entry.verdict}." if entry.verdict else " No verdict is recorded."
    return f"On {moment(each.at)} {author or 'somebody'} released it{replaced}: {entry.why}.{verdict}"


def _tell_deployment(story: VersionStory, each: LoggedEntry) -> str:
    entry = each.entry
    author = (entry.change.author if entry.change else None) or describe_actor(entry)
    place, share = entry.environment or "an environment", f"{entry.to.share:g}%" if entry.to else "0%"
    when = f"On {moment(each.at)} {author}"
    reason = f": {entry.why}" if entry.why else ""
    if entry.takes_out:
        return f"{when} took the prompt out of {place}{reason}"
    if entry.what != "rolled-back":
        verb = "raised it to" if entry.what == "promoted" else "deployed it for"
        return f"{when} {verb} {share} of the users in {place}{reason}"
    if story.is_target(entry):
        before = f" from {entry.from_.version}" if entry.from_ else ""
        return f"{when} rolled {place} back to it{before}{reason}"
    return f"{when} rolled {place} back from it to {entry.to.version if entry.to else 'nothing'}{reason}"


def _tell_other(_: VersionStory, each: LoggedEntry) -> str:
    words = each.entry.what.replace("-", " ")
    place = f" in {each.entry.environment}" if each.entry.environment else ""
    return f"On {moment(each.at)}: {words}{place}: {each.entry.why or 'no reason is recorded'}"


TELLERS: dict[str, Callable[[VersionStory, LoggedEntry], str]] = {
    "checked": _tell_check,
    "blocked": _tell_check,
    "overridden": _tell_override,
    "released": _tell_release,
    "deployed": _tell_deployment,
    "promoted": _tell_deployment,
    "rolled-back": _tell_deployment,
}
"""Kind of decision to the function that tells it."""
