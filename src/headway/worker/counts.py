"""The account of what became of everything that was reported. Pure; it must not know who counts."""

from __future__ import annotations

import msgspec

__all__ = ["Counts"]


class Counts(msgspec.Struct):
    """What became of everything that was reported.

    Attributes:
        reported: reports and log lines that came in.
        sent: reports that a server accepted.
        merged: reports that a newer one replaced before they left.
        dropped: reports and log lines given up: too many waited, or their task had ended.
        lost_facts: those of `dropped` that were facts.
        retried: reports sent again after a delivery failed.
        rejected: reports that a server refused for good.
        adjusted: ticks that would have gone backwards or beyond their total.
    """

    reported: int = 0
    sent: int = 0
    merged: int = 0
    dropped: int = 0
    lost_facts: int = 0
    retried: int = 0
    rejected: int = 0
    adjusted: int = 0
