"""Values and rules: tasks, progress, notifications, channels, cursors, grants and reports.

Pure: no clock, no randomness, no I/O. Time (Unix milliseconds) and ids come in as arguments.
"""
