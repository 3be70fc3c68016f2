from torch import nn


class WeightAverage:
    """A moving average of a model's weights: `update` after each step, `copy_to` before the model is evaluated."""

    def __init__(self, model: nn.Module, decay: float = 0.99) -> None:
        self.decay, self.updates = decay, 0
        self.averaged = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def update(self, model: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))  # the first weights are soon forgotten
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value.detach(), 1 - decay)

    def copy_to(self, model: nn.Module) -> None:
        model.load_state_dict(self.averaged)
