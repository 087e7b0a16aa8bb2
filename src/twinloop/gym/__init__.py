"""A Gymnasium environment over the twin: ``import twinloop.gym`` registers ``twinloop/Hall-v0``. Extra ``gym``."""

from __future__ import annotations

from twinloop.errors import MissingExtraError

try:
    import gymnasium
except ModuleNotFoundError as missing:
    raise MissingExtraError("gymnasium", "gym", "the hall environment") from missing

ID = "twinloop/Hall-v0"

if ID not in gymnasium.registry:
    gymnasium.register(
        ID, entry_point="twinloop.gym.hall:HallEnv", vector_entry_point="twinloop.gym.hall:HallVectorEnv"
    )
