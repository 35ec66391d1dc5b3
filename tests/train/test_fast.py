"""The fast room: masters, schedules, threads, the allocator."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Literal

import pytest
import torch

from ethogram.train.fast import Fast, MasterWeights, choose_threads, keep_memory
from ethogram.train.fast.muon import Muon, orthogonal
from ethogram.train.fast.peak import gemm_peak

Schedule = Literal["cosine", "wsd", "linear", "constant"]


def gradients(count: int, shape: tuple[int, ...]) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    return [torch.randn(shape, generator=draw) for _ in range(count)]


def group(weight: torch.nn.Parameter, algorithm: str, rate: float = 0.01) -> dict[str, object]:
    return {"params": [weight], "lr": rate, "weight_decay": 0.1, "algorithm": algorithm}


def test_float32_weights_move_as_under_torchs_own_adamw() -> None:
    torch.manual_seed(0)
    start = torch.randn(6, 4)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizer = MasterWeights([group(ours, "adamw")])
    own = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1, betas=(0.9, 0.95))
    for gradient in gradients(4, (6, 4)):
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        optimizer.step()
        own.step()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
def test_bfloat16_products_move_as_under_torchs_own_muon(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start = torch.randn(shape)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizer = Muon([ours], products=torch.bfloat16, lr=0.01, weight_decay=0.1, momentum=0.95)
    own = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, momentum=0.95)
    for gradient in gradients(4, shape):
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        optimizer.step()
        own.step()
    assert torch.equal(ours, theirs)


def test_float32_products_orthogonalise_exactly() -> None:
    iterate = partial(orthogonal, coefficients=(3.4445, -4.7750, 2.0315), steps=5, eps=1e-7)
    [matrix] = gradients(1, (24, 16))
    exact = iterate(matrix.double())
    torch.testing.assert_close(iterate(matrix).double(), exact, rtol=0, atol=1e-5)
    values = torch.linalg.svdvals(exact)
    assert values.min() > 0.6
    assert values.max() < 1.3
    # The singular vectors stay: the result and the matrix have the same polar factor.
    left, _, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    off = left.T @ exact @ right.T
    torch.testing.assert_close(off, torch.diag(off.diagonal()), rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_muons_products_have_the_precision_of_the_weights(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(6, 4).to(dtype))
    master = torch.nn.Parameter(weight.detach().float())
    optimizer = MasterWeights([group(weight, "muon")])
    own = Muon([master], products=dtype, lr=0.01, weight_decay=0.1, momentum=0.95)
    for gradient in gradients(2, (6, 4)):
        weight.grad = gradient.to(dtype)
        master.grad = weight.grad.float()
        optimizer.step()
        own.step()
    assert torch.equal(optimizer.masters[weight], master)


def test_small_updates_add_up_though_bfloat16_cannot_hold_them() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2, dtype=torch.bfloat16))
    optimizer = MasterWeights(
        [{"params": [weight], "lr": 1e-4, "weight_decay": 0.0, "algorithm": "adamw"}]
    )
    for _ in range(100):
        weight.grad = torch.ones_like(weight)
        optimizer.step()
    # AdamW moves by its rate at each step; in bfloat16 1 - 0.0001 is 1.
    torch.testing.assert_close(
        optimizer.masters[weight], torch.full((2, 2), 0.99), rtol=0, atol=1e-4
    )
    assert weight.dtype == torch.bfloat16
    assert torch.equal(weight, optimizer.masters[weight].bfloat16())


def test_masters_start_from_the_weights_before_rounding() -> None:
    exact = torch.tensor([[1.0001, 2.0002]])
    weight = torch.nn.Parameter(exact.bfloat16())
    optimizer = MasterWeights([group(weight, "adamw")], originals={weight: exact})
    assert torch.equal(optimizer.masters[weight], exact)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("algorithm", ["adamw", "muon"])
def test_a_restored_optimizer_goes_on_bit_for_bit(algorithm: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    start = torch.randn(6, 4).to(dtype)
    steps = gradients(6, (6, 4))
    whole = torch.nn.Parameter(start.clone())
    undisturbed = MasterWeights([group(whole, algorithm)])
    weight = torch.nn.Parameter(start.clone())
    optimizer = MasterWeights([group(weight, algorithm)])
    for number, gradient in enumerate(steps):
        if number == 3:
            state = optimizer.state_dict()
            weight = torch.nn.Parameter(weight.detach().clone())
            optimizer = MasterWeights([group(weight, algorithm, rate=9.0)])
            optimizer.load_state_dict(state)
        for one, own in ((whole, undisturbed), (weight, optimizer)):
            one.grad = gradient.to(dtype)
            own.step()
    assert torch.equal(weight, whole)
    assert torch.equal(optimizer.masters[weight], undisturbed.masters[whole])


def test_a_state_of_other_groups_is_refused() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = MasterWeights([group(weight, "adamw")])
    state = optimizer.state_dict()
    state["param_groups"] = []
    with pytest.raises(ValueError, match="other groups"):
        optimizer.load_state_dict(state)


def test_clipping_waits_for_float32() -> None:
    weight = torch.nn.Parameter(torch.zeros(1, 3))
    optimizer = MasterWeights(
        [{"params": [weight], "lr": 1.0, "weight_decay": 0.0, "algorithm": "adamw"}]
    )
    optimizer.gradient_scale = 0.5
    weight.grad = torch.tensor([[2.0, 4.0, 8.0]])
    optimizer.step()
    assert weight.grad.tolist() == [[1.0, 2.0, 4.0]]
    assert optimizer.gradient_scale == 1.0


@pytest.mark.parametrize(
    ("schedule", "step", "share"),
    [
        ("cosine", 0, 1 / 11),
        ("cosine", 10, 1.0),
        ("cosine", 55, 0.5),
        ("linear", 55, 0.5),
        ("constant", 99, 1.0),
        ("wsd", 10, 1.0),
        ("wsd", 59, 1.0),
        ("wsd", 70, 0.5),  # A quarter of the decay: 1 - sqrt(1/4).
    ],
)
def test_the_rate_of_a_step(schedule: Schedule, step: int, share: float) -> None:
    fast = Fast(schedule=schedule, warmup_steps=10)
    assert fast.rate(step, 100) == pytest.approx(share)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "wsd"])
def test_schedules_rise_then_fall_to_almost_nothing(schedule: Schedule) -> None:
    fast = Fast(schedule=schedule, warmup_steps=5)
    rates = [fast.rate(step, 50) for step in range(50)]
    top = rates.index(max(rates))
    assert all(a < b for a, b in itertools.pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in itertools.pairwise(rates[top:]))
    assert 0 < rates[-1] < 0.05


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [({1: 1.0, 2: 0.55}, 2), ({1: 1.0, 2: 0.95}, 1), ({1: 1.0, 2: 6.0}, 1)],
)
def test_threads_that_do_not_pay_are_not_taken(
    seconds: dict[int, float], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "2")
    before, now = torch.get_num_threads(), 0.0

    def work() -> None:
        nonlocal now
        now += seconds[torch.get_num_threads()]

    try:
        torch.set_num_threads(2)
        found, measured = choose_threads(work, clock=lambda: now)
        assert found == chosen == torch.get_num_threads()
        assert measured == pytest.approx(seconds)
    finally:
        torch.set_num_threads(before)


def test_the_peak_is_of_the_best_product() -> None:
    times = iter([0.0, 0.1, 0.2, 0.7, 0.8, 0.9, 1.1, 1.2])  # Products of 0.5 and 0.2 seconds.
    assert gemm_peak(torch.float32, seconds=1.0, clock=lambda: next(times)) == pytest.approx(
        2 * 1024**3 / 0.2
    )


def test_the_allocator_says_whether_it_could() -> None:
    import platform

    assert keep_memory() == (platform.libc_ver()[0] == "glibc")
