"""Decodings that follow several continuations at once, and the choice among finished ones."""
