"""Reads a Dockerfile, so that its steps can be checked and walked without an engine."""

import fnmatch
import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction."""

    stage: int  # 0: the first FROM
    name: str  # upper case
    argument: str  # in one line

    @property
    def words(self) -> list[str]:
        """The argument as the engine takes it apart: exec form, or words."""
        return json.loads(self.argument) if self.argument.startswith("[") else shlex.split(self.argument)


def read_steps(text: str) -> list[Step]:
    """Read all instructions in order; comments are gone, continued lines are one."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    steps: list[Step] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        if line.strip():
            name, _, argument = line.strip().partition(" ")
            stage += name.upper() == "FROM"
            steps.append(Step(stage, name.upper(), argument.strip()))
    return steps


def copy_context(root: Path, sources: list[str], target: Path, ignore: str) -> None:
    """Do a COPY: only what .dockerignore lets through."""
    for source in sources:
        for path in sorted(root.glob(f"{source}/**/*")) if (root / source).is_dir() else [root / source]:
            relative = path.relative_to(root)
            if path.is_file() and not is_ignored(relative.as_posix(), ignore):
                inside = relative.relative_to(source) if (root / source).is_dir() else Path(relative.name)
                (target / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target / inside)


def is_ignored(path: str, ignore: str) -> bool:
    """Tell whether .dockerignore keeps a file out: the last pattern that fits it, or a folder above it, decides."""
    verdict = False
    above = ["/".join(path.split("/")[: depth + 1]) for depth in range(path.count("/") + 1)]
    for line in ignore.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            wanted = pattern.lstrip("!").rstrip("/")
            names = [wanted, wanted.removeprefix("**/")]
            if any(_fits(folder, name) for folder in above for name in names) or (
                wanted.startswith("**/") and any(_fits(part, names[1]) for part in path.split("/"))
            ):
                verdict = not pattern.startswith("!")
    return verdict


def _fits(path: str, pattern: str) -> bool:
    # A star does not cross a slash.
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)
