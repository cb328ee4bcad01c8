"""The locks name every direct dependency, by version and hash, and no address."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

# Which lists of pyproject.toml each lock must answer for; "" is the runtime list.
ANSWERS_FOR = {
    "production": ("",),
    "run": ("", "embedded"),
    "dev": ("", "embedded", "dev"),
}


def entries(text: str) -> list[str]:
    """Return the lock's entries, each with its continuation lines joined."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def faults(text: str) -> list[str]:
    """List addresses, entries without a pinned version and entries without a hash."""
    found = [f"address: {line.strip()}" for line in text.splitlines() if "://" in line]
    for entry in entries(text):
        requirement = Requirement(entry.partition(" --hash")[0])
        if not re.fullmatch(r"==[^*,]+", str(requirement.specifier)):
            found.append(f"no version: {requirement.name}")
        if not HASH.search(entry):
            found.append(f"no hash: {requirement.name}")
    return found


def versions(text: str) -> dict[str, str]:
    """Return the locked version of each distribution."""
    pins = (Requirement(entry.partition(" --hash")[0]) for entry in entries(text))
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def missing(declared: list[str], text: str) -> list[str]:
    """List declared requirements that the lock does not hold in a version they accept."""
    locked = versions(text)
    found = []
    for requirement in map(Requirement, declared):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            found.append(str(requirement))
    return found


def lock(name: str, root: Path = ROOT) -> str:
    return (root / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def declared(*extras: str) -> list[str]:
    """Return what pyproject.toml asks for in the named extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return [requirement for extra in extras for requirement in lists[extra]]


def test_no_lock_names_an_address_or_leaves_a_version_or_hash_open() -> None:
    names = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))
    assert names == ["build", "dev", "production", "run"]
    assert [fault for name in names for fault in faults(lock(name))] == []


def test_every_direct_dependency_is_locked() -> None:
    unlocked = {
        name: missing(declared(*extras), lock(name)) for name, extras in ANSWERS_FOR.items()
    }
    assert unlocked == {"production": [], "run": [], "dev": []}


def test_the_build_back_end_is_locked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert missing(settings["build-system"]["requires"], lock("build")) == []


def test_no_two_locks_disagree() -> None:
    everything = versions(lock("dev")) | versions(lock("build"))
    for name in ("build", "production", "run"):
        assert versions(lock(name)).items() <= everything.items()
    assert versions(lock("production")).items() <= versions(lock("run")).items()


def test_faults_in_a_lock_are_seen() -> None:
    good = f"alembic==1.20.1 \\\n    --hash=sha256:{'0' * 64}\n"
    assert faults(good) == []
    assert faults("alembic==1.20.1\n") == ["no hash: alembic"]
    assert faults(good.replace("==", ">=")) == ["no version: alembic"]
    elsewhere = f"alembic==1.20.1 --hash=sha256:{'0' * 64} # from https://example.org\n"
    assert faults(elsewhere) == [f"address: {elsewhere.strip()}"]
    assert missing(["alembic>=2", "alembic>=1", "rich"], good) == ["alembic>=2", "rich"]
