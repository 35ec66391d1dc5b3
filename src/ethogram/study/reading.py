"""Reading outputs: those of one version, of some prompts, beside another version's."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ethogram.errors import SpecError
from ethogram.metrics import Output, Span, get
from ethogram.spec.source import suggest
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class ReadOutput:
    """One output to read.

    Attributes:
        output: prompt, text, tags and so on.
        loop: the repetitions of a loop in its text, if there is one.
        other: the text of the other version for the same prompt and sample; None without one.
        other_loop: the repetitions in it.
    """

    output: Output
    loop: Sequence[Span] = ()
    other: str | None = None
    other_loop: Sequence[Span] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        row: dict[str, Any] = {
            "prompt_id": self.output.prompt_id,
            "sample": self.output.sample_index,
            "tags": list(self.output.tags),
            "prompt": self.output.prompt,
            "reference": self.output.reference,
            "output": self.output.text,
            "finish_reason": self.output.finish_reason,
            "loops": bool(self.loop),
        }
        if self.output.guarded is not None:
            row["guarded"] = self.output.guarded.to_json()
        return row if self.other is None else {**row, "other": self.other}


@dataclass(frozen=True)
class Outputs:
    """Outputs of a version, in suite order.

    Attributes:
        version: whose.
        other: the version beside it; empty without one.
        outputs: what was asked for.
    """

    version: str
    other: str
    outputs: Sequence[ReadOutput]

    def __len__(self) -> int:
        return len(self.outputs)

    def __getitem__(self, place: int) -> ReadOutput:
        return self.outputs[place]

    def first(self, count: int | None) -> Outputs:
        """The first few of them; None is all."""
        return replace(self, outputs=self.outputs[:count])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "version": self.version,
            "other": self.other or None,
            "outputs": [each.to_json() for each in self.outputs],
        }

    def _repr_html_(self) -> str:
        names = [self.version, self.other] if self.other else [self.version]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ["prompt", *names])
        rows = "".join(
            f"<tr><td>{html.escape(each.output.prompt_id)}<br>{html.escape(each.output.prompt)}</td>"
            + "".join(
                f'<td style="white-space:pre-wrap">{html.escape(marked_loop(text, loop))}</td>'
                for text, loop in ((each.output.text, each.loop), (each.other, each.other_loop))
                if text is not None
            )
            + "</tr>"
            for each in self.outputs
        )
        return f"<table><tr>{head}</tr>{rows}</table>"


def outputs(
    study: Study,
    version: str,
    *,
    prompts: Sequence[str] = (),
    tags: Sequence[str] = (),
    differ: str | None = None,
) -> Outputs:
    """The stored outputs of a version, to read.

    Args:
        study: the opened study.
        version: its name.
        prompts: only of these prompt ids.
        tags: only of prompts with one of these tags.
        differ: another version; only outputs whose text it words differently, with its own.

    Raises:
        SpecError: an unknown version, prompt or tag, or outputs are missing.
    """
    found = study.outputs(version)
    _refuse_unknown("prompt", prompts, [output.prompt_id for output in found], version)
    _refuse_unknown("tag", tags, [tag for output in found for tag in output.tags], version)
    chosen = [
        output
        for output in found
        if (not prompts or output.prompt_id in prompts)
        and (not tags or set(tags) & set(output.tags))
    ]
    if differ is None:
        return Outputs(version, "", [ReadOutput(each, loop_spans(each)) for each in chosen])
    others = by_sample(study.outputs(differ))
    read = []
    for output in chosen:
        samples = others.get(output.prompt_id, {})
        other = samples.get(output.sample_index)
        if other and other.text != output.text:
            read.append(ReadOutput(output, loop_spans(output), other.text, loop_spans(other)))
    return Outputs(version, differ, read)


def _refuse_unknown(what: str, wanted: Sequence[str], known: Sequence[str], version: str) -> None:
    for name in wanted:
        if name not in known:
            hint = suggest(name, list(dict.fromkeys(known))) if known else None
            raise SpecError(f"no {what} {name!r}", where=f"outputs of {version}", hint=hint)


def loop_spans(output: Output) -> Sequence[Span]:
    """The repetitions of the loop at the end of an output; none where it does not loop."""
    metric = get("loop_rate")
    return metric.measure(output).spans


def marked_loop(text: str, loop: Sequence[Span]) -> str:
    """A text with its loop shown once: `[The wood was warm.]×22`.

    The phrase begins at a sentence, or at least at a word, if one begins within it.
    """
    if len(loop) < 2:
        return text
    start, end = loop[0].start, loop[-1].end
    period, gap = loop[1].start - start, loop[1].start - loop[0].end
    start += _word_start(text, start, period)
    times = (end - start + gap) // period
    rest = text[min(start + times * period, end) :]
    return f"{text[:start]}[{text[start : start + period].strip()}]×{times}{rest}"


def _word_start(text: str, start: int, period: int) -> int:
    """How far into a phrase its first sentence begins, else its first word; 0 if it is at one."""
    if start == 0 or not (text[start - 1].isalnum() and text[start].isalnum()):
        return 0
    words = [
        k for k in range(1, period) if text[start + k - 1].isspace() and text[start + k] != " "
    ]
    sentences = [k for k in words if text[: start + k].rstrip()[-1:] in (".", "!", "?")]
    return next(iter([*sentences, *words]), 0)


def by_sample(outputs: Sequence[Output]) -> dict[str, dict[int, Output]]:
    """Prompt id to sample index to output."""
    found: dict[str, dict[int, Output]] = {}
    for output in outputs:
        found.setdefault(output.prompt_id, {})[output.sample_index] = output
    return found


def pairs_by_prompt(
    first: Sequence[Output], second: Sequence[Output]
) -> dict[str, tuple[Output, Output]]:
    """One pair per shared prompt: the first sample index of both, else the first output of each."""
    one, two = by_sample(first), by_sample(second)
    pairs = {}
    for prompt_id in (each for each in one if each in two):
        a, b = one[prompt_id], two[prompt_id]
        same = min(a.keys() & b.keys(), default=None)
        pairs[prompt_id] = (
            a[min(a) if same is None else same],
            b[min(b) if same is None else same],
        )
    return pairs
