"""Linear layers, by our own batch-invariant kernel or by torch.

Our kernel is also the faster one wherever torch has no matrix unit (AMX) to use.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ethogram.engine.native.layer_kernels import LayerKernels


def has_own_kernel(dtype: torch.dtype) -> bool:
    """Whether products of this type run on our own kernel on this processor.

    Measured on AVX-512: 1.1 to 1.6 times as fast as torch in fp32, 1.07 to 1.3 times in bf16, at 1
    to 192 rows; AMX multiplies bf16 several times faster. Measured on AVX2, where torch emulates
    bf16: many times as fast in bf16; in fp32 1.2 to 1.8 times at 1 to 4 rows, as fast at 48.
    """
    cpu = torch.cpu
    if dtype == torch.bfloat16:
        return bool(cpu._is_avx2_supported()) and not cpu._is_amx_tile_supported()
    return bool(cpu._is_avx2_supported())


class Linear:
    """A linear layer over rows.

    Args:
        weight: [outputs, inputs].
        bias: [outputs] or None.
        kernels: our own; None for torch's product.

    Attributes:
        addresses: of the weight and of the bias, None without one.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, kernels: LayerKernels | None) -> None:
        self.weight, self.bias, self.kernels = weight.contiguous(), bias, kernels
        self.outputs, self.inputs = weight.shape
        self.addresses = (self.weight.data_ptr(), None if bias is None else bias.data_ptr())

    def __call__(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        """Multiply.

        Args:
            rows: [rows, inputs], contiguous.
            out: [rows, outputs], contiguous; made if not given.

        Returns:
            `out`.

        Raises:
            MemoryError: not enough memory for one panel of weights per thread.
        """
        if out is None:
            out = rows.new_empty((rows.shape[0], self.outputs))
        if self.kernels is None:
            if self.bias is None:
                return torch.mm(rows, self.weight.T, out=out)
            return torch.addmm(self.bias, rows, self.weight.T, out=out)
        failed = self.kernels.linear(
            rows.data_ptr(),
            *self.addresses,
            out.data_ptr(),
            rows.shape[0],
            self.inputs,
            self.outputs,
            self.outputs,
            torch.get_num_threads(),
        )
        if failed:
            raise MemoryError("not enough memory for a panel of weights")
        return out


def join(parts: Sequence[torch.nn.Linear], kernels: LayerKernels | None) -> Linear:
    """Join several layers over the same rows into one, without storing their weights twice.

    The given modules stay usable: their weights become views of the joined one.
    """
    weight = _joined([part.weight for part in parts])
    biases = [part.bias for part in parts]
    bias = None if biases[0] is None else _joined(biases)
    return Linear(weight, bias, kernels)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Concatenate along the first axis; parameters become views of the result."""
    first, total = parts[0], sum(len(part) for part in parts)
    if _are_adjacent(parts):
        return first.detach().as_strided((total, *first.shape[1:]), first.stride())
    with torch.inference_mode(False), torch.no_grad():
        whole = torch.cat([part.detach() for part in parts])
        start = 0
        for part in parts:
            part.data = whole[start : start + len(part)]
            start += len(part)
    return whole


def _are_adjacent(parts: Sequence[Tensor]) -> bool:
    """Whether the parts are already joined."""
    storage = parts[0].untyped_storage().data_ptr()
    end = parts[0].data_ptr()
    for part in parts:
        same = part.untyped_storage().data_ptr() == storage and part.is_contiguous()
        if not same or part.data_ptr() != end:
            return False
        end += part.numel() * part.element_size()
    return True
