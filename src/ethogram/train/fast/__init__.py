"""Fast: what makes training quick on a CPU, as a mixin over transformers' and TRL's trainers.

What each is worth depends on the processor; `make bench-train` measures all of it together.
"""

from ethogram.train.fast.allocator import keep_memory
from ethogram.train.fast.loss import next_token_loss
from ethogram.train.fast.masters import MasterWeights
from ethogram.train.fast.precision import choose_precision
from ethogram.train.fast.settings import Fast
from ethogram.train.fast.threads import choose_threads
from ethogram.train.fast.trainer import FastTraining

__all__ = [
    "Fast",
    "FastTraining",
    "MasterWeights",
    "choose_precision",
    "choose_threads",
    "keep_memory",
    "next_token_loss",
]
