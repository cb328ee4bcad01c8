"""The README's "Where do I look?" table points at places that exist."""

import re
from pathlib import Path

from tests.architecture.tree import ROOT, write

HEADING = "## Where do I look?"


def table_rows(readme: str) -> list[str]:
    """Return the rows of the table under the heading, without its head."""
    _, _, rest = readme.partition(f"{HEADING}\n")
    section = rest.partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def dead_pointers(root: Path) -> list[str]:
    """List rows without a path, and paths (wildcards allowed) that lead nowhere."""
    found = []
    for row in table_rows((root / "README.md").read_text(encoding="utf-8")):
        pointers = re.findall(r"`([^`]+)`", row.strip("|").rpartition("|")[2])
        if not pointers:
            found.append(f"no path in: {row}")
        found += [pointer for pointer in pointers if not any(root.glob(pointer.strip("/")))]
    return found


def test_every_path_in_the_table_exists() -> None:
    assert dead_pointers(ROOT) == []


def test_the_table_is_there() -> None:
    rows = table_rows((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(rows) >= 5


def test_a_dead_pointer_and_an_empty_row_are_seen(tmp_path: Path) -> None:
    readme = (
        f"# X\n\n{HEADING}\n\n| To change … | look in |\n|---|---|\n"
        "| cells | `app/domain/cells.py`, `app/*/gone.py` |\n"
        "| `nothing` | somewhere |\n| all | `app/` |\n\n## Next\n\n| `not` | `read` |\n"
    )
    write(tmp_path, {"app/domain/cells.py": ""})
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    assert dead_pointers(tmp_path) == ["app/*/gone.py", "no path in: | `nothing` | somewhere |"]
