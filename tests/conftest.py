"""Settings that must stand before anything of ours is imported."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")  # rendering must not need a display
os.environ.setdefault("OMP_NUM_THREADS", "1")  # results must not depend on how many cores there are
