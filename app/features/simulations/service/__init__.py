"""The use cases of simulations."""

from app.features.simulations.repository.movers import Mover, MoverFilter
from app.features.simulations.repository.simulations import JOB_KIND
from app.features.simulations.service.candidates import Chosen, UnsafeError, safe_decider
from app.features.simulations.service.comparing import Side, compare_simulations
from app.features.simulations.service.disclosure import (
    ALL,
    VIEWS,
    Disclosure,
    Key,
    Told,
    answer_key,
    cell_key,
    disclosure,
    tier_key,
)
from app.features.simulations.service.movers import (
    list_all_movers,
    list_movers,
    require_movers,
)
from app.features.simulations.service.ordering import (
    SimulationOrder,
    order_simulation,
    rehearse,
)
from app.features.simulations.service.reading import (
    Simulation,
    SimulationState,
    cancel_simulation,
    get_simulation,
    has_rehearsed,
    list_simulations,
)
from app.features.simulations.service.report import (
    Move,
    Moves,
    Part,
    Report,
    View,
    tiers_of,
    written_report,
)
from app.features.simulations.service.running import read_loads, walk
from app.features.simulations.service.working import do_simulation, remove_old_simulations

__all__ = [
    "ALL",
    "JOB_KIND",
    "VIEWS",
    "Chosen",
    "Disclosure",
    "Key",
    "Move",
    "Mover",
    "MoverFilter",
    "Moves",
    "Part",
    "Report",
    "Side",
    "Simulation",
    "SimulationOrder",
    "SimulationState",
    "Told",
    "UnsafeError",
    "View",
    "answer_key",
    "cancel_simulation",
    "cell_key",
    "compare_simulations",
    "disclosure",
    "do_simulation",
    "get_simulation",
    "has_rehearsed",
    "list_all_movers",
    "list_movers",
    "list_simulations",
    "order_simulation",
    "read_loads",
    "rehearse",
    "remove_old_simulations",
    "require_movers",
    "safe_decider",
    "tier_key",
    "tiers_of",
    "walk",
    "written_report",
]
