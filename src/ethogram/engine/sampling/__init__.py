"""What the sampler works with: compiled chains, token histories, contrast formulas, traces."""
