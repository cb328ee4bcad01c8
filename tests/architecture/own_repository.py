"""An import-linter contract type: a repository belongs to the feature it lies in.

import-linter's own ``protected`` type cannot say "the service *of the same feature*", and one
contract per feature would be forgotten with the next feature.
"""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

FEATURES = "app.features."


def _room(module: str) -> tuple[str, str]:
    """Split ``app.features.tiers.service.lookup`` into ``("tiers", "service")``."""
    feature, _, rest = module.removeprefix(FEATURES).partition(".")
    return feature, rest.partition(".")[0]


def _may_open(importer: str, repository: str) -> bool:
    if not importer.startswith(FEATURES):
        return False
    feature, _ = _room(repository)
    return _room(importer) in {(feature, "service"), (feature, "repository")}


class OwnRepositoryContract(Contract):
    """Only ``app.features.X.service`` imports ``app.features.X.repository``."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 - the signature is import-linter's
        """Collect every import of a repository from outside its own feature's service."""
        repositories = {
            module
            for expression in ("app.features.*.repository", "app.features.*.repository.**")
            for module in graph.find_matching_modules(expression)
        }
        strangers = sorted(
            (importer, repository)
            for repository in repositories
            for importer in graph.find_modules_that_directly_import(repository)
            if not _may_open(importer, repository)
        )
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each importer and the repository that is not its own."""
        for importer, repository in check.metadata["strangers"]:
            output.print_error(f"{importer} opens {repository}, which is not its own", bold=False)
