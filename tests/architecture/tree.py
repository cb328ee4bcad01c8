"""The source tree as the guards see it: files, syntax trees, programs beside the interpreter.

Every guard takes the root as an argument, so that a test can hand it a tree with a fault in it.
"""

import ast
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_files(root: Path, *folders: str) -> list[Path]:
    """Return the Python files below the named folders of ``root``, sorted."""
    return sorted(path for folder in folders for path in (root / folder).rglob("*.py"))


def place(root: Path, path: Path) -> str:
    """Return the path as a person would write it: relative, with forward slashes."""
    return path.relative_to(root).as_posix()


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def syntax_trees(root: Path, *folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield place and syntax tree of every Python file below the named folders."""
    for path in python_files(root, *folders):
        yield place(root, path), parse_once(path, path.read_bytes())


@cache
def parse_once(path: Path, _content: bytes) -> ast.Module:
    """Return the syntax tree of a file, for all who only read it as long as it has that content."""
    return parse(path)


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below ``root``, make the packages they lie in, and return ``root``."""
    for name, text in files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        for parent in list(target.relative_to(root).parents)[:-1]:
            (root / parent / "__init__.py").touch()
    return root


def program(name: str) -> str:
    """Return the path of a program installed beside the running interpreter, or on the path.

    Raises:
        FileNotFoundError: if neither place has it.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        message = f"{name} is not installed; `make test` installs it"
        raise FileNotFoundError(message)
    return found
