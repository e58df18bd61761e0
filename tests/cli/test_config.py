"""Settings from the command line: their types, where they come from, and what is said of wrong ones."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from valuefield.cli.config import configured, pairs, table
from valuefield.robots.errors import BadInput, UnknownName


@dataclass(frozen=True)
class Settings:
    lr: float = 1e-3
    layers: tuple[int, ...] = (64,)
    span: tuple[float, float] | None = None
    legacy: bool = False
    loss: str = "mse"


def test_texts_become_what_the_fields_are():
    given = pairs(["lr=1e-4", "layers=32,16", "span=-1,1", "legacy=true", "loss=huber"])
    assert configured(Settings, given) == Settings(1e-4, (32, 16), (-1.0, 1.0), True, "huber")
    assert configured(Settings, pairs(["span=none", "legacy=False"])) == Settings()
    assert configured(Settings, {}) == Settings()


def test_a_file_says_it_in_toml_and_pairs_have_the_last_word(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text("lr = 0.5\nlayers = [8, 8]\nlegacy = true\n")
    given = table(file) | pairs(["lr=0.25"])
    assert configured(Settings, given) == Settings(0.25, (8, 8), None, True)
    assert table(None) == {}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["lr=fast"], "'fast'"),
        (["layers=1.5"], "1.5"),
        (["legacy=maybe"], "Maybe|maybe"),
        (["span=1"], "--span"),
    ],
)
def test_values_of_another_type(given: list[str], named: str):
    with pytest.raises(BadInput, match=named):
        configured(Settings, pairs(given))


def test_keys_and_texts_that_are_none(tmp_path: Path):
    with pytest.raises(UnknownName, match="key of --rule 'layrs'; nearest: 'layers'"):
        configured(Settings, pairs(["layrs=3"]), flag="--rule")
    for text in ("lr", "lr="):
        with pytest.raises(BadInput, match=f"KEY=VALUE, not '{text}'"):
            pairs([text])
    file = tmp_path / "settings.toml"
    file.write_text("[table]\nlr = 1\n")
    with pytest.raises(UnknownName, match="'table'"):
        configured(Settings, table(file))
    file.write_text("lr = \n")
    with pytest.raises(BadInput, match=r"settings\.toml"):
        table(file)
