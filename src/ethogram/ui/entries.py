"""What came of the versions of a study, as the page and the report show it."""

from __future__ import annotations

from ethogram.report.claims import Entry, Shown, make_entry, scores_for
from ethogram.report.examples import Example
from ethogram.study.aims import aim_metrics
from ethogram.study.difference import Difference
from ethogram.study.headline import by_verdict, sentence
from ethogram.study.notes import NotesFile, read_notes
from ethogram.study.numbers import value_in
from ethogram.study.stale import has_results
from ethogram.study.wording import aim_sentence
from ethogram.study.workspace import Study
from ethogram.ui.differences import DifferenceInfo, difference_info
from ethogram.ui.models import Answer, Text
from ethogram.ui.texts import MarkedText, loop_as_one, marked_text

#: Characters of an example's text.
_EXAMPLE = 1200


class LogVersion(Answer):
    """A version in the tree.

    Attributes:
        name: its name.
        title: what it tries.
        parent: the version it differs from.
        depth: how many ancestors it has.
        ran_at: when its last run ended, UTC; None if none did.
    """

    name: str
    title: Text
    parent: str | None
    depth: int
    ran_at: str | None


class LogView(Answer):
    """The tree of a study, parents before children."""

    name: Text
    title: Text
    about: Text
    versions: list[LogVersion]


class ChangeInfo(Answer):
    """A setting that differs from the parent's; `lines` is the diff of a long text."""

    words: Text
    lines: list[Text]


class PitfallInfo(Answer):
    """A pitfall in the outputs of a version, and of its parent if it has one."""

    name: str
    meaning: str
    found: int
    total: int
    before: tuple[int, int] | None


class ValueInfo(Answer):
    """A metric's value, in words."""

    metric: str
    title: str
    words: str


class ExampleInfo(Answer):
    """An output that shows the result."""

    version: str
    why: Text
    prompt_id: Text
    prompt: Text
    sample_index: int
    output: MarkedText


class NotesInfo(Answer):
    """The notes of a version file, and the digest of the file that an edit must name."""

    file: Text
    digest: str
    notes: dict[str, list[Text]]


class LogEntry(Answer):
    """What came of a version.

    Attributes:
        version: its name.
        sentence: the verdict in words.
        outcome: of its aims: met, not met, undecided; empty without aims.
        stale: why the results are not those of the version as it is now.
        missing: why there are no results; all that follows is empty then.
        evidence: outputs and prompts that it rests on, in words.
        model: as the version names it.
        identity: first digits.
        differences: against the parent, clear ones first.
        values: of a version without a parent.
        changes: settings that differ from the parent.
        pitfalls: of its outputs, and of the parent's.
        examples: one before and after, or one alone.
        unsupported: claims of notes that the stored runs do not show.
        trained: how its model was trained, lines of Markdown.
        notes: as in its file; None where it has none.
    """

    version: str
    sentence: Text
    outcome: str = ""
    stale: Text = ""
    missing: Text = ""
    evidence: str = ""
    model: Text = ""
    identity: str = ""
    differences: tuple[DifferenceInfo, ...] = ()
    values: tuple[ValueInfo, ...] = ()
    changes: tuple[ChangeInfo, ...] = ()
    pitfalls: tuple[PitfallInfo, ...] = ()
    examples: tuple[ExampleInfo, ...] = ()
    unsupported: tuple[Text, ...] = ()
    trained: tuple[Text, ...] = ()
    notes: NotesInfo | None = None


def log_view(study: Study) -> LogView:
    """The tree of a study."""
    settings = study.spec.settings
    ran = {run.version: run.finished_at for run in study.store.runs() if run.finished_at}
    depths: dict[str, int] = {}
    for name, version in study.versions.items():
        depths[name] = depths[version.parent] + 1 if version.parent else 0
    return LogView(
        name=settings.name,
        title=settings.title or settings.name,
        about=settings.about,
        versions=[
            LogVersion(
                name=name,
                title=version.title,
                parent=version.parent,
                depth=depths[name],
                ran_at=ran.get(name),
            )
            for name, version in study.versions.items()
        ],
    )


def entry_of(study: Study, name: str) -> LogEntry:
    """What came of a version."""
    version = study.spec.version(name)
    notes = notes_info(read_notes(study, name))
    if not has_results(study, name):
        missing = f"no outputs yet; `ethogram run {name}` generates them"
        return LogEntry(version=name, sentence="Not run yet.", missing=missing, notes=notes)
    aim_metrics(study, name)
    against = [note.against for kind in notes.notes for note in getattr(version, kind)]
    related = dict.fromkeys(each for each in (name, version.parent, *against) if each)
    ready = [each for each in related if has_results(study, each)]
    found = make_entry(study, name, scores_for(study, [name], ready))
    return LogEntry(
        version=name,
        sentence=_sentence(found),
        outcome=found.aims.outcome if found.aims else "",
        stale=found.stale,
        evidence=f"{found.generations} outputs on {found.prompts} prompts",
        model=found.model,
        identity=found.identity,
        differences=tuple(difference_info(item) for item in ordered(found)),
        values=tuple(
            ValueInfo(
                metric=metric,
                title=item.metric.title,
                words=value_in(item.metric.unit, item.value),
            )
            for metric, item in found.values.items()
        ),
        changes=tuple(
            ChangeInfo(words=change.plain, lines=list(change.lines)) for change in found.changes
        ),
        pitfalls=tuple(_pitfall(each) for each in found.pitfalls),
        examples=tuple(_examples(found)),
        unsupported=tuple(
            f"{claim.text} ({claim.measured})" for claim in found.claims if not claim.holds
        ),
        trained=tuple(found.trained),
        notes=notes,
    )


def _sentence(entry: Entry) -> str:
    if entry.aims:
        return aim_sentence(entry.aims)
    if entry.differences:
        return sentence(list(entry.differences.values()))
    return "First version of its line."


def ordered(entry: Entry) -> list[Difference]:
    """Differences against the parent: aims, then by verdict."""
    judged = entry.aims.aims if entry.aims else ()
    aims = {aim.difference.metric.name: aim.difference for aim in judged}
    rest = [item for name, item in entry.differences.items() if name not in aims]
    return [*aims.values(), *(item for group in by_verdict(rest).values() for item in group)]


def _pitfall(each: Shown) -> PitfallInfo:
    return PitfallInfo(
        name=each.name,
        meaning=each.meaning,
        found=each.found,
        total=each.total,
        before=each.before,
    )


def _examples(entry: Entry) -> list[ExampleInfo]:
    if entry.pair:
        pair = ((entry.parent or "", entry.pair.before), (entry.version, entry.pair.after))
        return [_example(name, entry.pair.why, example) for name, example in pair]
    return [_example(entry.version, entry.example.why, entry.example)] if entry.example else []


def _example(version: str, why: str, example: Example) -> ExampleInfo:
    return ExampleInfo(
        version=version,
        why=why,
        prompt_id=example.prompt_id,
        prompt=example.prompt[:_EXAMPLE],
        sample_index=example.sample_index,
        output=marked_text(example.text, [("loop", loop_as_one(example.spans))], most=_EXAMPLE),
    )


def notes_info(found: NotesFile) -> NotesInfo:
    """The notes of a version file."""
    notes = {field: list(sentences) for field, sentences in found.notes.items()}
    return NotesInfo(file=found.path.name, digest=found.digest, notes=notes)
