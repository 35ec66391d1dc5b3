"""Prompt lookup: guesses the next tokens from n-grams of the text so far. Runs no model.

Saxena 2023, "Prompt Lookup Decoding", with the rule of transformers: the longest n-gram at the end
of the text that stood in it before, and what followed its first occurrence. A guess costs a row of
a forward pass and counts only if it is what the decoding chooses there anyway, so that guessing
changes no output.
"""

from __future__ import annotations

from ethogram.engine.sequence import SequenceState


class Lookup:
    """Where the n-grams of one output's prompt and tokens first stood.

    Args:
        output: the output that is guessed.
    """

    def __init__(self, output: SequenceState) -> None:
        decoding = output.job.request.decoding
        self.output = output
        self._most = decoding.prompt_lookup_num_tokens
        self._longest = decoding.max_matching_ngram_size
        self._text = list(output.job.decoder_prompt)
        #: n-gram to the place after its first occurrence.
        self._after: dict[tuple[int, ...], int] = {}
        self._known = 0  # tokens whose n-grams are entered

    def guess(self, most: int) -> list[int]:
        """The tokens that may come next, none where nothing matches.

        Args:
            most: how many may be fed beside the last token.
        """
        prompt = len(self.output.job.decoder_prompt)
        self._text += self.output.token_ids[len(self._text) - prompt :]
        # The token after the last guess is chosen too, so one fewer than may still be written.
        left = self.output.job.rules.limit - self.output.written - 1
        count = min(self._most, most, left)
        end = len(self._text)
        while self._known < end - 1:  # Only what something follows can tell what follows.
            self._known += 1
            for size in range(1, min(self._longest, self._known) + 1):
                ngram = tuple(self._text[self._known - size : self._known])
                self._after.setdefault(ngram, self._known)
        for size in range(min(self._longest, end - 1), 0, -1):
            place = self._after.get(tuple(self._text[end - size :]))
            if place is not None:
                return self._text[place : place + max(count, 0)]
        return []
