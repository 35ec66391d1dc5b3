"""Limits: the bounds of the pitfall rules, all in one place.

They were set on the tuning half of the labelled outputs (docs/pitfalls.md) and are not to be moved
after the other half; `foreign`, on text in other languages, which none of them is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds of the rules.

    Attributes:
        loop_copies: of a phrase in a row.
        loop_words: of the shortest such run, over its three copies.
        changing_words: of the shortest phrase of which one word may differ from copy to copy; in a
            shorter one a different word makes a different phrase.
        loop_share: of the text that a loop fills, where it does not run to the end; and that a loop
            within words (`hahaha…`) fills at the end.
        loop_characters: of the shortest loop within words.
        echo_share: of an output's words that are in runs copied from the prompt.
        echo_run: words of the shortest such run; four words seldom agree by chance.
        drift_words: of the last third, at least, for the share of function words to mean anything.
        drift_function: share of function words below which words are not connected English; prose
            has 0.35 to 0.6 in its last third, learned prose 0.2 and more.
        drift_odd_words: of the last third, at least, for the share of odd words to mean anything.
        drift_odd: share of odd words above which the text is not connected English.
        off_topic_words: of the shortest output whose last third is compared with the prompt; fewer
            words say too little for a cosine to mean anything.
        off_topic_cosine: of the last third to the prompt, below which it is about something else.
        code_share: of lines that are code, above which a text is code and not judged as prose.
        english: share of English function words from which a text is English; other languages
            share a few of them (`a`, `on`, `was`).
        foreign: share of function words of English alone, below which prompt and first two thirds
            are not English; fluent text of other languages has hardly any.
        source_words: after which a source that is asked for should have come, cut off or not.
        series_words: of an item, on average, in a series within one line.
        line_words: of the longest line, where lines without marks count as items.
    """

    loop_copies: int = 3
    loop_words: int = 6
    changing_words: int = 6
    loop_share: float = 0.5
    loop_characters: int = 24
    echo_share: float = 0.5
    echo_run: int = 4
    drift_words: int = 15
    drift_function: float = 0.15
    drift_odd_words: int = 7
    drift_odd: float = 0.15
    off_topic_words: int = 30
    off_topic_cosine: float = 0.2
    code_share: float = 0.5
    english: float = 0.25
    foreign: float = 0.05
    source_words: int = 45
    series_words: int = 4
    line_words: int = 12


LIMITS = Limits()
