"""How long a policy update would take with other batch sizes, told from the first full buffer of a session.

An on-policy trainer updates in `num_epoch` passes over its buffer, each of which shuffles it and then takes a gradient
step for every whole minibatch in it (mlagents 1.1.0, on_policy_trainer.py, `_update_policy`). So a few steps of each
size tell what an update would take: there and back through the sizes, because the machine's speed wanders. Before the
first update, which no measurement has in it, and in sessions of a search only: the steps are real ones.
"""

import os
import time

SIZES = "SWEEPER_BATCH_SIZES"
"""Environment variable: the sizes, with commas between them."""
LEAST_STEPS, MOST_STEPS = 2, 8
ENOUGH_SECONDS = 0.1
"""Of gradient steps of one size, on the way there or back."""


def watch(told):
    """Have the first update of every trainer preceded by a look at other sizes; `told(behavior, {size: seconds})`."""
    sizes = sorted({int(size) for size in os.environ.get(SIZES, "").split(",") if size})
    if not sizes:
        return
    try:
        from mlagents.trainers.trainer.on_policy_trainer import OnPolicyTrainer
    except ImportError:  # another learner: nothing can be told
        return
    original = OnPolicyTrainer._update_policy
    seen = set()

    def update_policy(trainer):
        if id(trainer) not in seen:
            seen.add(id(trainer))
            try:
                told(trainer.brain_name, update_seconds(trainer, sizes))
            except Exception:  # private API: then nobody is told
                pass
        return original(trainer)

    OnPolicyTrainer._update_policy = update_policy


def update_seconds(trainer, sizes):
    """Seconds of an update by batch size; {} where minibatches are sequences, or hold images.

    Those of images take much memory where they are large, and the session's peak would be theirs.
    """
    import numpy as np
    from mlagents.trainers.buffer import BufferKey

    buffer, count = trainer.update_buffer, trainer.update_buffer.num_experiences
    policy = trainer.policy
    if policy.sequence_length != 1 or any(len(one.shape) > 2 for one in policy.behavior_spec.observation_specs):
        return {}
    advantages = np.array(buffer[BufferKey.ADVANTAGES].get_batch(), dtype=np.float32)
    buffer[BufferKey.ADVANTAGES].set((advantages - advantages.mean()) / (advantages.std() + 1e-10))
    started = time.perf_counter()
    buffer.shuffle(sequence_length=1)
    shuffling = time.perf_counter() - started
    fitting = [size for size in sizes if size <= count]
    for size in fitting:
        step(trainer, size, 0)  # the first one of a size sets things up
    visits = [(size, step_seconds(trainer, size)) for size in (*fitting, *reversed(fitting))]
    found = {}
    for size in fitting:
        own = [seconds for visited, seconds in visits if visited == size]
        epoch = shuffling + count // size * sum(own) / len(own)
        found[size] = trainer.hyperparameters.num_epoch * epoch
    return found


def step_seconds(trainer, size):
    """Mean seconds of some gradient steps."""
    places = max(1, trainer.update_buffer.num_experiences // size)
    started, count = time.perf_counter(), 0
    while count < LEAST_STEPS or (count < MOST_STEPS and time.perf_counter() - started < ENOUGH_SECONDS):
        step(trainer, size, count % places * size)
        count += 1
    return (time.perf_counter() - started) / count


def step(trainer, size, first):
    """One gradient step on a minibatch, as an update makes it."""
    minibatch = trainer.update_buffer.make_mini_batch(first, first + size)
    trainer.optimizer.update(minibatch, size)
    trainer.optimizer.update_reward_signals(minibatch)
