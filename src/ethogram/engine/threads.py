"""How many threads the engine, and torch beside it, compute with."""

from __future__ import annotations

import os

import torch

from ethogram.cores import VARIABLE, threads_to_use


def use_allowed_threads() -> int:
    """Keep torch's threads within the cores that this process may use; returns their number.

    torch counts the cores of the affinity mask and overlooks the CPU quota of a container; threads
    beyond it only wait. `ETHOGRAM_THREADS` sets the number itself. The kernels take theirs from
    torch, so one number holds for both, and it changes no output.

    Raises:
        SpecError: the variable is not a number of threads.
    """
    threads = threads_to_use()
    if os.environ.get(VARIABLE, "").strip() or threads < torch.get_num_threads():
        torch.set_num_threads(threads)
    return torch.get_num_threads()
