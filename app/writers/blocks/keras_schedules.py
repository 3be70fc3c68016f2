"""Learning-rate schedules as callbacks: `build_optimizer` does not know how many batches an epoch has."""

import keras


def by_epoch(schedule: keras.optimizers.schedules.LearningRateSchedule) -> keras.callbacks.Callback:
    """A callback that sets the learning rate once an epoch: a step of the schedule is an epoch."""
    return keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(schedule(epoch)))
