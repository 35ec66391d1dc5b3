"""Parts of the sampler: compiled chains, token histories, contrast formulas, traces."""
