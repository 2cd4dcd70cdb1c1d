"""The network and recipe of `limpide train mnist` in Keras, which draws first weights in its own way."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops
from shared import (
    BATCH,
    RATE,
    SMOOTHING,
    STEPS,
    WARM_UP,
    WEIGHT_DECAY,
    WIDTHS,
    Arguments,
    learned_and_validated,
    load,
    normalized,
    tell,
)


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    def __call__(self, step: Any) -> Any:
        step, peak = ops.cast(step, "float32"), WARM_UP * STEPS
        return RATE * ops.minimum((step + 1) / peak, (STEPS - step) / (STEPS - peak + 1))

    def get_config(self) -> dict[str, Any]:
        return {}


def network() -> keras.Model:
    model = keras.Sequential([keras.Input(shape=(28, 28, 1))])
    for width in WIDTHS:
        model.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        model.add(layers.MaxPooling2D(2, padding="same"))
        model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        model.add(layers.ReLU())
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    model.add(layers.Activation("linear", dtype="float32"))
    return model


def main() -> None:
    given = Arguments.read()
    keras.utils.set_random_seed(given.seed)
    keras.config.set_dtype_policy("mixed_bfloat16")
    images, labels = load(given.files, "train")
    learned, validated = learned_and_validated(given.seed)
    model = network()
    optimizer = keras.optimizers.AdamW(OneCycle(), weight_decay=WEIGHT_DECAY, epsilon=1e-8)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING)
    model.compile(loss=loss, optimizer=optimizer, metrics=["accuracy"])
    inputs, targets = normalized(images)[..., None], keras.utils.to_categorical(labels, 10)
    model.fit(
        inputs[learned],
        targets[learned],
        batch_size=BATCH,
        epochs=1,
        validation_data=(inputs[validated], targets[validated]),
        verbose=2,
    )
    model.save(given.model.with_suffix(".keras"))
    seconds = given.seconds()
    images, labels = load(given.files, "t10k")
    _, accuracy = model.evaluate(normalized(images)[..., None], keras.utils.to_categorical(labels, 10), verbose=0)
    tell(seconds, accuracy)


if __name__ == "__main__":
    main()
