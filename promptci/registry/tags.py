"""Read the tags of releases, and make new ones."""

from collections import defaultdict
from pathlib import Path

from promptci.errors import GitError, UsageError
from promptci.git import command, new_commit, user_git
from promptci.registry.number import FIRST, ReleaseNumber
from promptci.registry.release import TAG_PREFIX, Release, tag_name
from promptci.registry.tag_message import TagMessage, parse_trailers
from promptci.wording import suggest

_FIELDS = (
    "%(refname)",
    "%(objectname)",
    "%(*objectname)",
    "%(taggername) %(taggeremail)",
    "%(taggerdate:iso-strict)",
    "%(contents:subject)",
    "%(contents:body)",
    "%(contents:signature)",
)
Releases = dict[str, list[Release]]
"""By the prompt's name, oldest number first."""


def list_releases(root: Path) -> Releases:
    """Return every release that this clone knows."""
    form = "%00".join(_FIELDS) + "%00"
    done = command.try_git(root, "for-each-ref", f"--format={form}", f"refs/tags/{TAG_PREFIX}")
    if done.returncode:
        hint = "Fetch it again with `git fetch --tags`, or delete a tag that nobody has with `git tag --delete`."
        raise GitError(f"The tags of releases cannot be read: {command.error_message(done)}", hint)
    parts = done.stdout.decode(errors="replace").split("\0")[:-1]
    releases: Releases = defaultdict(list)
    for start in range(0, len(parts), len(_FIELDS)):
        release = _parse(parts[start : start + len(_FIELDS)])
        if release is not None:
            releases[release.prompt].append(release)
    return {
        prompt: sorted(prompt_releases, key=lambda release: release.number)
        for prompt, prompt_releases in sorted(releases.items())
    }


def _parse(fields: list[str]) -> Release | None:
    ref, own, target, tagger, at, subject, body, signature = fields
    prompt, _, version = ref.strip().removeprefix(f"refs/tags/{TAG_PREFIX}").rpartition("/")
    number = ReleaseNumber.find(version)
    if not prompt or number is None or not version.startswith("v"):
        return None
    annotated = bool(target)
    return Release(
        prompt=prompt,
        number=number,
        commit=target or own,
        tagged_by=tagger.strip() if annotated else "",
        at=at,
        subject=subject if annotated else "",
        trailers=parse_trailers(body) if annotated else {},
        signed=bool(signature.strip()),
    )


def find_latest(releases: Releases, prompt: str) -> Release | None:
    """Return the newest release that promptci made; a tag by hand takes a number, and replaces nothing."""
    return next((release for release in reversed(releases.get(prompt, [])) if release.fingerprint), None)


def find_same(releases: Releases, prompt: str, fingerprint: str) -> Release | None:
    """Return the newest release of this very content."""
    return next((release for release in reversed(releases.get(prompt, [])) if release.fingerprint == fingerprint), None)


def find_release(root: Path, releases: Releases, prompt: str, version: str) -> Release:
    """Return one release.

    Raises
    ------
    UsageError
        With the releases that there are.
    """
    number = ReleaseNumber.parse(version)
    known = require_releases(root, releases, prompt)
    for release in known:
        if release.number == number:
            return release
    listed = ", ".join(str(release.number) for release in known[-10:])
    raise UsageError(f"There is no release {prompt}@{number}", f"Released: {listed}.")


def require_releases(root: Path, releases: Releases, prompt: str) -> list[Release]:
    """Return the releases of a prompt; raises UsageError where there is none, with what may be the reason."""
    if releases.get(prompt):
        return releases[prompt]
    listed = f"Prompts with releases: {', '.join(releases)}." if releases else no_tags_hint(root)
    others = f"{suggest(prompt, releases)} {listed}".lstrip()
    raise UsageError(f"The prompt `{prompt}` has no release here", others)


def no_tags_hint(root: Path) -> str:
    """Return what to do where no tag of a release is found."""
    done = command.try_git(root, "remote")
    fetch = " or fetch the tags: `git fetch --tags` (actions/checkout: `fetch-depth: 0`)" if done.stdout else ""
    return f"Release one with `promptci release NAME`{fetch}."


def split_name(text: str) -> tuple[str, str]:
    """Split `order-extractor@v1.2.0`; raises UsageError where it is not of this form."""
    prompt, at, version = text.rpartition("@")
    if not at or not prompt:
        raise UsageError(f"`{text}` does not name a version", "Write NAME@VERSION, such as order-extractor@v1.2.0.")
    return prompt, version


def is_number(version: str) -> bool:
    """Return whether a version is written as a release's number, and so cannot be a revision."""
    return ReleaseNumber.find(version) is not None


def find_name_problem(root: Path, prompt: str) -> str | None:
    """Return why git takes no tag with the name of a prompt; None where it does."""
    if not command.try_git(root, "check-ref-format", f"refs/tags/{tag_name(prompt, FIRST)}").returncode:
        return None
    hint = "Give the prompt a `name:` of letters, digits, `-` and `_`; git takes no blank, no `..` and no `.lock`."
    return f"`{prompt}` cannot be in the name of a git tag. {hint}"


def create_tag(root: Path, prompt: str, number: ReleaseNumber, commit: str, message: TagMessage) -> str:
    """Make the annotated tag of a release, signed where the user's git signs, and return its name.

    Raises
    ------
    GitError
        Where git refuses, as for a tag that is there already.
    """
    tag = tag_name(prompt, number)
    words = ("tag", "--annotate", "--cleanup=verbatim", "--file=-", tag, commit)
    user_git.run_user_git(root, *words, data=str(message).encode())
    return tag


def delete_tag(root: Path, tag: str) -> None:
    """Delete a tag of this clone that nobody else has."""
    command.run_git(root, "tag", "--delete", tag)


def push_tag(root: Path, remote: str, tag: str) -> str | None:
    """Push a tag; return None, or the reason why the remote did not take it because it has one of this name.

    Raises
    ------
    GitError
        Where it cannot be pushed for another reason.
    """
    done = user_git.try_user_git(root, "push", "--porcelain", remote, f"refs/tags/{tag}:refs/tags/{tag}")
    if done.returncode == 0:
        return None
    output = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    if new_commit.is_race(output):
        return "the remote has a tag of this name"
    raise GitError(f"git push failed: {command.error_message(done)}", "The tag was not kept. Push rights are needed.")


def push_missing_tag(root: Path, remote: str, tag: str) -> bool:
    """Push a tag where only this clone has it; return whether it was pushed. Raise GitError where another is there."""
    if tag in list_remote_tags(root, remote):
        return False
    if push_tag(root, remote, tag) is not None:
        fetch_tags(root, remote)  # raises where the remote's tag is not this one
    return True


def fetch_tags(root: Path, remote: str) -> None:
    """Fetch the tags of releases that the remote has and this clone does not; none is overwritten."""
    user_git.require_remote(root, remote)
    pattern = f"refs/tags/{TAG_PREFIX}*:refs/tags/{TAG_PREFIX}*"
    done = user_git.try_user_git(root, "fetch", "--no-tags", remote, pattern)
    if done.returncode and b"would clobber existing tag" in done.stderr:
        hint = f"`promptci versions --remote {remote}` names it. A released tag must not be moved."
        raise GitError(f"A tag of a release is not the same here and at {remote}", hint)
    if done.returncode:
        hint = "See what `git remote --verbose` lists; --remote names another one."
        raise GitError(f"The tags of `{remote}` cannot be fetched: {command.error_message(done)}", hint)


def require_whole_clone(root: Path) -> None:
    """Raise UsageError in a shallow clone: without its tags, a first release would take a number that is in use."""
    if command.is_shallow(root):
        hint = "Set `fetch-depth: 0` for actions/checkout, run `git fetch --unshallow --tags`, or pass --push."
        raise UsageError("The clone is shallow and has no tag of a release, so the next number is not known", hint)


def require_pushed(root: Path, remote: str, release: Release) -> None:
    """Raise UsageError where the remote does not have a release, which nobody else could then find."""
    at_remote = list_remote_tags(root, remote).get(release.tag)
    if at_remote is None:
        hint = f"Push it first: `git push {remote} {release.tag}`."
        raise UsageError(f"{release.tag} is not at {remote}", hint)
    if at_remote != release.commit:
        hint = f"`promptci versions --remote {remote}` names it. A released tag must not be moved."
        raise GitError(f"{release.tag} is not the same here and at {remote}", hint)


def list_remote_tags(root: Path, remote: str) -> dict[str, str]:
    """Return the commits of a remote's releases, by tag."""
    user_git.require_remote(root, remote)
    printed = user_git.run_user_git(root, "ls-remote", "--tags", remote, f"refs/tags/{TAG_PREFIX}*").decode()
    tags: dict[str, str] = {}
    for line in printed.splitlines():
        oid, _, ref = line.partition("\t")
        tags[ref.removeprefix("refs/tags/").removesuffix("^{}")] = oid  # the peeled one comes last
    return tags
