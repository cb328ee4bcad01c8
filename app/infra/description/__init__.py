"""What the interface description says beyond what the framework reads off the routes."""

from app.infra.description.document import complete
from app.infra.description.problems import problem_responses, read_responses
from app.infra.description.shared import share

__all__ = ["complete", "problem_responses", "read_responses", "share"]
