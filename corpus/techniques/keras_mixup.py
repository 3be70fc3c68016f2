import keras


class MixupModel(keras.Model):
    """`MixupModel(model.input, model.output)`: the same layers, which learn from mixtures of examples."""

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return super().call(inputs, training=False)
        if keras.backend.standardize_dtype(inputs.dtype) in ("int32", "int64"):
            raise TypeError("mixup takes shares of numbers, and token ids have none: leave it out for text")
        self.share = float(keras.random.beta((), 0.2, 0.2))
        self.order = keras.random.shuffle(keras.ops.arange(len(inputs)))
        mixed = self.share * inputs + (1 - self.share) * keras.ops.take(inputs, self.order, axis=0)
        return super().call(mixed, training=True)

    def compute_loss(
        self,
        x: keras.KerasTensor | None = None,
        y: keras.KerasTensor | None = None,
        y_pred: keras.KerasTensor | None = None,
        sample_weight: keras.KerasTensor | None = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """In training, the loss with either target, each with its share."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        if sample_weight is not None:
            sample_weight = keras.ops.take(sample_weight, self.order, axis=0)
        other = super().compute_loss(x, keras.ops.take(y, self.order, axis=0), y_pred, sample_weight, training)
        return self.share * loss + (1 - self.share) * other
