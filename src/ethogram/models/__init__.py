"""The models room; see the map in CONTRIBUTING.md."""
