"""Statistics of versions: paired tests over prompts, corrections, and what more would show."""

from ethogram.stats.coupling import Coupling, coupling
from ethogram.stats.interval import Interval, bootstrap
from ethogram.stats.length import LengthControlled, length_controlled
from ethogram.stats.multiple import adjust
from ethogram.stats.paired import PairedTest, paired
from ethogram.stats.permutation import swap_test
from ethogram.stats.planning import More, Spread, detectable, more_samples
from ethogram.stats.sequential import Decision, decide_both, decide_bounded, decide_mean
from ethogram.stats.split import split_prompts
from ethogram.stats.superiority import Superiority, superiority

__all__ = [
    "Coupling",
    "Decision",
    "Interval",
    "LengthControlled",
    "More",
    "PairedTest",
    "Spread",
    "Superiority",
    "adjust",
    "bootstrap",
    "coupling",
    "decide_both",
    "decide_bounded",
    "decide_mean",
    "detectable",
    "length_controlled",
    "more_samples",
    "paired",
    "split_prompts",
    "superiority",
    "swap_test",
]
