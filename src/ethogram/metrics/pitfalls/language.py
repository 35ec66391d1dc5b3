"""Language: whether words are connected English, judged without a dictionary."""

from __future__ import annotations

import re
import unicodedata

from ethogram.metrics.text import bare, set_of

#: What connected English is made of beside content: articles, pronouns, prepositions, conjunctions,
#: auxiliaries, contractions, particles and a few adverbs of degree and time. Prose of any subject
#: is a third to a half of them. The bounds on their share, in `limits.py`, hold for these words.
CONNECTED_ENGLISH = set_of(
    """a an the this that these those some any no every each all both either neither such another
    other others few many much more most several one i me my mine myself you your yours yourself he
    him his himself she her hers herself it its itself we us our ours ourselves they them their
    theirs themselves who whom whose which what where when why how there here and or but nor so yet
    if because although though while since unless until whether as than of in to for with on at by
    from up about into over after under between through during before without within against among
    across behind beyond near toward towards upon off out down around along above below be am is are
    was were been being have has had having do does did doing will would shall should can could may
    might must ought not don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't
    wouldn't i'm i've i'll i'd you're you've you'll he's she's it's we're we've we'll they're
    they've that's there's let's who's what's very too also just only even still again then now ever
    never always often once well"""
)
#: Of these, words of other languages too, such as German `was`, Dutch `of`, French `on`, Spanish
#: `he`, Polish `to` or Danish `her`: alone they do not tell that a text is English.
_SHARED = set_of(
    """a all also am an as at by do even for had has he her i in is me mine my no of on once one or
    over so to under us was we will"""
)
ONLY_ENGLISH = CONNECTED_ENGLISH - _SHARED
_EDGES = ".,;:!?()[]{}\"'“”‘’*_"
_CAMEL = re.compile(r"[A-Za-z][A-Za-z'’-]*[a-z][A-Z][A-Za-z'’-]*")
_JOINED = re.compile(r"[a-z][A-Z]|[A-Za-z]\d[A-Za-z]|[A-Za-z][)\]}\"”!?;,:][A-Za-z]")


def function_share(text: str, among: frozenset[str] = CONNECTED_ENGLISH) -> float:
    """Share of a text's words of letters that are English function words; 0 without any words."""
    words = [bare(word).replace("’", "'") for word in text.split()]
    spoken = [word for word in words if any(letter.isalpha() for letter in word)]
    return sum(word in among for word in spoken) / len(spoken) if spoken else 0.0


def odd_share(text: str, *, names: bool = False) -> float:
    """Share of words that hold what words do not.

    A capital after a small letter, marks or digits between letters, or letters of two scripts.
    Addresses are plain.

    Args:
        text: any.
        names: whether words of letters that hold a capital, as `LinkedIn`, are plain too.
    """
    words = text.split()
    odd = [word for word in words if _is_odd(word)]
    if names:
        odd = [word for word in odd if not _CAMEL.fullmatch(word.strip(_EDGES))]
    return len(odd) / len(words) if words else 0.0


def _is_odd(word: str) -> bool:
    if "://" in word or "@" in word or word.startswith("www."):
        return False
    return bool(_JOINED.search(word)) or (not word.isascii() and len(_scripts(word)) > 1)


def _scripts(word: str) -> set[str]:
    return {unicodedata.name(letter, "?").split()[0] for letter in word if letter.isalpha()}
