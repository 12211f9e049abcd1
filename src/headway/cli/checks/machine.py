"""Checks of the machine: how many connections a server may hold."""

from __future__ import annotations

from headway.cli.checks.finding import Finding, ok, warn

__all__ = ["check_descriptors"]

_FEW = 4096


def check_descriptors() -> Finding:
    """The limit of open descriptors, which is the limit of connections."""
    what = "descriptors"
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return ok(what, "not limited")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return ok(what, "not limited")
    if hard < _FEW:
        return warn(
            what, f"{hard}, so about {hard - 100} connections at once; raise it with ulimit -n or LimitNOFILE"
        )
    return ok(what, f"{hard}, which a server raises its own limit to")
