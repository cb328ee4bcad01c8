"""The Dockerfile lints clean, runs as nobody special and copies only what exists."""

import re
import subprocess
from pathlib import Path

from tests.architecture.tree import ROOT, program


def lint(dockerfile: Path) -> list[str]:
    """Return hadolint's findings."""
    command = [program("hadolint"), "--no-color", str(dockerfile)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    return (outcome.stdout + outcome.stderr).splitlines()


def instructions(text: str) -> list[tuple[str, str]]:
    """Split a Dockerfile into instructions and what they say."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", code)
    return [(line.split()[0], line.partition(" ")[2]) for line in joined.splitlines() if line]


def faults(text: str) -> list[str]:
    """List what the linter does not ask for: pinned bases, an ordinary user, a health check."""
    said = instructions(text)
    bases = [what.split()[0] for verb, what in said if verb == "FROM"]
    found = [f"{base} is not pinned" for base in bases if not re.search(r":\d+\.\d+\.\d+", base)]
    users = [what for verb, what in said if verb == "USER"]
    if not users or users[-1] in {"root", "0"}:
        found.append("runs as root")
    verbs = {verb for verb, _ in said}
    found += [f"no {verb}" for verb in ("EXPOSE", "HEALTHCHECK") if verb not in verbs]
    return found


def copied_from_the_checkout(text: str) -> list[str]:
    """Return the sources of every COPY that is not from another stage."""
    copies = [what.split() for verb, what in instructions(text) if verb == "COPY"]
    return [source for words in copies if "--from" not in words[0] for source in words[:-1]]


def test_the_dockerfile_lints_clean() -> None:
    assert lint(ROOT / "Dockerfile") == []


def test_the_image_is_pinned_unprivileged_and_checked() -> None:
    assert faults((ROOT / "Dockerfile").read_text(encoding="utf-8")) == []


def test_what_the_image_copies_exists_and_is_let_in() -> None:
    sources = copied_from_the_checkout((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "app" in sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if f"!{source.split('/')[0]}" not in let_in] == []


def test_a_careless_dockerfile_is_seen(tmp_path: Path) -> None:
    careless = "FROM python:latest\nRUN cd /srv && apt-get install curl\nUSER root\n"
    (tmp_path / "Dockerfile").write_text(careless, encoding="utf-8")
    assert "DL3007" in " ".join(lint(tmp_path / "Dockerfile"))
    assert faults(careless) == [
        "python:latest is not pinned",
        "runs as root",
        "no EXPOSE",
        "no HEALTHCHECK",
    ]
