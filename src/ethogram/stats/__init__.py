"""Statistics of versions: paired tests over prompts, corrections, and what more would show."""

from ethogram.stats.agreement import Alpha, krippendorff_alpha
from ethogram.stats.bradley_terry import Strengths, bradley_terry
from ethogram.stats.coupling import Coupling, coupling
from ethogram.stats.interval import Interval, bootstrap
from ethogram.stats.length import LengthControlled, length_controlled
from ethogram.stats.multiple import adjust
from ethogram.stats.paired import PairedTest, paired
from ethogram.stats.permutation import sign_flip_test
from ethogram.stats.planning import More, Spread, minimum_detectable, more_samples
from ethogram.stats.scores import paired_scores
from ethogram.stats.sequential import Decision, decide_both, decide_bounded, decide_mean
from ethogram.stats.split import split_prompts
from ethogram.stats.superiority import Superiority, superiority

__all__ = [
    "Alpha",
    "Coupling",
    "Decision",
    "Interval",
    "LengthControlled",
    "More",
    "PairedTest",
    "Spread",
    "Strengths",
    "Superiority",
    "adjust",
    "bootstrap",
    "bradley_terry",
    "coupling",
    "decide_both",
    "decide_bounded",
    "decide_mean",
    "krippendorff_alpha",
    "length_controlled",
    "minimum_detectable",
    "more_samples",
    "paired",
    "paired_scores",
    "sign_flip_test",
    "split_prompts",
    "superiority",
]
