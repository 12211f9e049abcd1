"""Hypothesis on a busy machine: how long an example takes says nothing about what it tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("headway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headway")
