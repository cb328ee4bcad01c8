"""Simulations as they are asked for and answered."""

from app.features.simulations.schemas.comparison import ComparisonRead
from app.features.simulations.schemas.movers import (
    MOVER_FIELDS,
    MoverQuery,
    MoverRead,
    MoversRead,
    movers_file,
)
from app.features.simulations.schemas.report import ReportRead
from app.features.simulations.schemas.simulations import (
    SimulationCreate,
    SimulationOrderedRead,
    SimulationRead,
    SimulationsRead,
)

__all__ = [
    "MOVER_FIELDS",
    "ComparisonRead",
    "MoverQuery",
    "MoverRead",
    "MoversRead",
    "ReportRead",
    "SimulationCreate",
    "SimulationOrderedRead",
    "SimulationRead",
    "SimulationsRead",
    "movers_file",
]
