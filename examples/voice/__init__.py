"""Chapters of a book to audio: a page, jobs in a queue on Valkey, and espeak-ng in worker processes."""
