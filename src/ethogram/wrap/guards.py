"""Guards that cut a finished completion or flag what is in it. Each reads the text alone."""

from __future__ import annotations

from dataclasses import replace

from ethogram.metrics.asking import leaked_turn
from ethogram.metrics.citations import citations
from ethogram.metrics.pitfalls.rules import loop_run
from ethogram.metrics.structure import CHAT_MARKERS
from ethogram.metrics.text import sentence_spans, word_spans
from ethogram.spec.guarded import Action
from ethogram.wrap.reply import Reply

#: What ends a whole sentence, quotation marks and brackets behind it left out.
_ENDS = ".!?…"
_CLOSING = "\"'”’)]*_"


def stop_at_next_turn(reply: Reply, prompt: str) -> Reply:
    """Cut before the first line in which the model writes the asker's turn, or a role's marker.

    Args:
        reply: so far.
        prompt: what the model read, whose own labels count.
    """
    places = [(found.start(), "a role's marker") for found in CHAT_MARKERS.finditer(reply.text)]
    leak = leaked_turn(reply.text, prompt)
    if leak is not None:
        places.append((leak[0], leak[2]))
    if not places:
        return reply
    at, what = min(places)
    return reply.cut(at, "stop_at_next_turn", what)


def whole_sentences(reply: Reply) -> Reply:
    """Cut a reply that reached its limit after its last whole sentence; keep one without any."""
    if reply.finish_reason != "length":
        return reply
    whole = [end for _, end in sentence_spans(reply.text) if _is_whole(reply.text, end)]
    if not whole or whole[-1] >= len(reply.text.rstrip()):
        return reply
    return reply.cut(whole[-1], "whole_sentences", "the last sentence was not finished")


def _is_whole(text: str, end: int) -> bool:
    return text[:end].rstrip(_CLOSING).endswith(tuple(_ENDS))


def stop_when_answered(reply: Reply) -> Reply:
    """Cut after the first paragraph that holds a whole sentence."""
    whole = [end for _, end in sentence_spans(reply.text) if _is_whole(reply.text, end)]
    if not whole:
        return reply
    at = reply.text.find("\n\n", whole[0])
    if at < 0 or not reply.text[at:].strip():
        return reply
    return reply.cut(at, "stop_when_answered", "a further paragraph")


def most_sentences(reply: Reply, most: int) -> Reply:
    """Cut after so many sentences."""
    spans = sentence_spans(reply.text)
    if len(spans) <= most:
        return reply
    return reply.cut(spans[most - 1][1], "most_sentences", f"more than {most} sentences")


def cut_loops(reply: Reply) -> Reply:
    """Cut a loop that is left after its first copy, by the rule of the metric `loop_rate`.

    The loop breaker compares tokens. Phrases that change a number or a word from copy to copy, or
    that another guard cut before they were long enough, are loops to a reader all the same.
    """
    while (found := loop_run(reply.text, cut=reply.finish_reason == "length")) is not None:
        at = found.start + found.period
        if found.unit == "words":
            at = found.start + word_spans(reply.text[found.start :])[found.period - 1][1]
        what = f"ended in a loop of {found.period} {found.unit}"
        reply = replace(reply.cut(at, "loop_breaker", what), finish_reason="loop")
    return reply


def flag_sources(reply: Reply, prompt: str) -> Reply:
    """Flag each source that the reply names and the prompt does not; the text stays."""
    known = {cited.name for cited in citations(prompt)}
    invented = [cited for cited in citations(reply.text) if cited.name not in known]
    return reply.noted(
        *(
            Action("flag_sources", f"names {cited.name} from memory", cited.start)
            for cited in invented
        )
    )
