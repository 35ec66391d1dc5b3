"""Prompt lookup: proposes draft tokens from n-grams of the text so far.

Saxena 2023, "Prompt Lookup Decoding", with the rule of transformers: take the longest n-gram at the
end of the text that also occurs earlier in it, and propose what followed its first occurrence. A
draft token costs a row of a forward pass and is accepted only if the decoding chooses it there
anyway, so drafts change no output.
"""

from __future__ import annotations

from ethogram.engine.sequence import SequenceState


class PromptLookup:
    """The first occurrences of the n-grams of one output's prompt and tokens.

    Args:
        output: the output to draft for.
    """

    def __init__(self, output: SequenceState) -> None:
        decoding = output.job.request.decoding
        self.output = output
        self._most = decoding.prompt_lookup_num_tokens
        self._longest = decoding.max_matching_ngram_size
        self._text = list(output.job.decoder_prompt)
        #: n-gram to the position after its first occurrence.
        self._after: dict[tuple[int, ...], int] = {}
        self._indexed = 0  # tokens whose n-grams are in `_after`

    def propose(self, most: int) -> list[int]:
        """Draft tokens; none where no n-gram matches.

        Args:
            most: how many fit in a step beside the last token.
        """
        prompt = len(self.output.job.decoder_prompt)
        self._text += self.output.token_ids[len(self._text) - prompt :]
        # The token after the last draft is chosen too, so one fewer than may still be written.
        left = self.output.job.rules.limit - self.output.written - 1
        count = min(self._most, most, left)
        end = len(self._text)
        while self._indexed < end - 1:  # The last token has no continuation yet.
            self._indexed += 1
            for size in range(1, min(self._longest, self._indexed) + 1):
                ngram = tuple(self._text[self._indexed - size : self._indexed])
                self._after.setdefault(ngram, self._indexed)
        for size in range(min(self._longest, end - 1), 0, -1):
            after = self._after.get(tuple(self._text[end - size :]))
            if after is not None:
                return self._text[after : after + max(count, 0)]
        return []
