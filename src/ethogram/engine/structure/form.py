"""Form: a compiled schema, and one output of it while it is written.

An output always knows a way to a valid end that fits its limit. A token after which there would be
none is refused, and the first token of the known way is taken in its place. So every output ends
valid within its limit, and a limit that holds not even the shortest reply is refused beforehand.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ethogram.engine.structure.bounds import as_object, bounded
from ethogram.engine.structure.closing import PatternEnds, Quotes, closing
from ethogram.engine.structure.vocabulary import FORMS_KEPT, Vocabulary, vocabulary_of
from ethogram.errors import RequestError
from ethogram.spec.decoding import Decoding

if TYPE_CHECKING:
    from llguidance._lib import JsonCompileOptions

_WHERE = "decoding.response_format"
#: States that a search for the end of a pattern looks at while others wait for the step.
_STATES = 150
#: Words of patterns that it tries.
_MOST_WORDS = 16
#: Compact JSON: white space is where an output without end loses itself.
_OPTIONS: JsonCompileOptions = {"whitespace_flexible": False}


class Form:
    """A schema compiled for one vocabulary.

    Args:
        schema: as compact JSON.
        vocabulary: of the model.

    Attributes:
        words: in tokens, those that occur in its patterns.
        ends: of its patterns, in tokens.
        shortest: tokens of a short reply, without the end of sequence.

    Raises:
        RequestError: the schema cannot be served.
    """

    def __init__(self, schema: str, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.matcher = _compiled(schema, vocabulary)
        self.words = [
            list(vocabulary.tokenizer.greedy_tokenize(word))
            for word in dict.fromkeys(_words(json.loads(schema)))
        ][:_MOST_WORDS]
        ends = PatternEnds(vocabulary, self.words)
        found = closing(self.matcher, Quotes(), vocabulary, ends)
        self.ends = tuple(ends.known)
        if found is None:
            raise RequestError("no reply of the schema was found", where=_WHERE)
        self.shortest = found

    def check_limit(self, limit: int, forced: Sequence[int] = ()) -> None:
        """Refuse a limit of new tokens that holds no reply.

        Args:
            limit: most new tokens.
            forced: first tokens that the output must have.

        Raises:
            RequestError: it is too small, or the forced tokens are no part of a reply.
        """
        output = OutputForm(self, max(limit, len(self.shortest) + 1))
        if not all(output.take(token) for token in forced):
            raise RequestError(
                "the forced tokens do not begin a reply of the response format",
                where="decoding.forced_tokens",
                hint="leave them out",
            )
        least = len(self.shortest) + 1
        if limit < least:
            raise RequestError(
                f"{limit} new tokens are too few for the response format: its shortest reply "
                f"takes {least}",
                where="decoding.max_new_tokens",
                hint="raise max_new_tokens",
            )


def _compiled(schema: str, vocabulary: Vocabulary) -> Any:
    from llguidance import LLMatcher, LLParserLimits

    limits = LLParserLimits(verbose_errors=False)
    try:
        given = json.loads(schema)
        for candidate in (bounded(given), as_object(given)):
            # Bounds that contradict the schema, as of a pattern, are not what it asked for.
            grammar = LLMatcher.grammar_from_json_schema(json.dumps(candidate), overrides=_OPTIONS)
            matcher = LLMatcher(vocabulary.tokenizer, grammar, log_level=0, limits=limits)
            if not matcher.is_error():
                return matcher
    except (ValueError, RecursionError):
        raise RequestError("the schema is nested too deep or is not one", where=_WHERE) from None
    raise RequestError(_refusal(matcher.get_error()), where=_WHERE)


def _words(schema: Any) -> Iterator[str]:
    """Runs of letters and digits in the patterns of a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from _words(each)
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "pattern" and isinstance(value, str):
                yield from re.findall(r"(?<!\\)[A-Za-z0-9]{2,}", value)
            yield from _words(value)


def _refusal(error: str) -> str:
    """What a user reads of an error of llguidance."""
    keywords = re.search(r"Unimplemented keys: \[(.*?)\]", error)
    if keywords:
        names = keywords.group(1).replace('"', "")
        return f"the schema cannot be served: {names:.200} is not supported"
    return f"the schema cannot be served: {' '.join(error.split()):.200}"


class OutputForm:
    """An output of a form while it is written.

    Args:
        form: compiled.
        limit: most new tokens, the end of sequence included.

    Attributes:
        is_closed: whether its limit forced a token on it.
    """

    def __init__(self, form: Form, limit: int) -> None:
        self._vocabulary = form.vocabulary
        # Its own, so that it depends on no other output.
        self._ends = PatternEnds(form.vocabulary, form.words, _STATES, form.ends)
        self._matcher = form.matcher.deep_copy()
        self._mask = np.empty((form.vocabulary.size + 31) // 32, np.uint32)
        self._way, self._quotes = list(form.shortest), Quotes()
        self._left = limit
        self._is_forced = self._is_fresh = False
        self.is_closed = False

    def fork(self) -> OutputForm:
        """An independent copy, for a search that splits."""
        copied = copy.copy(self)
        copied._matcher = self._matcher.deep_copy()
        copied._mask = np.empty_like(self._mask)
        copied._is_fresh = False
        copied._quotes = self._quotes.copy()
        return copied

    def after(self, token: int) -> OutputForm | None:
        """An independent copy with a token more; None where no valid end would fit behind it."""
        copied = self.fork()
        return copied if copied.take(token) else None

    def close(self) -> None:
        """Let only the next token of the known way in, until it is taken."""
        self._is_fresh = False
        self._is_forced = self.is_closed = True

    def mask(self) -> npt.NDArray[np.uint32]:
        """Which tokens may come next, a bit each, lowest first; valid until the next `take`."""
        if not self._is_fresh:
            if not self._is_forced:
                self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
                if self._matcher.is_error():  # A limit of the library: only the known way is left.
                    self._is_forced = self.is_closed = True
            if self._is_forced:
                self._mask[:] = 0
                for token in self._way[:1] or self._vocabulary.eos_token_ids:
                    self._mask[token >> 5] |= np.uint32(1 << (token & 31))
            self._is_fresh = True
        return self._mask

    def take(self, token: int) -> bool:
        """Add a token, unless no valid end would fit behind it; the next mask then has only one.

        Returns:
            Whether it was added.
        """
        self._is_fresh = False
        if token in self._vocabulary.eos_token_ids:
            return (not self._way and self._is_forced) or self._matcher.is_accepting()
        if self._matcher.is_error():
            self._way, self._left = self._way[1:], self._left - 1
            return True
        if self._matcher.try_consume_tokens([token]):
            text = self._vocabulary.bytes_of[token]
            quotes = self._quotes.copy()
            quotes.push(text)
            way = self._way_after(token, text, quotes)
            if way is not None and len(way) + 1 < self._left:
                self._way, self._quotes = way, quotes
                self._left -= 1
                self._is_forced = False
                return True
            self._matcher.rollback(1)
        self.close()
        return False

    def _way_after(self, token: int, text: bytes, quotes: Quotes) -> list[int] | None:
        """The way to an end once a token was added: the rest of the known one, it, or a new one."""
        way = self._way
        if way and way[0] == token:
            return way[1:]
        rest = _rest(self._vocabulary.text_of(way), text)
        if rest is not None:
            return list(self._vocabulary.tokenizer.greedy_tokenize(rest))
        ended = [*way, self._vocabulary.eos_token_ids[0]]
        if self._matcher.validate_tokens(ended) == len(ended):
            return way
        return closing(self._matcher, quotes, self._vocabulary, self._ends, self._left)


def _rest(known: bytes, text: bytes) -> str | None:
    """What follows `text` in the bytes of the known way, where they begin with it."""
    if not known.startswith(text):
        return None
    try:
        return known[len(text) :].decode()
    except UnicodeDecodeError:  # Within a character.
        return None


def form_of(
    decoding: Decoding, *, tokenizer: Any, vocab_size: int, eos_token_ids: frozenset[int]
) -> Form | None:
    """The form of a decoding's outputs, compiled once; None where it has none.

    Raises:
        RequestError: the schema cannot be served, or the model cannot write it.
        MissingExtraError: llguidance is not installed.
    """
    if decoding.response_format is None:
        return None
    schema = str(decoding.step_value("response_format"))
    vocabulary = vocabulary_of(tokenizer, vocab_size, eos_token_ids)
    form = vocabulary.forms.get(schema)
    if form is None:
        form = Form(schema, vocabulary)
        vocabulary.forms[schema] = form
        if len(vocabulary.forms) > FORMS_KEPT:
            vocabulary.forms.popitem(last=False)
    return form
