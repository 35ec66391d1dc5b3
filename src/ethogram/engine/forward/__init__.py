"""Forward passes of a model over the slots of its KV cache: prefill, decode step, verification."""
