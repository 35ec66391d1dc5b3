"""Human text: how far outputs are from a reference corpus in their words and sentences.

Everything is counted in windows of equal length, the first words of each text, as all of it depends
on length. Distances between counted distributions also depend on how many windows were counted, so
each comes with the same distance between human text and human text: the reference is split into two
halves, outputs are compared with the first, and as many windows of the second with the first too.
"""

from __future__ import annotations

import gzip
import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.metrics.base import Metric, Output, declared, metric
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.text import set_of
from ethogram.metrics.units import BITS

#: Words of a window; a shorter text is left out.
WINDOW = 50
#: Sentences of more words, and words of more letters, are one kind.
LONGEST_SENTENCE, LONGEST_WORD = 50, 20
#: English words that carry grammar rather than content: closed classes in full forms, each a kind
#: of its own. Other words would give other distances. `language.CONNECTED_ENGLISH` is wider: there
#: only the share of all of them matters.
FUNCTION_WORDS = set_of(
    """a an the this that these those my your his her its our their some any no every each either
    neither both all many much few little more most other another such what which whose i you
    he she it we they me him us them myself yourself himself herself itself ourselves
    themselves who whom someone something anyone anything everyone everything nobody nothing
    one and or but nor so yet for if because although though while when where whereas unless
    until since as than whether in on at by with from to of into onto upon about above across
    after against along among around before behind below beneath beside between beyond down
    during except inside like near off out outside over past through throughout toward towards
    under up within without be am is are was were been being have has had having do does did
    done will would shall should can could may might must not never there here how why then
    too very just only also even still"""
)

Count = Callable[[Output], Counter[Hashable]]


def _words(window: Output) -> Counter[Hashable]:
    return Counter(filter(None, window.bare_words))


def _word_lengths(window: Output) -> Counter[Hashable]:
    return Counter(min(len(word), LONGEST_WORD) for word in window.bare_words if word)


def _sentence_lengths(window: Output) -> Counter[Hashable]:
    # The last sentence is cut by the window, so its length is unknown.
    lengths = [len(window.text[start:end].split()) for start, end in window.sentence_spans[:-1]]
    return Counter(min(length, LONGEST_SENTENCE) for length in lengths)


def _function_words(window: Output) -> Counter[Hashable]:
    return Counter(word if word in FUNCTION_WORDS else "" for word in window.bare_words if word)


def window_of(output: Output) -> Output | None:
    """The first words of an output; None where it has fewer."""
    if len(output.words) < WINDOW:
        return None
    return Output(output.text[: output.word_spans[WINDOW - 1][1]])


def jensen_shannon(a: Counter[Hashable], b: Counter[Hashable]) -> float:
    """Jensen–Shannon divergence of two counted distributions, in bits: 0 equal, 1 without overlap.

    Lin 1991, equation 4.1 with equal weights. NaN where one is empty.
    """
    total_a, total_b = a.total(), b.total()
    if not total_a or not total_b:
        return math.nan
    terms = []
    for key in a.keys() | b.keys():
        p, q = a[key] / total_a, b[key] / total_b
        middle = (p + q) / 2
        terms += [share * math.log2(share / middle) / 2 for share in (p, q) if share]
    return max(0.0, math.fsum(terms))


@dataclass(frozen=True)
class HumanText:
    """Windows of human text, split alternately into two halves.

    Attributes:
        compared: the half that outputs are compared with.
        baseline: the half that represents outputs.
    """

    compared: Sequence[Output]
    baseline: Sequence[Output]


def read_human_text(path: Path) -> HumanText:
    """Windows of a `.jsonl` file as `read_outputs` takes it, or of the lines of a text file.

    Both may be packed by gzip.

    Raises:
        SpecError: the file cannot be read, or has fewer than two texts that fill a window.
    """
    packed = path.suffix == ".gz"
    name = path.stem if packed else path.name
    texts = read_outputs(path) if name.endswith(".jsonl") else _lines(path, packed)
    windows = [window for text in texts if (window := window_of(text)) is not None]
    if len(windows) < 2:
        raise SpecError(
            f"needs two texts of {WINDOW} words at least, has {len(windows)}",
            where=str(path),
            hint="write one text per line, or JSON lines with a field 'text'",
        )
    return HumanText(windows[::2], windows[1::2])


def _lines(path: Path, packed: bool) -> Iterator[Output]:
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            yield from (Output(line.decode("utf-8")) for line in file)
    except FileNotFoundError:
        raise SpecError("no such file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise SpecError(
            f"not UTF-8 text (byte {error.start} of a line)",
            where=str(path),
            hint="save it as UTF-8",
        ) from None
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except EOFError:
        raise SpecError("the compressed file is truncated", where=str(path)) from None


class _Distance:
    """Windows of outputs, counted, and their distance to human text."""

    def __init__(self, count: Count, human: HumanText | None) -> None:
        self._count, self._human = count, human
        self._counts: Counter[Hashable] = Counter()
        self._windows = 0

    def add(self, output: Output) -> None:
        # No more windows than there are to represent them: both sides are of equal size.
        if self._human is None or self._windows >= len(self._human.baseline):
            return
        window = output.once(window_of)
        if window is not None:
            self._windows += 1
            self._counts.update(window.once(self._count))

    def value(self) -> float:
        if self._human is None or not self._windows:
            return math.nan
        return jensen_shannon(self._counts, _counted(self._count, self._human.compared))


def _counted(count: Count, windows: Iterable[Output]) -> Counter[Hashable]:
    total: Counter[Hashable] = Counter()
    for window in windows:
        total.update(window.once(count))
    return total


_KINDS: dict[str, tuple[str, Count]] = {
    "words": ("words, without case and outer punctuation", _words),
    "word_lengths": (f"letters of a word, to {LONGEST_WORD}", _word_lengths),
    "sentence_lengths": (f"words of a sentence, to {LONGEST_SENTENCE}", _sentence_lengths),
    "function_words": ("English function words, all others as one", _function_words),
}
for _kind, (_what, _count) in _KINDS.items():
    metric(
        f"human_{_kind}",
        title="Distance to human text: " + _kind.replace("_", " "),
        unit=BITS,
        direction="lower",
        formula=f"Jensen-Shannon divergence between the distributions of {_what}, in the first "
        f"{WINDOW} words of each output and of the human text that --human-text names (one half of "
        "it)",
        source="Lin 1991, Divergence Measures Based on the Shannon Entropy",
        reference="scipy.spatial.distance.jensenshannon, squared, base 2",
        pitfalls="Zero is not the baseline: score the other half of the human text as outputs to "
        "see what chance alone gives. It measures genre and subject as much as quality, so "
        "use human text of the same kind. If it continues the same prompts, outputs share "
        f"its subjects. Outputs under {WINDOW} words are left out, as are outputs beyond the "
        "number of texts in a half.",
        scope="corpus",
    )(partial(_Distance, _count, None))


def with_human_text(human: HumanText) -> tuple[Metric, ...]:
    """The metrics of distance, with the text that a user named."""
    return tuple(
        replace(declared[f"human_{kind}"], function=partial(_Distance, count, human))
        for kind, (_, count) in _KINDS.items()
    )
