"""One module a peer: run by that peer's own Python, so nothing here may import Ethogram."""
