"""The hall as Gymnasium environments: one, and many in one step. Shells around :mod:`twinloop.gym.task`.

Both classes inherit because Gymnasium's wrappers ask for its base classes; nothing else is inherited.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.gym.task import (
    ACTIONS,
    HIGHEST,
    LOWEST,
    HallTask,
    Outcome,
    Situation,
    advance,
    begin,
    default_task,
    merged,
)

Observation = NDArray[np.float32]


def _spaces() -> tuple[Any, Any]:
    seen = gymnasium.spaces.Box(LOWEST.astype(np.float32), HIGHEST.astype(np.float32), dtype=np.float32)
    return seen, gymnasium.spaces.Box(-1.0, 1.0, (len(ACTIONS),), dtype=np.float32)


class HallEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """One hall for a day: setpoints every five minutes, reward minus cost and penalty in USD.

    Terminates when every chip has switched itself off; truncates at the end of the day.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  Gymnasium reads it from the class

    def __init__(self, task: HallTask | None = None, place: str = "Chicago") -> None:
        self.task = task or default_task(place)
        self.observation_space, self.action_space = _spaces()
        self._now: Situation | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start a day at ``options["hour"]`` of the year, else at a random hour."""
        super().reset(seed=seed)
        self._now = begin(self.task, self.np_random, 1, (options or {}).get("hour"))
        return _row(self._now), {}

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Run the hall to the next decision.

        Raises:
            InputError: before the first ``reset``.
        """
        if self._now is None:
            raise InputError("hall environment: got a step, expected reset first")
        self._now, outcome = advance(self.task, self._now, np.asarray(action, dtype=float)[None, :])
        over = self._now.step >= self.task.steps
        info = {name: float(value[0]) for name, value in _figures(outcome).items()}
        return _row(self._now), float(outcome.reward[0]), bool(outcome.dead[0]), over, info


class HallVectorEnv(VectorEnv[Observation, NDArray[np.float32], NDArray[Any]]):
    """Many halls in one step: the cases share every array, so a step of 16 costs little more than one.

    A case that is over starts anew at the next step (Gymnasium's next-step autoreset); the day's end is common.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012  read from the class

    def __init__(self, num_envs: int = 1, task: HallTask | None = None, place: str = "Chicago") -> None:
        self.num_envs = num_envs
        self.task = task or default_task(place)
        self.single_observation_space, self.single_action_space = _spaces()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._now: Situation | None = None
        self._over = np.zeros(num_envs, dtype=bool)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start every case at ``options["hour"]``, else each at a random hour; of a list of seeds the first counts."""
        first = seed[0] if isinstance(seed, list) else seed
        super().reset(seed=first)
        self._now = begin(self.task, self.np_random, self.num_envs, (options or {}).get("hour"))
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self._now.observation.astype(np.float32), {}

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Run every hall to the next decision; cases that were over start anew and take no action.

        Raises:
            InputError: before the first ``reset``.
        """
        if self._now is None:
            raise InputError("hall environment: got a step, expected reset first")
        quiet = np.zeros(self.num_envs, dtype=bool)
        if self._over.all():
            self._now = begin(self.task, self.np_random, self.num_envs)
            self._over = quiet
            return self._now.observation.astype(np.float32), np.zeros(self.num_envs), quiet, quiet, {}
        restarted = self._over
        self._now, outcome = advance(self.task, self._now, np.asarray(actions, dtype=float))
        if restarted.any():
            self._now = merged(self.task, self._now, begin(self.task, self.np_random, self.num_envs), restarted)
        dead = (outcome.dead > 0.0) & ~restarted
        late = np.full(self.num_envs, self._now.step >= self.task.steps)
        self._over = dead | late
        reward = np.where(restarted, 0.0, outcome.reward)
        return self._now.observation.astype(np.float32), reward, dead, late, dict(_figures(outcome))


def _row(now: Situation) -> Observation:
    return np.asarray(now.observation[0], dtype=np.float32)


def _figures(outcome: Outcome) -> dict[str, NDArray[np.float64]]:
    return {
        "facility_kwh": outcome.facility_j / 3.6e6, "it_kwh": outcome.it_j / 3.6e6, "water_m3": outcome.water_m3,
        "cost_usd": outcome.cost_usd, "violation_k_s": outcome.violation_k_s, "worst_margin_k": outcome.worst_margin_k,
    }  # fmt: skip
