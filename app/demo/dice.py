"""Seeded draws in whole arrays; the only place of the demo book that rolls dice."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


class Dice:
    """A stream of draws that depends on its path of numbers only (seed, chunk, topic).

    Each topic of each chunk has its own stream, so a change to the draws of one topic leaves
    every other as it was.
    """

    def __init__(self, *path: int) -> None:
        self._stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(path)))

    def chance(self, probability: float | Floats, size: int) -> Flags:
        """True with the probability, one for all or one for each."""
        return self._stream.random(size) < probability

    def pick(self, weights: Sequence[float] | Floats, size: int) -> Ints:
        """Positions drawn in proportion to the weights."""
        cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = self._stream.random(size) * cumulative[-1]
        found = np.searchsorted(cumulative, drawn, side="right")
        picked: Ints = np.minimum(found, len(cumulative) - 1).astype(np.int64)
        return picked

    def pick_by(self, weights: Sequence[Sequence[float]], rows: Ints) -> Ints:
        """For each entry of ``rows`` a position drawn by that row of the weights."""
        cumulative = np.cumsum(np.asarray(weights, dtype=np.float64), axis=1)
        cumulative /= cumulative[:, -1:]
        drawn = self._stream.random(len(rows))
        picked: Ints = (drawn[:, None] >= cumulative[rows]).sum(axis=1).astype(np.int64)
        bounded: Ints = np.minimum(picked, cumulative.shape[1] - 1)
        return bounded

    def between(self, low: int | Ints, high: int | Ints, size: int) -> Ints:
        """Whole numbers from low to high, both included."""
        return self._stream.integers(low, high, size=size, endpoint=True, dtype=np.int64)

    def uniform(self, low: float, high: float, size: int) -> Floats:
        """Numbers spread evenly between low and high."""
        return self._stream.uniform(low, high, size)

    def normal(self, size: int) -> Floats:
        """Standard normal numbers."""
        return self._stream.standard_normal(size)

    def gamma(self, shape: float, mean: float, size: int) -> Floats:
        """Gamma-distributed numbers of the given shape and mean."""
        return self._stream.gamma(shape, mean / shape, size)

    def waiting_days(self, mean: float, size: int) -> Ints:
        """Exponential waiting times in whole days."""
        return self._stream.exponential(mean, size).astype(np.int64)

    def counts(self, means: Floats) -> Ints:
        """Poisson counts, one per mean."""
        return self._stream.poisson(means).astype(np.int64)


def with_mean(mean: float | Floats, deviation: float | Floats, normal: Floats) -> Floats:
    """Log-normal amounts with the given arithmetic mean from standard normal numbers.

    Args:
        mean: the mean of the amounts themselves, not of their logarithms.
        deviation: standard deviation of the logarithm.
        normal: standard normal numbers, one per amount.
    """
    spread = np.asarray(deviation, dtype=np.float64)
    return np.asarray(mean * np.exp(spread * normal - spread**2 / 2), dtype=np.float64)


def correlated(base: Floats, correlation: float | Floats, noise: Floats) -> Floats:
    """Standard normal numbers that correlate with ``base``."""
    share = np.asarray(correlation, dtype=np.float64)
    return np.asarray(share * base + np.sqrt(1 - share**2) * noise, dtype=np.float64)


def standardised(numbers: Floats) -> Floats:
    """The numbers with mean 0 and deviation 1; all 0 where they do not differ."""
    if len(numbers) == 0:
        return numbers
    deviation = float(numbers.std()) or 1.0
    return np.asarray((numbers - float(numbers.mean())) / deviation, dtype=np.float64)


def running_number(groups: Ints) -> Ints:
    """Position of each entry within its run of equal values (0, 1, …); groups must be sorted.

    >>> running_number(np.array([4, 4, 7, 9, 9, 9])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    positions = np.arange(len(groups), dtype=np.int64)
    opens = np.ones(len(groups), dtype=np.bool_)
    opens[1:] = groups[1:] != groups[:-1]
    return positions - np.maximum.accumulate(np.where(opens, positions, 0))
