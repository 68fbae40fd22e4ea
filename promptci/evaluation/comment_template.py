"""Render the comment with the template that promptci.yml names, read from the revision of the gate's policy."""

import dataclasses

from promptci.app.requests import RunResult
from promptci.errors import InputError
from promptci.files import write as files
from promptci.files.lines import decode_utf8
from promptci.git.snapshot import Snapshot
from promptci.publish.comment import FRAME_BYTES
from promptci.report import write
from promptci.report.markdown import user_template
from promptci.report.markdown.user_template import UnusableTemplateError, UserTemplate
from promptci.report.model.document import serialize


def render_own_comment(result: RunResult, snapshot: Snapshot, path: str) -> RunResult:
    """Render the comment again with the template `path` of `snapshot`.

    A template that cannot be used changes nothing but a note, in every output, that says why.
    """
    if result.view is None or result.paths is None:
        return result
    try:
        text = user_template.render_user_template(serialize(result.view), _read(snapshot, path), spare=FRAME_BYTES)
    except UnusableTemplateError as reason:
        note = f"The comment is the standard one: `report.comment_template` could not be used. {reason}."
        view = result.view.model_copy(update={"notes": [*result.view.notes, note]})
        return dataclasses.replace(result, view=view, paths=write.write_all(serialize(view), result.paths.folder))
    files.write_text(result.paths.comment, text)
    return dataclasses.replace(result, comment=text)


def _read(snapshot: Snapshot, path: str) -> UserTemplate:
    data = snapshot.read(path)
    if data is None:
        raise UnusableTemplateError(f"There is no file {path} at {snapshot.label}")
    try:
        return UserTemplate(path=path, text=decode_utf8(data, path))
    except InputError as error:
        raise UnusableTemplateError(str(error.problems[0])) from error
