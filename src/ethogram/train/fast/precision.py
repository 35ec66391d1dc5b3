"""The number format in which this machine trains fastest, measured rather than assumed.

Processors differ more than their flags tell: bfloat16 products ran 2.4 times as fast as float32 on
an AMD Zen 4, and at half the speed on an Intel Xeon whose matrix unit (AMX) its host hides.
"""

from __future__ import annotations

from typing import Literal

import torch

from ethogram.train.fast.peak import gemm_peak

Precision = Literal["bfloat16", "float32"]
#: bfloat16 has to be faster by this factor, because its rounding is a price.
_WORTH_IT = 1.2


def choose_precision(device: str = "cpu") -> Precision:
    """bfloat16 where its matrix products are clearly faster than those of float32.

    Args:
        device: name of a torch device.
    """
    if device != "cpu":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    half, full = (gemm_peak(each) for each in (torch.bfloat16, torch.float32))
    return "bfloat16" if half > _WORTH_IT * full else "float32"
