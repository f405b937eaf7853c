"""One step of rendering, as plain data that may go to another process and back."""

from dataclasses import dataclass

from . import block_splitter, blocks
from .errors import NotQuickError
from .progress import Progress, State

MAX_QUICK = 2_000
"""Characters that the event loop renders itself, unless they contain something slow. Most flushes are shorter."""


@dataclass(frozen=True, slots=True)
class Task:
    """Markdown to render. `state`: the progress after the blocks before `source`. `may_finish_blocks`: text with a line
    end has come since the last task. `last`: nothing follows."""

    source: str
    state: State
    may_finish_blocks: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The first `done` characters of the task's source are finished, as `html`. The rest looks like `tail` for now."""

    done: int
    html: str
    tail: str
    state: State


def perform(task: Task, *, quick: bool = False) -> Result:
    """Render. A pure function, for any process and thread. With `quick`, raises NotQuickError if it would be slow."""
    progress = Progress(*task.state)
    finished = _finished_blocks(task)
    html = "".join(blocks.render(source, progress, final=True, quick=quick) for source in finished)
    state, done = progress.state, sum(map(len, finished))
    rest = task.source[done:]
    tail = blocks.render(rest, progress, final=False, quick=quick) if rest else ""
    return Result(done, html, tail, state)


def perform_if_quick(task: Task) -> Result | None:
    """The result if the event loop can wait for it, else None."""
    if len(task.source) > MAX_QUICK:
        return None
    try:
        return perform(task, quick=True)
    except NotQuickError:
        return None


def fallback(task: Task) -> Result:
    """The result to show when rendering failed: the text as it was written."""
    html = blocks.as_code(task.source) if task.source else ""
    return Result(len(task.source), html, "", task.state) if task.last else Result(0, "", html, task.state)


def _finished_blocks(task: Task) -> list[str]:
    """All blocks but the last, which may go on. An incomplete last line is ignored."""
    if task.last:
        return block_splitter.split(task.source)
    if not task.may_finish_blocks:
        return []
    return block_splitter.split(task.source[: task.source.rfind("\n") + 1])[:-1]
