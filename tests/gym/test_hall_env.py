"""The hall as a Gymnasium environment: the library's own checker, and the physics behind actions and reward."""

from dataclasses import replace

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium", reason="pip install gymnasium (extra gym)")

import twinloop.gym  # noqa: E402  registers the environment
from twinloop.errors import InputError  # noqa: E402
from twinloop.gym.hall import HallEnv, HallVectorEnv  # noqa: E402
from twinloop.gym.task import ACTIONS, OBSERVATIONS, advance, begin, default_task, setpoints  # noqa: E402


@pytest.fixture(scope="module")
def task():
    return replace(default_task(), steps=4, step_s=60.0, settle_s=120.0)


def days_cost(task, action, hour=4700, steps=3):
    """Return (cost, worst margin, last observation by name) of a quarter of an hour under one action at full load."""
    steady = replace(task, steps=steps, step_s=300.0, settle_s=900.0, load_low=0.999, load_high=1.0)
    now = begin(steady, np.random.default_rng(0), 1, hour)
    cost, margin = 0.0, np.inf
    for _ in range(steps):
        now, outcome = advance(steady, now, np.array([action]))
        cost, margin = cost + float(outcome.cost_usd[0]), min(margin, float(outcome.worst_margin_k[0]))
    return cost, margin, dict(zip(OBSERVATIONS, now.observation[0], strict=True))


def test_gymnasiums_checker_accepts_it(task):
    from gymnasium.utils.env_checker import check_env

    check_env(HallEnv(task), skip_render_check=True)


def test_it_is_made_by_its_name(task):
    one = gymnasium.make(twinloop.gym.ID, task=task)
    many = gymnasium.make_vec(twinloop.gym.ID, num_envs=3, vectorization_mode="vector_entry_point", task=task)
    assert one.reset(seed=1)[0].shape == (len(OBSERVATIONS),)
    assert many.reset(seed=1)[0].shape == (3, len(OBSERVATIONS))
    assert many.action_space.shape == (3, len(ACTIONS))


def test_a_case_among_many_is_the_case_alone(task):
    many = begin(task, np.random.default_rng(7), 3)
    actions = np.random.default_rng(1).uniform(-1.0, 1.0, (3, len(ACTIONS)))
    after, outcome = advance(task, many, actions)
    for case in range(3):
        column = replace(
            many, state=type(many.state)(*[values[..., case : case + 1] for values in many.state]),
            start_s=many.start_s[case : case + 1], load=many.load[:, case : case + 1],
        )  # fmt: skip
        alone, single = advance(task, column, actions[case : case + 1])
        assert single.reward[0] == pytest.approx(outcome.reward[case], rel=1e-9)
        np.testing.assert_allclose(alone.observation[0], after.observation[case], rtol=1e-9, atol=1e-9)


def test_actions_are_setpoints_between_their_bounds(task):
    low, middle, high = (setpoints(task, np.full((1, 5), value))[:, 0] for value in (-1.0, 0.0, 1.0))
    assert low.tolist() == list(task.action_low)
    assert high.tolist() == list(task.action_high)
    np.testing.assert_allclose(middle, (low + high) / 2.0)


def test_reward_is_cost_and_penalty(task):
    now = begin(task, np.random.default_rng(3), 1)
    _, outcome = advance(task, now, np.zeros((1, 5)))
    energy = outcome.facility_j * task.energy_usd_j + outcome.water_m3 * task.water_usd_m3
    assert outcome.cost_usd == pytest.approx(energy)
    assert outcome.reward == pytest.approx(-energy - task.penalty_usd_k_s * outcome.violation_k_s)
    assert outcome.facility_j > outcome.it_j > 0.0


def test_the_intakes_limit_falls_with_the_height_of_the_site(task):
    """A2 in Denver, 1,650 m: 35 °C less one kelvin for every 300 m above 900 m, 32.5 °C."""
    high = replace(task.weather, elevation_m=1650.0)
    below, above = (
        replace(
            task, weather=weather, action_low=(33.5, 20.0, 10.0, 0.0, 0.3), action_high=(33.5, 40.0, 22.0, 0.3, 1.0)
        )
        for weather in (replace(high, elevation_m=0.0), high)
    )
    now = begin(below, np.random.default_rng(5), 1, 12)
    now = replace(now, state=now.state._replace(intake_c=now.state.intake_c * 0.0 + 34.0))
    low_k_s, high_k_s = (float(advance(each, now, np.zeros((1, 5)))[1].violation_k_s[0]) for each in (below, above))
    intake_c = advance(below, now, np.zeros((1, 5)))[0].state.intake_c
    assert 32.5 < float(intake_c[0]) < 35.0
    assert low_k_s == 0.0
    assert high_k_s == pytest.approx(60.0 * (float(intake_c[0]) - 32.5), rel=0.1)


@pytest.mark.slow
def test_more_water_than_the_heat_asks_for_only_costs_pumps(task):
    """Chips are rated at the flow that their heat asks for: units of the twin do not cool better beyond it."""
    slow_cost, slow_margin, _ = days_cost(task, (0.0, 1.0, 0.0, -1.0, -1.0), steps=6)
    fast_cost, fast_margin, _ = days_cost(task, (0.0, 1.0, 0.0, -1.0, 1.0), steps=6)
    assert fast_margin == pytest.approx(slow_margin, abs=0.05)
    assert fast_cost > 1.002 * slow_cost


def test_cold_water_and_cold_air_cost_money_in_summer(task):
    cold, _, seen_cold = days_cost(task, (-1.0, 0.0, -1.0, -1.0, -1.0))
    warm, _, seen_warm = days_cost(task, (1.0, 0.0, 1.0, -1.0, -1.0))
    assert seen_cold["supply air"] < seen_warm["supply air"] - 3.0
    assert cold > 1.01 * warm


@pytest.mark.slow
def test_hot_air_is_penalised(task):
    tight = replace(task, air_class="H1")
    now = begin(replace(tight, load_low=0.99), np.random.default_rng(0), 1, 4700)
    for _ in range(3):
        now, outcome = advance(replace(tight, step_s=600.0), now, np.array([[1.0, 0.0, 1.0, -1.0, -1.0]]))
    assert outcome.violation_k_s[0] > 0.0
    assert outcome.reward[0] < -outcome.cost_usd[0]


def test_a_seed_repeats_the_day(task):
    def day():
        env = HallEnv(task)
        seen, _ = env.reset(seed=11)
        rewards = [env.step(np.full(5, 0.3, dtype=np.float32))[1] for _ in range(3)]
        return seen.tolist(), rewards

    assert day() == day()


def test_the_day_ends_and_starts_anew(task):
    env = HallVectorEnv(2, task)
    env.reset(seed=2)
    still = np.zeros((2, 5), dtype=np.float32)
    ends = [env.step(still)[3].tolist() for _ in range(5)]
    assert ends == [[False] * 2] * 3 + [[True] * 2, [False] * 2]
    seen, reward, *_ = env.step(still)
    assert np.isfinite(seen).all()
    assert (reward < 0.0).all()


def test_a_step_before_reset_is_refused(task):
    with pytest.raises(InputError, match="reset first"):
        HallEnv(task).step(np.zeros(5, dtype=np.float32))
