"""The Scene on the environments it was made for, against what the simulator knows."""

import numpy as np
import pytest

from valuefield.envs.perception.detector import OracleDetector
from valuefield.envs.perception.scene import Scene
from valuefield.envs.tabletop import make

FIVE = ("front", "left_shoulder", "right_shoulder", "overhead", "wrist")


def blocks(world):
    return {name: (world.position(body), (0.02, 0.02, 0.02)) for body, name in world.names.items()}


def handles(world):
    drawers = ("top drawer", "middle drawer", "bottom drawer")
    return {f"{drawer} handle": (world.data.geom(f"{drawer}:handle").xpos, (0.05, 0.006, 0.006)) for drawer in drawers}


@pytest.mark.slow
@pytest.mark.parametrize(("task", "truth"), [("pick_and_lift", blocks), ("open_drawer", handles)])
def test_boxes_are_good_to_two_millimetres(task, truth):
    env = make(f"tabletop/{task}", meshes="collision")
    for seed in range(4):
        _, info = env.reset(seed=seed)
        scene = Scene(env.look(FIVE), OracleDetector(info["objects"]), kinematics=env.robot.kinematics)
        for name, (center, half) in truth(env.world).items():
            np.testing.assert_allclose(scene.find(name).center, center, atol=0.002, err_msg=f"{name}, seed {seed}")
            np.testing.assert_allclose(
                scene.find(name).box.half_sizes, half, atol=0.002, err_msg=f"{name}, seed {seed}"
            )
    env.close()


@pytest.mark.slow
def test_the_arm_is_found_by_its_spheres_as_by_its_masks():
    env = make("tabletop/reach_target", meshes="collision")
    _, info = env.reset(seed=0)
    obs, kinematics = env.look(FIVE), env.robot.kinematics
    armless = {number: key for number, key in info["objects"].items() if key[0] != "robot"}
    arm = {number for number, key in info["objects"].items() if key[0] == "robot"}
    scene = Scene(obs, OracleDetector(armless), kinematics=kinematics)
    masked = Scene(obs, OracleDetector(info["objects"]), kinematics=kinematics)
    assert arm and len(scene.cloud) == pytest.approx(len(masked.cloud), rel=0.02)
    env.close()
