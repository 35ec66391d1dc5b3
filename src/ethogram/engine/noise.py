"""Sampling noise as a pure function of (key, position, token id).

The noise of a token depends on nothing else, so sampling is batch-invariant, and two decodings that
share a key use common random numbers. The hash is
splitmix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"); adding
Gumbel noise and taking the maximum draws from the softmax (Gumbel 1954; Maddison et al. 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_MULTIPLY_1 = 0xBF58476D1CE4E5B9
_MULTIPLY_2 = 0x94D049BB133111EB
_WORD = (1 << 64) - 1

#: Bits of the uniform. With 52 bits (n + 1/2) * 2^-52 is exact in fp64 and never 0 or 1, so the
#: noise is finite; with 53 the largest n would round to 1 and give infinite noise.
_BITS = 52

#: Rows with at most this many surviving tokens are drawn from their survivors directly.
_NARROW = 1024
#: Wide rows: the tokens examined first, and the rows hashed at a time (so that they fit the cache).
_FIRST = 64
_ROWS_AT_A_TIME = 4


def _mix_int(word: int) -> int:
    word &= _WORD
    word = ((word ^ (word >> 30)) * _MULTIPLY_1) & _WORD
    word = ((word ^ (word >> 27)) * _MULTIPLY_2) & _WORD
    return word ^ (word >> 31)


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def stream_state(key: int, position: int) -> int:
    """Return the 64-bit state of the noise of one (key, position).

    Both are mixed, so that neighbouring keys or positions share nothing.
    """
    return _mix_int(_mix_int(key) + _GOLDEN * (position + 1))


def uniform(key: int, position: int, stream: int) -> float:
    """A uniform of (0, 1) for one decision at one position, apart from the noise of the draw.

    Args:
        key: 64-bit key.
        position: index of the generated token, from 0.
        stream: a number for the kind of decision, below 2^64.
    """
    word = _mix_int(stream_state(key ^ _mix_int(stream), position) + _GOLDEN)
    return float(((word >> (64 - _BITS)) + 0.5) * 2.0**-_BITS)


def gumbel_numpy(key: int, position: int, tokens: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Gumbel noise in numpy: the plain reference of `gumbel`.

    Args:
        key: 64-bit key.
        position: index of the generated token, from 0.
        tokens: token ids, any shape.

    Returns:
        fp64 noise of the shape of `tokens`.
    """
    word = np.asarray(tokens).astype(np.uint64) + np.uint64(1)
    word = word * np.uint64(_GOLDEN) + np.uint64(stream_state(key, position))
    word = (word ^ (word >> np.uint64(30))) * np.uint64(_MULTIPLY_1)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(_MULTIPLY_2)
    word = word ^ (word >> np.uint64(31))
    uniform = ((word >> np.uint64(64 - _BITS)).astype(np.float64) + 0.5) * 2.0**-_BITS
    return np.asarray(-np.log(-np.log(uniform)))


def _shift_right(word: Tensor, bits: int) -> Tensor:
    # torch shifts int64 with the sign; the mask makes it the unsigned shift of the definition.
    return (word >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def hash_bits(states: Tensor, tokens: Tensor) -> Tensor:
    """Hash token ids under stream states.

    Args:
        states: [rows, 1] int64 words of `stream_state`.
        tokens: [rows or 1, n] int64 token ids.

    Returns:
        [rows, n] int64 in [0, 2^52).
    """
    word = (tokens + 1) * _signed(_GOLDEN) + states
    word = word.bitwise_xor_(_shift_right(word, 30)).mul_(_signed(_MULTIPLY_1))
    word = word.bitwise_xor_(_shift_right(word, 27)).mul_(_signed(_MULTIPLY_2))
    word = word.bitwise_xor_(_shift_right(word, 31))
    return _shift_right(word, 64 - _BITS)


def _gumbel_of_bits(bits: Tensor) -> Tensor:
    uniform = bits.double().add_(0.5).mul_(2.0**-_BITS)
    return uniform.log_().neg_().log_().neg_()


def _states(keys: Sequence[int], positions: Sequence[int], device: torch.device) -> Tensor:
    words = [_signed(stream_state(k, p)) for k, p in zip(keys, positions, strict=True)]
    return torch.tensor(words, dtype=torch.int64, device=device).unsqueeze(1)


def gumbel(keys: Sequence[int], positions: Sequence[int], tokens: Tensor) -> Tensor:
    """Gumbel noise of each row's tokens.

    Args:
        keys: 64-bit key of each row.
        positions: index of the generated token of each row, from 0.
        tokens: [rows, n] int64 token ids.

    Returns:
        [rows, n] fp64.
    """
    return _gumbel_of_bits(hash_bits(_states(keys, positions, tokens.device), tokens))


def draw(scores: Tensor, keys: Sequence[int], positions: Sequence[int]) -> Tensor:
    """Draw one token of each row from softmax(scores) by the noise of its key and position.

    The noise is added in fp64, and only to tokens that can win, which changes no draw. This is done
    in torch; the sampling kernel draws the same.

    Args:
        scores: [rows, vocab] fp32, -inf for tokens that are out.
        keys: 64-bit key of each row.
        positions: index of the generated token of each row, from 0.

    Returns:
        [rows] int64 token ids.
    """
    survivors = (scores > -torch.inf).sum(-1)
    picked = torch.empty(scores.shape[0], dtype=torch.int64, device=scores.device)
    narrow = [row for row, n in enumerate(survivors.tolist()) if n <= _NARROW]
    wide = [row for row, n in enumerate(survivors.tolist()) if n > _NARROW]
    if narrow:
        rows = scores if not wide else scores[narrow]
        width = max(1, int(survivors[narrow].max()))
        values, ids = rows.topk(width)
        noise = gumbel([keys[r] for r in narrow], [positions[r] for r in narrow], ids)
        picked[narrow] = ids.gather(1, (values + noise).argmax(-1, keepdim=True)).squeeze(1)
    for start in range(0, len(wide), _ROWS_AT_A_TIME):
        rows_now = wide[start : start + _ROWS_AT_A_TIME]
        states = _states(
            [keys[r] for r in rows_now], [positions[r] for r in rows_now], scores.device
        )
        picked[rows_now] = _draw_wide(scores[rows_now], states)
    return picked


def _draw_wide(scores: Tensor, states: Tensor) -> Tensor:
    """Draw from rows with many survivors; the logarithms are taken only of hashes that can win.

    A token that is not among the first scores at most `lowest + noise`, so it needs noise of at
    least `best - lowest`, which is a bound on its hash.
    """
    values, ids = scores.topk(_FIRST)  # [rows, first]
    bits = hash_bits(states, torch.arange(scores.shape[1], device=scores.device).unsqueeze(0))
    noisy = values + _gumbel_of_bits(bits.gather(1, ids))
    best, where = noisy.max(-1, keepdim=True)  # [rows, 1]
    picked = ids.gather(1, where).squeeze(1)
    needed = best - values[:, -1:] - 1e-9  # the margin covers the rounding of the logarithms
    limit = (torch.exp(-torch.exp(-needed)) * 2.0**_BITS).long() - 1
    rows, tokens = torch.nonzero(bits > limit, as_tuple=True)
    rivals = scores[rows, tokens] + _gumbel_of_bits(bits[rows, tokens])
    for row in range(scores.shape[0]):
        mine = rows == row
        if bool(mine.any()) and float(rivals[mine].max()) > float(best[row, 0]):
            picked[row] = tokens[mine][rivals[mine].argmax()]
    return picked
