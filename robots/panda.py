"""The Franka Emika Panda: its published numbers, and its model in a bare table world.

Inertias: franka_ros `franka_description/robots/common/inertial.yaml`, identified by Gaz et al., "Dynamic Identification
of the Franka Emika Panda Robot With Retrieval of Feasible Parameters", RA-L 2019. Joint range, speed and torque:
franka_ros `franka_description/robots/panda/joint_limits.yaml`; acceleration: libfranka `rate_limiting.h`. Frames and
meshes: `franka_panda/panda.urdf` of pybullet_data.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import mujoco
import numpy as np

from . import panda_meshes
from .state import WORKSPACE, Limits
from .table import table_world

Meshes = Literal["visual", "collision"]

SIDES = ("left", "right")
JOINTS = tuple(f"joint{i}" for i in range(1, 8))
TOOL_OFFSET = 0.1034
"""m, from the hand frame to the tool point between the finger tips, along the hand's z axis."""
HOME_Q = np.array([0.0, -0.4259, 0.0, -2.3732, 0.0, 1.9473, np.pi / 4])
"""(7,) rad: the tool at (0.42, 0, 0.38) m, pointing straight down, its x axis forward."""

RATED = Limits(
    q_min=np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973]),
    q_max=np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973]),
    dq_max=np.array([2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61]),
    ddq_max=np.array([15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0]),
    tau_max=np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0]),
    workspace=WORKSPACE,
    jump=0.8,  # more than any joint needs to stop from full speed
)
"""What the arm is built for, as published. The monitor counts what goes beyond it."""
LIMITS = replace(
    RATED, q_min=RATED.q_min + 0.02, q_max=RATED.q_max - 0.02, dq_max=0.9 * RATED.dq_max, ddq_max=0.5 * RATED.ddq_max
)
"""What targets are held to: inside `RATED`, because the joints overshoot a sudden change of speed by a tenth of it."""

FINGER_TRAVEL = 0.04
"""m, of each finger."""
DAMPING = 1.0
"""N m s/rad, of every arm joint in simulation."""
GRIPPER_GAIN = 800.0
"""N/m, of the gripper's position servo, on the mean opening of one finger."""
GRIPPER_SPEED = 0.2
"""m/s of each finger."""

_INERTIA = {  # body: (mass kg, centre of mass m, (xx, yy, zz, xy, xz, yz) kg m^2)
    "link0": (0.629769, (-0.041018, -0.00014, 0.049974), (0.00315, 0.00388, 0.004285, 8.2904e-7, 0.00015, 8.2299e-6)),
    "link1": (4.970684, (0.003875, 0.002081, -0.04762), (0.70337, 0.70661, 0.009117, -0.000139, 0.006772, 0.019169)),
    "link2": (0.646926, (-0.003141, -0.02872, 0.003495), (0.007962, 0.02811, 0.025995, -0.003925, 0.010254, 0.000704)),
    "link3": (
        3.228604,
        (0.027518, 0.039252, -0.066502),
        (0.037242, 0.036155, 0.01083, -0.004761, -0.011396, -0.012805),
    ),
    "link4": (3.587895, (-0.05317, 0.104419, 0.027454), (0.025853, 0.019552, 0.028323, 0.007796, -0.001332, 0.008641)),
    "link5": (
        1.225946,
        (-0.011953, 0.041065, -0.038437),
        (0.035549, 0.029474, 0.008627, -0.002117, -0.004037, 0.000229),
    ),
    "link6": (
        1.666555,
        (0.060149, -0.014117, -0.010517),
        (0.001964, 0.004354, 0.005433, 0.000109, -0.001158, 0.000341),
    ),
    "link7": (
        0.735522,
        (0.010517, -0.004252, 0.061597),
        (0.012516, 0.010027, 0.004815, -0.000428, -0.001196, -0.000741),
    ),
    "hand": (0.73, (-0.01, 0.0, 0.03), (0.001, 0.0025, 0.0017, 0.0, 0.0, 0.0)),
    "finger": (0.015, (0.0, 0.0, 0.0), (2.375e-6, 2.375e-6, 7.5e-7, 0.0, 0.0, 0.0)),
}
_PLACES = {  # joint i: (origin in the previous link m, turn about that link's x axis rad)
    1: ((0.0, 0.0, 0.333), 0.0),
    2: ((0.0, 0.0, 0.0), -np.pi / 2),
    3: ((0.0, -0.316, 0.0), np.pi / 2),
    4: ((0.0825, 0.0, 0.0), np.pi / 2),
    5: ((-0.0825, 0.384, 0.0), -np.pi / 2),
    6: ((0.0, 0.0, 0.0), np.pi / 2),
    7: ((0.088, 0.0, 0.0), np.pi / 2),
}
NEVER_TOUCH = (  # hulls that overlap by construction, or that the joint limits keep apart
    ("link0", "link1"),
    ("link0", "link2"),
    ("link5", "link7"),
    ("link6", "hand"),
    ("link7", "hand"),
    ("link7", "left_finger"),
    ("link7", "right_finger"),
    ("hand", "left_finger"),
    ("hand", "right_finger"),
    ("left_finger", "right_finger"),
)
_GRIP: dict[str, Any] = {  # contact of the fingers; the priority lets it override that of the objects
    "priority": 1,
    "condim": 4,
    "friction": (1, 0.01, 0.0001),
    "solref": (0.005, 1),
    "solimp": (0.95, 0.99, 0.001, 0.5, 2),
}
_SEEN, _UNSEEN = 0, 3  # MuJoCo draws geom groups 0-2
_FIELD, _FIRST, _NETFORCE = (
    mujoco.mjtConDataField,
    0,
    3,
)  # what a contact sensor reports, and how it reduces many to one


def spec(meshes: Meshes = "visual") -> mujoco.MjSpec:
    """Arm and gripper on a table whose top is z = 0: add a scene to it and compile.

    Bodies `link0` ... `link7`, `hand`, `left_finger`, `right_finger` are the robot; world geoms `table` and `floor` are
    not. Collision geoms: `link0` ... `link7`, `link5_wrist`, `hand`, `pad_left`, `pad_right`, `finger_left`,
    `finger_right`. Site `tool`: the tool point, z out of the hand, y the closing axis. Actuators: a torque motor for
    each of `joint1` ... `joint7`, then the position servo `gripper`. Sensors, read by `PandaSim`: `robot_table`,
    `robot_self`, `touch_left`, `touch_right`.

    Args:
        meshes: what cameras see of the robot; "collision" renders several times faster.
    """
    world = table_world()
    robot = _Builder(world, meshes)
    hand = robot.add_arm()
    robot.add_gripper(hand)
    _add_drives(world)
    _add_sensors(world)
    return world


def arm_model(margin: float) -> mujoco.MjModel:
    """The arm alone, seven degrees of freedom, fingers fixed wide open: for kinematics.

    Args:
        margin: m, how near parts must come for MuJoCo to report a contact, which has their distance.
    """
    world = table_world()
    robot = _Builder(world, "collision")
    hand = robot.add_arm()
    for side in SIDES:
        robot.add_finger(hand, side, FINGER_TRAVEL)
    world.delete(world.geom("floor"))
    for geom in world.geoms:
        geom.margin = margin / 2  # MuJoCo adds the margins of both
    return world.compile()


class _Builder:
    """Adds the parts of the robot to `world`, its looks according to `meshes`."""

    def __init__(self, world: mujoco.MjSpec, meshes: Meshes) -> None:
        self.world, self.meshes = world, meshes

    def add_arm(self) -> mujoco.MjsBody:
        """Add `link0` ... `link7` with their joints, and the hand, which is returned."""
        body = self._add_link(self.world.worldbody, "link0")
        for i, (pos, turn) in _PLACES.items():
            body = self._add_link(body, f"link{i}", pos=pos, quat=(np.cos(turn / 2), np.sin(turn / 2), 0, 0))
            span = (RATED.q_min[i - 1], RATED.q_max[i - 1])
            body.add_joint(name=f"joint{i}", axis=(0, 0, 1), range=span, armature=0.1, damping=DAMPING)
        hand = self._add_link(body, "hand", pos=(0, 0, 0.107), quat=(np.cos(np.pi / 8), 0, 0, -np.sin(np.pi / 8)))
        hand.add_site(name="tool", pos=(0, 0, TOOL_OFFSET), size=(0.005, 0.005, 0.005), group=_UNSEEN)
        for one, other in NEVER_TOUCH:
            self.world.add_exclude(bodyname1=one, bodyname2=other)
        return hand

    def add_finger(self, hand: mujoco.MjsBody, side: str, opening: float) -> mujoco.MjsBody:
        """Add a finger, still without a joint, `opening` m from the middle; the left one is on the hand's +y side."""
        pos, quat = ((0, opening, 0.0584), (1, 0, 0, 0)) if side == "left" else ((0, -opening, 0.0584), (0, 0, 0, 1))
        finger = hand.add_body(name=f"{side}_finger", pos=pos, quat=quat, gravcomp=1)
        _set_inertia(finger, "finger")
        self._add_seen(finger, "finger")
        box = {"type": mujoco.mjtGeom.mjGEOM_BOX, "group": _UNSEEN, "mass": 0, **_GRIP}
        finger.add_geom(name=f"pad_{side}", pos=(0, 0.007, 0.045), size=(0.0085, 0.007, 0.009), **box)
        finger.add_geom(name=f"finger_{side}", pos=(0, 0.0195, 0.018), size=(0.0095, 0.006, 0.018), **box)
        return finger

    def add_gripper(self, hand: mujoco.MjsBody) -> None:
        """Add two fingers that move as one: a fixed tendon for the drive, an equality for the symmetry."""
        tendon = self.world.add_tendon(name="fingers")
        slide = {
            "type": mujoco.mjtJoint.mjJNT_SLIDE,
            "axis": (0, 1, 0),
            "range": (0, FINGER_TRAVEL),
            "armature": 0.1,
            "damping": 5,
        }
        for side in SIDES:
            finger = self.add_finger(hand, side, 0.0)
            finger.add_joint(name=f"{side}_finger", **slide)
            tendon.wrap_joint(f"{side}_finger", 0.5)
        equal = self.world.add_equality(name="fingers", type=mujoco.mjtEq.mjEQ_JOINT)
        equal.objtype, equal.name1, equal.name2 = mujoco.mjtObj.mjOBJ_JOINT, "left_finger", "right_finger"
        equal.data = [0, 1, *[0] * 10]  # coefficients of a polynomial: left = 0 + 1 right
        equal.solref, equal.solimp = _GRIP["solref"], _GRIP["solimp"]

    def _add_link(self, parent: mujoco.MjsBody, name: str, **place: object) -> mujoco.MjsBody:
        """A link: what is seen of it, and under the link's own name the hull that collides."""
        body = parent.add_body(name=name, gravcomp=1, **place)
        _set_inertia(body, name)
        self._add_seen(body, name)
        for geom, points in panda_meshes.hulls(name).items():
            self.world.add_mesh(name=f"{geom}_hull", uservert=points.ravel())
            hull = {"type": mujoco.mjtGeom.mjGEOM_MESH, "meshname": f"{geom}_hull"}
            body.add_geom(name=geom, group=_UNSEEN, mass=0, **hull)
        return body

    def _add_seen(self, body: mujoco.MjsBody, part: str) -> None:
        seen = panda_meshes.visual(part) if self.meshes == "visual" else (panda_meshes.collision(part),)
        for k, mesh in enumerate(seen):
            looks = {
                "type": mujoco.mjtGeom.mjGEOM_MESH,
                "meshname": self._mesh(f"{part}_seen{k}", mesh),
                "rgba": mesh.rgba,
            }
            body.add_geom(group=_SEEN, contype=0, conaffinity=0, mass=0, **looks)

    def _mesh(self, name: str, mesh: panda_meshes.Mesh) -> str:
        """The name of a mesh that is added unless it is there already: both fingers share theirs."""
        if self.world.mesh(name) is None:
            added = self.world.add_mesh(name=name, uservert=mesh.vertices.ravel(), userface=mesh.faces.ravel())
            added.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
        return name


def _set_inertia(body: mujoco.MjsBody, name: str) -> None:
    body.explicitinertial = True
    body.mass, body.ipos, body.fullinertia = _INERTIA[name]


def _add_drives(world: mujoco.MjSpec) -> None:
    for name in JOINTS:
        world.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT).set_to_motor()
    gripper = world.add_actuator(name="gripper", target="fingers", trntype=mujoco.mjtTrn.mjTRN_TENDON)
    gripper.set_to_position(kp=GRIPPER_GAIN, kv=40)
    gripper.forcelimited, gripper.forcerange = True, (-20, 20)


def _add_sensors(world: mujoco.MjSpec) -> None:
    """Contacts of the whole robot (how many), and the force on each pad (sum over its contacts, world axes)."""
    found, force = 1 << int(_FIELD.mjCONDATA_FOUND), 1 << int(_FIELD.mjCONDATA_FORCE)
    tree, geom = mujoco.mjtObj.mjOBJ_XBODY, mujoco.mjtObj.mjOBJ_GEOM
    for name, reftype, refname in (("robot_table", geom, "table"), ("robot_self", tree, "link0")):
        sensor = world.add_sensor(name=name, type=mujoco.mjtSensor.mjSENS_CONTACT, objtype=tree, objname="link0")
        sensor.reftype, sensor.refname, sensor.intprm = reftype, refname, (found, _FIRST, 1)
    for side in SIDES:
        sensor = world.add_sensor(name=f"touch_{side}", type=mujoco.mjtSensor.mjSENS_CONTACT, objtype=geom)
        sensor.objname, sensor.intprm = f"pad_{side}", (force, _NETFORCE, 1)
