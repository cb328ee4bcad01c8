"""The house rules that no linter knows, each a function from a tree to what breaks it there."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.architecture.tree import syntax_trees

BANNED_WORDS = frozenset(
    {"util", "utils", "helper", "helpers", "manager", "managers", "common", "process", "handle"}
)
# An account manager is a person in this business.
DOMAIN_WORDS = re.compile(r"account_?managers?", re.IGNORECASE)
WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

SQL = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b"
    r"|\bCOPY\s+\S+.*\b(?:FROM|TO)\b|\b(?:CREATE|ALTER|DROP|LOCK)\s+(?:TABLE|INDEX|VIEW)\b",
    re.DOTALL,
)
CLOCK_READERS = frozenset(
    {
        "date.today",
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "time.time",
        "time.time_ns",
    }
)
ASSERTING_CALLS = frozenset({"pytest.raises", "pytest.warns", "pytest.fail"})

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

Rule = Callable[[Path], list[str]]


def _dotted(node: ast.expr) -> str:
    """Write a call's target as in the source; what is no plain name becomes empty."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _words(name: str) -> set[str]:
    """Split snake_case and CamelCase, leaving out the words that mean a person here."""
    return {word.lower() for word in WORD.findall(DOMAIN_WORDS.sub("", name))}


def _line(module: str, node: ast.stmt | ast.expr | ast.arg) -> str:
    return f"{module}:{node.lineno}"


def commits_in_features(root: Path) -> list[str]:
    """One session dependency commits; a feature never does."""
    return [
        f"{_line(module, node)} commits"
        for module, tree in syntax_trees(root, "app/features", "app/domain")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    ]


def _text(node: ast.AST) -> str:
    """Return the constant text of a string or f-string, else nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return " ".join(_text(part) or "x" for part in node.values)
    return ""


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes that are docstrings, which may speak of SQL."""
    return {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, *DEFINITIONS))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def _may_hold_sql(module: str) -> bool:
    if module.startswith(("app/infra/", "app/db/")):
        return True
    return "repository" in module.removesuffix(".py").split("/")[3:]


def sql_outside_repositories(root: Path) -> list[str]:
    """SQL lives in repositories, in infra's own tables and in app/db."""
    found = set()
    for module, tree in syntax_trees(root, "app"):
        if _may_hold_sql(module):
            continue
        docstrings = _docstrings(tree)
        found |= {
            f"{_line(module, node)} holds SQL"
            for node in ast.walk(tree)
            if isinstance(node, (ast.Constant, ast.JoinedStr))
            and node not in docstrings
            and SQL.search(_text(node))
        }
    return sorted(found)


def banned_names(root: Path) -> list[str]:
    """A name says what a thing is; these words say nothing."""
    found = []
    for module, tree in syntax_trees(root, "app", "tests"):
        found += [
            f"{module} is called {part}"
            for part in module.removesuffix(".py").split("/")
            if _words(part) & BANNED_WORDS
        ]
        found += [
            f"{_line(module, node)} is called {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, DEFINITIONS)
            and not node.name.startswith("test_")
            and _words(node.name) & BANNED_WORDS
        ]
    return found


def relative_imports(root: Path) -> list[str]:
    """An import says where the thing lives."""
    return [
        f"{_line(module, node)} imports relatively"
        for module, tree in syntax_trees(root, "app", "tests", "migrations", "benchmarks")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]


def _public(
    body: list[ast.stmt],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield the public definitions of a module, and of its public classes."""
    for node in body:
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def _is_explained_elsewhere(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether another definition carries the docstring: an overload, a setter, an override."""
    marks = {_dotted(mark).rpartition(".")[2] for mark in node.decorator_list}
    return bool(marks & {"overload", "setter", "override"})


def missing_docstrings(root: Path) -> list[str]:
    """Every module and every public function, class and method says what it is for."""
    found = []
    for module, tree in syntax_trees(root, "app"):
        if ast.get_docstring(tree) is None:
            found.append(f"{module} has no docstring")
        found += [
            f"{_line(module, node)} {node.name} has no docstring"
            for node in _public(tree.body)
            if ast.get_docstring(node) is None and not _is_explained_elsewhere(node)
        ]
    return found


def clock_reads(root: Path) -> list[str]:
    """`now` is an argument; only app/infra/clock.py reads the clock."""
    return [
        f"{_line(module, node)} reads the clock"
        for module, tree in syntax_trees(root, "app")
        if module != "app/infra/clock.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ".".join(_dotted(node).split(".")[-2:]) in CLOCK_READERS
    ]


def any_in_the_domain(root: Path) -> list[str]:
    """The domain names its types."""
    return [
        f"{_line(module, node)} uses Any"
        for module, tree in syntax_trees(root, "app/domain")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and _dotted(node) == "typing.Any")
    ]


def _imported(node: ast.AST) -> list[str]:
    """Return the modules an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def impure_domain_imports(root: Path) -> list[str]:
    """The domain stands on itself and the standard library, on arrays where its name says so."""
    arrays = {"frame.py": {"polars"}, "kernel.py": {"numpy", "scipy"}}
    found = []
    for module, tree in syntax_trees(root, "app/domain"):
        allowed = sys.stdlib_module_names | arrays.get(module.rpartition("/")[2], set())
        found += [
            f"{module} imports {name}"
            for node in ast.walk(tree)
            for name in _imported(node)
            if name.split(".")[0] not in allowed and not f"{name}.".startswith("app.domain.")
        ]
    return found


def floats_in_the_domain(root: Path) -> list[str]:
    """Money is integer minor units or Decimal, points are integers: no model holds a float."""
    return [
        f"{_line(module, field)} holds a float"
        for module, tree in syntax_trees(root, "app/domain")
        for model in ast.walk(tree)
        if isinstance(model, ast.ClassDef)
        for field in model.body
        if isinstance(field, ast.AnnAssign)
        and any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(field))
    ]


def _asserts(function: ast.AST, asserting: set[str]) -> bool:
    """Whether a function asserts, expects an exception, or calls one that does."""
    return any(
        isinstance(node, ast.Assert)
        or (
            isinstance(node, ast.Call)
            and (
                _dotted(node.func) in ASSERTING_CALLS | asserting
                or _dotted(node.func).rpartition(".")[2].startswith("assert_")
            )
        )
        for node in ast.walk(function)
    )


def tests_without_assertion(root: Path) -> list[str]:
    """A test that asserts nothing passes whatever happens."""
    found = []
    for module, tree in syntax_trees(root, "tests"):
        functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
        asserting = {node.name for node in functions if _asserts(node, set())}
        found += [
            f"{_line(module, node)} {node.name} asserts nothing"
            for node in functions
            if node.name.startswith("test_") and not _asserts(node, asserting)
        ]
    return found
