"""The engine room; see the map in CONTRIBUTING.md."""
