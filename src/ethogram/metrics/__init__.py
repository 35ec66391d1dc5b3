"""The metrics room; see the map in CONTRIBUTING.md."""
