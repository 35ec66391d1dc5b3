"""The store room; see the map in CONTRIBUTING.md."""
