"""Pitfalls: named failures of an output, found by rules, with the text that shows them."""
