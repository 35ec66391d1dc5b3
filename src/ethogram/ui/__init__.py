"""The page: a study in the browser, served on loopback to the person who started it."""
