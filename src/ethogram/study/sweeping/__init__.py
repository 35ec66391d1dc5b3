"""Sweeps: settings proposed, raced against each other, proved on held-out prompts, promoted."""
