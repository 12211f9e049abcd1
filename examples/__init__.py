"""Examples: one folder per idea, each run by a test in `tests/examples/`."""
