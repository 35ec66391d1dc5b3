"""Rewards: a reward that is the same for all completions teaches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.train.job import Finding


def constant_rewards(rewards: Mapping[str, Sequence[Sequence[float | None]]]) -> list[Finding]:
    """Rewards that do not differ between the completions of any prompt.

    Only differences within a prompt's group count: its mean is subtracted. A reward that is
    constant in all groups is refused if it is the only one.

    Args:
        rewards: by name of the reward, of each prompt of a first batch, of each completion; None
            where it does not apply.
    """
    dead = [
        name
        for name, groups in rewards.items()
        if all(len({value for value in group if value is not None}) <= 1 for group in groups)
    ]
    found = []
    for name in dead:
        first = next((group for group in rewards[name] if group), ())
        values = ", ".join("none" if value is None else f"{value:g}" for value in first[:4])
        found.append(
            Finding(
                "constant_reward",
                f"the reward {name} is the same for all completions of each of "
                f"{len(rewards[name])} prompts; of the first they are {values}",
                "choose a reward that tells completions apart, or raise the temperature",
                refuses=len(dead) == len(rewards),
            )
        )
    return found
