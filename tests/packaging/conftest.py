"""What the checks of the house look at: the repository and every source file of the five packages."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("robots", "envs", "planners", "agents", "cli")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Path]:
    """Every module of the five packages, relative to the repository."""
    found = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(found) > 10
    return sorted(found)
