"""The bare world an arm stands in: a table, a floor, light."""

from __future__ import annotations

import mujoco


def table_world() -> mujoco.MjSpec:
    """A table, a floor and lights, with the contact settings that hold objects without creep.

    Computed torque with an elliptic cone and impratio 10 keeps a held cube within 0.1 mm in 3 s; stiff servo actuators
    with these settings throw it instead.
    """
    world = mujoco.MjSpec()
    world.compiler.degree = False
    option, visual = world.option, world.visual
    option.timestep, option.iterations, option.impratio = 0.002, 50, 10
    option.integrator, option.cone = mujoco.mjtIntegrator.mjINT_IMPLICITFAST, mujoco.mjtCone.mjCONE_ELLIPTIC
    visual.quality.shadowsize = visual.quality.offsamples = 0
    visual.global_.offwidth, visual.global_.offheight = 1280, 960
    world.stat.extent, world.stat.center = 1.0, (0.4, 0, 0.3)
    visual.map.znear, visual.map.zfar = 0.01, 10
    visual.headlight.ambient, visual.headlight.diffuse = (0.45, 0.45, 0.45), (0.35, 0.35, 0.35)
    light = world.worldbody.add_light(pos=(0.5, 0, 2.5), dir=(-0.2, 0.3, -1), diffuse=(0.45, 0.45, 0.45))
    light.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    table, floor = world.worldbody.add_geom(name="table"), world.worldbody.add_geom(name="floor")
    table.type, table.pos, table.size = mujoco.mjtGeom.mjGEOM_BOX, (0.4, 0, -0.02), (0.75, 0.8, 0.02)
    floor.type, floor.pos, floor.size = mujoco.mjtGeom.mjGEOM_PLANE, (0, 0, -0.75), (6, 6, 0.1)
    table.rgba, floor.rgba = (0.62, 0.53, 0.44, 1), (0.42, 0.45, 0.48, 1)
    table.friction = floor.friction = (0.8, 0.005, 0.0001)
    return world
