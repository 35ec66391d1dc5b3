"""What all versions of a study together show, as the page and the report open with it."""

from __future__ import annotations

from ethogram.report.entry import shown_text
from ethogram.report.findings import Findings, Thread, clear_changes
from ethogram.study.wording import value_words
from ethogram.ui.models import Answer, Text

#: Characters of an output in the line of one prompt through all versions.
_THREAD = 240


class MetricColumn(Answer):
    """A column of the small table, with how its metric is computed."""

    title: str
    formula: str


class VersionRow(Answer):
    """A version in the small table.

    Attributes:
        version: its name.
        title: what it tries.
        values: of the columns, in words.
        prompts: with outputs.
        clear: what changed clearly against its parent, with arrows.
    """

    version: str
    title: Text
    values: list[str]
    prompts: int
    clear: str


class ThreadOutput(Answer):
    """What a version makes of the prompt."""

    version: str
    text: Text


class ThreadInfo(Answer):
    """One prompt through all versions.

    Attributes:
        prompt_id: its id.
        prompt: its text.
        why: by which rule it was chosen.
        outputs: of each version, in order.
    """

    prompt_id: Text
    prompt: Text
    why: Text
    outputs: list[ThreadOutput]


class FindingsInfo(Answer):
    """What was found.

    Attributes:
        ready: whether all versions were read; all that follows `total` is empty until then.
        done: versions that were read.
        total: versions to read.
        sentences: most telling first.
        columns: of the small table.
        rows: of it.
        thread: one prompt through all versions; None where they share none.
    """

    ready: bool
    done: int
    total: int
    sentences: list[Text]
    columns: list[MetricColumn]
    rows: list[VersionRow]
    thread: ThreadInfo | None

    @classmethod
    def unread(cls, done: int, total: int) -> FindingsInfo:
        """No findings yet."""
        return cls(
            ready=False, done=done, total=total, sentences=[], columns=[], rows=[], thread=None
        )


def findings_info(found: Findings) -> FindingsInfo:
    """The findings of a study as they are sent."""
    return FindingsInfo(
        ready=True,
        done=len(found.entries),
        total=len(found.entries),
        sentences=[str(sentence) for sentence in found.sentences],
        columns=[
            MetricColumn(title=metric.title, formula=metric.formula) for metric in found.columns
        ],
        rows=[
            VersionRow(
                version=entry.version,
                title=entry.title,
                values=[
                    value_words(metric, found.values[entry.version][metric.name].value)
                    for metric in found.columns
                ],
                prompts=entry.prompts,
                clear=clear_changes(entry),
            )
            for entry in found.entries
        ],
        thread=_thread(found.thread) if found.thread else None,
    )


def _thread(thread: Thread) -> ThreadInfo:
    example = thread.outputs[0][1]
    return ThreadInfo(
        prompt_id=example.prompt_id,
        prompt=example.prompt,
        why=thread.why,
        outputs=[
            ThreadOutput(version=version, text=shown_text(output, _THREAD))
            for version, output in thread.outputs
        ],
    )
