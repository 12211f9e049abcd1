"""Noise that is the same everywhere: a number for each point of the plane, from a seed alone. Pure numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Field", "cells", "fractal", "lattice", "noise"]

Field = npt.NDArray[np.float64]
"""A value for each pixel of a tile."""

_PRIMES = (np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D))


def lattice(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], seed: int) -> Field:
    """A number from 0 to 1 for each point with whole coordinates."""
    # Multiplication is meant to overflow; numpy says so of single numbers.
    with np.errstate(over="ignore"):
        bits = (
            x.astype(np.uint32) * _PRIMES[0] ^ y.astype(np.uint32) * _PRIMES[1] ^ np.uint32(seed & 0xFFFFFFFF)
        )
        for shift, prime in ((15, _PRIMES[2]), (13, _PRIMES[0]), (16, _PRIMES[1])):
            bits = (bits ^ (bits >> np.uint32(shift))) * prime
        mixed: Field = (bits ^ (bits >> np.uint32(16))).astype(np.float64) / 0xFFFFFFFF
    return mixed


def noise(x: Field, y: Field, seed: int) -> Field:
    """Smooth noise from 0 to 1, about one hill in each unit square."""
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    # Perlin's curve: no edge is seen where squares meet.
    fx, fy = (f * f * f * (f * (f * 6 - 15) + 10) for f in (fx, fy))
    column, row = left.astype(np.int64), top.astype(np.int64)
    upper = lattice(column, row, seed) * (1 - fx) + lattice(column + 1, row, seed) * fx
    lower = lattice(column, row + 1, seed) * (1 - fx) + lattice(column + 1, row + 1, seed) * fx
    return upper * (1 - fy) + lower * fy


def fractal(x: Field, y: Field, seed: int, octaves: int = 5) -> Field:
    """Noise of several sizes on top of each other, from 0 to 1."""
    total = np.zeros_like(x)
    weight, scale, whole = 0.5, 1.0, 0.0
    for octave in range(octaves):
        # Turned from octave to octave, or the squares of all of them would lie on top of each other.
        turn = 0.6 * octave
        u, v = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        total += weight * noise(u * scale, v * scale, seed + octave * 1013)
        whole += weight
        weight *= 0.5
        scale *= 2.03
    return total / whole


def cells(x: Field, y: Field, seed: int) -> tuple[Field, Field, Field]:
    """Distances to the nearest and the second nearest of points strewn about, and a number of the nearest."""
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    first, second, which = np.full_like(x, 9.0), np.full_like(x, 9.0), np.zeros_like(x)
    for right in (-1, 0, 1):
        for down in (-1, 0, 1):
            c, r = column + right, row + down
            away = np.hypot(c + lattice(c, r, seed) - x, r + lattice(c, r, seed + 77) - y)
            nearer = away < first
            second = np.where(nearer, first, np.minimum(second, away))
            which = np.where(nearer, lattice(c, r, seed + 991), which)
            first = np.where(nearer, away, first)
    return first, second, which
