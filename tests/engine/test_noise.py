"""The keyed noise: what it is, that draws follow the softmax, and that nothing else enters it."""

from __future__ import annotations

from functools import cache
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from scipy import stats
from tests.engine.compiled import draw_by_kernel, library
from tests.profiles import examples

from ethogram.engine import noise
from ethogram.engine.noise import gumbel, gumbel_numpy, hash_bits, stream_state

DRAWS = 100_000
#: The draws are fixed by their keys, so a test that passes once always passes. With fewer than
#: twenty such tests here, a correct generator had a chance under 1 in 50 to fall below this.
SMALLEST_P = 1e-3
WORD = (1 << 64) - 1


def splitmix64(state: int) -> int:
    """One output of the generator of Steele, Lea & Flood (2014), in plain integers."""
    state = (state + 0x9E3779B97F4A7C15) & WORD
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & WORD
    return state ^ (state >> 31)


def mix(word: int) -> int:
    return splitmix64((word - 0x9E3779B97F4A7C15) & WORD)


WAYS: dict[str, Any] = {"kernel": draw_by_kernel, "torch": noise.draw}


@pytest.fixture(params=WAYS)
def draw(request: pytest.FixtureRequest) -> Any:
    """Both ways to a draw: the compiled choice and torch."""
    if request.param == "kernel":
        library()
    return WAYS[request.param]


def draws_of(
    draw: Any, scores: torch.Tensor, keys: range, position: int = 0, at_once: int = 5000
) -> list[int]:
    """One token by each key from one row of scores."""
    picked: list[int] = []
    for start in range(0, len(keys), at_once):
        some = list(keys[start : start + at_once])
        picked += draw(scores.expand(len(some), -1), some, [position] * len(some)).tolist()
    return picked


def chi_square_p(observed: np.ndarray, probabilities: np.ndarray) -> float:
    """p-value; ids expected less than five times share one bin."""
    expected = probabilities * observed.sum()
    rare = expected < 5
    seen, due = observed[~rare], expected[~rare]
    if expected[rare].sum() >= 1:
        seen, due = np.append(seen, observed[rare].sum()), np.append(due, expected[rare].sum())
    return float(stats.chisquare(seen, due * (seen.sum() / due.sum())).pvalue)


def test_splitmix64_gives_its_published_numbers() -> None:
    """The first outputs from seed 1234567, as printed with several public implementations."""
    state, made = 1234567, []
    for _ in range(3):
        made.append(splitmix64(state))
        state = (state + 0x9E3779B97F4A7C15) & WORD
    assert made == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(key=st.integers(0, WORD), position=st.integers(0, 100_000), token=st.integers(0, 300_000))
@settings(max_examples=examples(200))
def test_the_hash_equals_plain_integer_arithmetic(key: int, position: int, token: int) -> None:
    golden = 0x9E3779B97F4A7C15
    state = mix((mix(key) + golden * (position + 1)) & WORD)
    word = splitmix64((state + golden * token) & WORD)
    signed = state - (1 << 64) if state >> 63 else state
    assert stream_state(key, position) == state
    assert hash_bits(torch.tensor([[signed]]), torch.tensor([[token]])).item() == word >> 12
    uniform = ((word >> 12) + 0.5) / 2**52
    expected = -np.log(-np.log(uniform))
    assert gumbel_numpy(key, position, [token])[0] == expected
    ours = gumbel([key], [position], torch.tensor([[token]])).item()
    assert ours == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_extreme_hashes_give_finite_noise() -> None:
    ends = noise._gumbel_of_bits(torch.tensor([0, 2**52 - 1]))
    assert torch.isfinite(ends).all()
    assert ends[0] < -3.5
    assert ends[1] > 36


def test_noise_has_the_gumbel_distribution() -> None:
    sample = gumbel_numpy(3, 0, np.arange(DRAWS))
    assert stats.kstest(sample, stats.gumbel_r.cdf).pvalue > SMALLEST_P


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("position", [0, 17])
@pytest.mark.long
def test_draws_follow_the_softmax(draw: Any, spread: float, position: int) -> None:
    scores = torch.randn(1, 60, generator=torch.Generator().manual_seed(3)) * spread
    counts = np.bincount(draws_of(draw, scores, range(DRAWS), position), minlength=60)
    assert chi_square_p(counts, scores.softmax(-1)[0].double().numpy()) > SMALLEST_P


def test_draws_along_positions_follow_the_softmax(draw: Any) -> None:
    """As in an output: one key, position after position."""
    scores = torch.randn(1, 60, generator=torch.Generator().manual_seed(4))
    picked = draw(scores.expand(DRAWS, -1), [77] * DRAWS, list(range(DRAWS)))
    counts = np.bincount(picked.numpy(), minlength=60)
    assert chi_square_p(counts, scores.softmax(-1)[0].double().numpy()) > SMALLEST_P


def test_truncated_draws_follow_the_softmax_of_the_survivors(draw: Any) -> None:
    scores = torch.randn(1, 60, generator=torch.Generator().manual_seed(5))
    scores[0, ::3] = -torch.inf
    counts = np.bincount(draws_of(draw, scores, range(DRAWS)), minlength=60)
    assert counts[::3].sum() == 0
    assert chi_square_p(counts, scores.softmax(-1)[0].double().numpy()) > SMALLEST_P


@pytest.mark.parametrize(
    ("first", "second"),
    [((5, 0), (6, 0)), ((5, 0), (5, 1)), ((0, 0), (1 << 63, 0)), ((5, 1), (6, 0))],
    ids=["next key", "next position", "highest bit", "diagonal"],
)
def test_neighbouring_streams_are_independent(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    """No correlation at any small shift of token ids, which a window over one table would show."""
    tokens = np.arange(20_000)
    a, b = gumbel_numpy(*first, tokens), gumbel_numpy(*second, tokens)
    for shift in range(-4, 5):
        moved = np.roll(b, shift)
        assert abs(np.corrcoef(a, moved)[0, 1]) < 4.5 / np.sqrt(len(tokens))
        assert not np.intersect1d(a, moved).size


@pytest.mark.parametrize("axis", ["keys", "positions"])
def test_joint_draws_of_neighbours_are_independent(draw: Any, axis: str) -> None:
    """Pairs of draws of neighbouring streams fill the product distribution."""
    scores = torch.tensor([[0.0, 0.7, -0.5, 1.0]])
    if axis == "keys":
        drawn = np.array(draws_of(draw, scores, range(DRAWS)))
    else:
        drawn = draw(scores.expand(DRAWS, -1), [9] * DRAWS, list(range(DRAWS))).numpy()
    pairs = np.bincount(drawn[::2] * 4 + drawn[1::2], minlength=16)
    one = scores.softmax(-1)[0].double().numpy()
    assert chi_square_p(pairs, np.outer(one, one).ravel()) > SMALLEST_P


@pytest.mark.parametrize("ids", [400, pytest.param(2000, marks=pytest.mark.slow)])
def test_every_token_id_can_be_drawn(draw: Any, ids: int) -> None:
    """Flat scores: each id is drawn about 20 times, and none never."""
    scores = torch.zeros(1, ids)
    counts = np.bincount(draws_of(draw, scores, range(20 * ids), at_once=2000), minlength=ids)
    assert counts.min() > 0
    assert chi_square_p(counts, np.full(ids, 1 / ids)) > SMALLEST_P


VOCAB, WINDOW = 49_152, 64
#: So many that one of them misses an id by chance with a probability under 1 in 1000.
KEYS = 1160
#: Windows at both ends and in the middle, and all of them.
SOME_WINDOWS = (*range(0, VOCAB, VOCAB // 48), VOCAB - WINDOW)
ALL_WINDOWS = tuple(range(0, VOCAB, WINDOW))


@cache
def keys_of_every_id(windows: tuple[int, ...]) -> np.ndarray:
    """[VOCAB] a key for each id of some windows under which its noise is the greatest there."""
    assert VOCAB * (1 - 1 / WINDOW) ** KEYS < 1e-3
    found = np.full(VOCAB, -1)
    for first in windows:
        states = noise._states(range(KEYS), [first] * KEYS, torch.device("cpu"))
        tokens = torch.arange(first, first + WINDOW).unsqueeze(0)
        found[first + hash_bits(states, tokens).argmax(-1).numpy()] = np.arange(KEYS)
    return found


@pytest.mark.parametrize(
    "windows",
    [SOME_WINDOWS, pytest.param(ALL_WINDOWS, marks=pytest.mark.slow)],
    ids=["some windows", "all windows"],
)
def test_every_token_id_of_a_large_vocabulary_can_be_drawn(
    draw: Any, windows: tuple[int, ...]
) -> None:
    """Windows of 64 live ids side by side over 49 152; the window is the position."""
    keys, seen = keys_of_every_id(windows), np.ones(VOCAB, bool)
    for first in windows:
        seen[first : first + WINDOW] = False
    assert keys[~seen].min() >= 0
    for first in windows:
        scores = torch.full((1, VOCAB), -torch.inf)
        scores[0, first : first + WINDOW] = 0.0
        mine = keys[first : first + WINDOW].tolist()
        seen[draw(scores.expand(WINDOW, -1), mine, [first] * WINDOW).numpy()] = True
    assert seen.all(), f"never drawn: {np.flatnonzero(~seen)[:9]}"


@pytest.mark.long
def test_the_best_noise_falls_on_all_regions_of_a_large_vocabulary() -> None:
    """The winner under flat scores over 49152 ids, in 64 equal regions."""
    tokens = torch.arange(49_152).unsqueeze(0)
    winners = [
        int(hash_bits(noise._states([key], [0], tokens.device), tokens).argmax())
        for key in range(2000)
    ]
    counts = np.bincount(np.array(winners) // 768, minlength=64)
    assert chi_square_p(counts, np.full(64, 1 / 64)) > SMALLEST_P


@pytest.mark.parametrize("spread", [0.0, 0.02, 1.0, 8.0, 30.0, 1000.0])
@pytest.mark.parametrize("vocab", [1, 50, 1024, 1025, 5000])
def test_a_draw_is_the_maximum_of_scores_and_noise(draw: Any, vocab: int, spread: float) -> None:
    """Both shortcuts (survivors only, wide rows by bound) against the full sum in numpy."""
    generator = torch.Generator().manual_seed(vocab)
    scores = torch.randn(24, vocab, generator=generator) * spread
    scores[5:10, 1::2] = -torch.inf
    keys, positions = list(range(100, 124)), list(range(24))
    plain = [
        int((row.double().numpy() + gumbel_numpy(key, position, np.arange(vocab))).argmax())
        for row, key, position in zip(scores, keys, positions, strict=True)
    ]
    assert draw(scores, keys, positions).tolist() == plain


@pytest.mark.long
def test_the_kernel_and_torch_draw_the_same_of_many() -> None:
    """50 000 draws from rows of every width: pruned by a table here, by a bound there."""
    scores = torch.randn(250, 1500, generator=torch.Generator().manual_seed(12))
    scores *= torch.linspace(0, 20, 250).unsqueeze(1)
    for key in range(200):
        keys, positions = [key * 250 + row for row in range(250)], [key] * 250
        kernel = draw_by_kernel(scores, keys, positions)
        noisy = scores + gumbel(keys, positions, torch.arange(1500).expand(250, -1))
        assert torch.equal(kernel, noisy.argmax(-1))


@given(order=st.permutations(range(12)), cut=st.integers(1, 11))
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_draw_does_not_depend_on_order_or_batch(draw: Any, order: list[int], cut: int) -> None:
    scores = torch.randn(12, 1500, generator=torch.Generator().manual_seed(8))
    scores[:6, 40:] = -torch.inf  # narrow and wide rows side by side
    keys, positions = [k * 7 for k in range(12)], [k % 5 for k in range(12)]
    alone = [int(draw(scores[i : i + 1], keys[i : i + 1], positions[i : i + 1])) for i in range(12)]
    for part in (order[:cut], order[cut:]):
        together = draw(scores[part], [keys[i] for i in part], [positions[i] for i in part])
        assert together.tolist() == [alone[i] for i in part]


def test_decodings_that_share_a_key_use_common_random_numbers(draw: Any) -> None:
    """Coupled: near distributions draw the same token far more often than independent ones."""
    scores = torch.randn(1, 60, generator=torch.Generator().manual_seed(9)).expand(4000, -1)
    keys, start = list(range(4000)), [0] * 4000
    plain, warmer = draw(scores, keys, start), draw(scores / 1.1, keys, start)
    apart = draw(scores / 1.1, [key + 10**6 for key in keys], start)
    assert (plain == warmer).double().mean() > 0.85
    assert (plain == apart).double().mean() < 0.15


@pytest.mark.long
def test_common_random_numbers_leave_the_marginals_unchanged(draw: Any) -> None:
    scores = torch.randn(1, 60, generator=torch.Generator().manual_seed(9)) / 1.1
    for first_key in (0, 10**6):
        counts = np.bincount(
            draws_of(draw, scores, range(first_key, first_key + DRAWS)), minlength=60
        )
        assert chi_square_p(counts, scores.softmax(-1)[0].double().numpy()) > SMALLEST_P


def test_a_missing_token_would_be_caught(draw: Any) -> None:
    """Negative control of the chi-square: one of 60 ids never drawn, another twice as often."""
    picked = [min(token, 58) for token in draws_of(draw, torch.zeros(1, 60), range(DRAWS))]
    counts = np.bincount(picked, minlength=60)
    assert chi_square_p(counts, np.full(60, 1 / 60)) < SMALLEST_P


def test_a_window_over_one_table_would_be_caught() -> None:
    """Negative control of independence: streams that read one table at shifted places."""
    table = gumbel_numpy(1, 0, np.arange(20_001))
    a, b = table[:-1], table[1:]
    assert abs(np.corrcoef(a, np.roll(b, 1))[0, 1]) > 0.9
    assert np.intersect1d(a, b).size
