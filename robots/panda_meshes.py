"""The Panda's meshes, read from the files that `pybullet_data` installs, as arrays that MuJoCo takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float, float]

WHITE: Colour = (0.93, 0.94, 0.95, 1.0)
DARK: Colour = (0.22, 0.23, 0.25, 1.0)
VISUAL_CELL = 0.005
"""m: vertices of the visual meshes closer than this are merged; half of the faces go and rendering is twice as fast."""


@dataclass(frozen=True)
class Mesh:
    """Triangles of one colour. vertices: (V, 3) float32, m, link frame. faces: (F, 3) int32. rgba: 0-1."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    rgba: Colour


@cache
def visual(part: str) -> tuple[Mesh, ...]:
    """What is seen of `part` ("link0" ... "link7", "hand", "finger"), one mesh a colour.

    MuJoCo's own OBJ reader keeps one object of a file that holds several, without a word; these files hold up to 17.
    """
    folder = files("pybullet_data") / "franka_panda" / "meshes"
    path = folder / "visual" / f"{part}.obj"
    if not path.is_file():  # link0 and link7 come with a collision mesh only
        return (collision(part, rgba=DARK if part == "link7" else WHITE),)
    vertices, faces, materials = _read_obj(path.read_text())
    dark = _dark_materials((folder / "visual" / f"{part}.mtl").read_text())
    is_dark = np.array([name in dark for name in materials])
    halves = ((faces[~is_dark], WHITE), (faces[is_dark], DARK))
    return tuple(_merge_close(vertices, some, rgba) for some, rgba in halves if len(some))


@cache
def collision(part: str, rgba: Colour = WHITE) -> Mesh:
    """The coarse mesh of `part`."""
    path = files("pybullet_data") / "franka_panda" / "meshes" / "collision" / f"{part}.obj"
    vertices, faces, _ = _read_obj(path.read_text())
    return Mesh(vertices, faces, rgba)


def hulls(part: str) -> dict[str, NDArray[np.float32]]:
    """Points (V, 3), m, link frame, whose convex hulls collide for `part`, by geom name.

    The forearm, link5, is bent: one hull would fill the bend and forbid a quarter of all joint angles, so it is cut in
    two.
    """
    if part != "link5":
        return {part: collision(part).vertices}
    points = np.concatenate([mesh.vertices for mesh in visual(part)])
    height, overlap = points[:, 2], VISUAL_CELL
    bend = -0.1
    return {"link5": points[height < bend + overlap], "link5_wrist": points[height > bend - overlap]}


def _read_obj(text: str) -> tuple[NDArray[np.float32], NDArray[np.int32], list[str]]:
    """Vertices, triangles and the material of each triangle of an OBJ file, whatever objects it is divided into."""
    vertices, faces, materials, material = [], [], [], ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append(rest.split())
        elif word == "f":
            faces.append([corner.partition("/")[0] for corner in rest.split()])
            materials.append(material)
        elif word == "usemtl":
            material = rest.strip()
    return np.array(vertices, np.float32), np.array(faces, np.int32) - 1, materials


def _dark_materials(text: str) -> set[str]:
    """Names of the materials in an MTL file whose diffuse colour is nearer to black than to white."""
    dark, name = set(), ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["newmtl"]:
            name = words[1]
        elif words[:1] == ["Kd"] and np.mean(np.array(words[1:4], np.float64)) < 0.5:
            dark.add(name)
    return dark


def _merge_close(vertices: NDArray[np.float32], faces: NDArray[np.int32], rgba: Colour) -> Mesh:
    """Vertices of one cell become one; triangles that collapse and vertices that no triangle uses are dropped."""
    _, first, merged = np.unique(
        np.round(vertices / VISUAL_CELL).astype(np.int32), axis=0, return_index=True, return_inverse=True
    )
    corners = merged.reshape(-1)[faces]
    a, b, c = np.sort(corners, axis=1).T
    used, renumbered = np.unique(corners[(a < b) & (b < c)], return_inverse=True)
    return Mesh(vertices[first][used], renumbered.reshape(-1, 3).astype(np.int32), rgba)
