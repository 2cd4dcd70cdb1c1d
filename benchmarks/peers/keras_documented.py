"""Keras' example "Simple MNIST convnet", https://keras.io/examples/vision/mnist_convnet/: two convolutions of 32 and
64, dropout, Adam, batches of 128, 15 epochs, a tenth of the images for validation. Over TensorFlow, as Keras does by
default, unless KERAS_BACKEND says another.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from shared import GOAL, Arguments, load, tell

EPOCHS, BATCH = 15, 128


def scaled(images: np.ndarray) -> np.ndarray:
    return np.expand_dims(images.astype("float32") / 255, -1)


def main() -> None:
    given = Arguments.read()
    keras.utils.set_random_seed(given.seed)
    images, labels = load(given.files, "train")
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    reached: list[float] = []

    def look(_epoch: int, logs: dict[str, float]) -> None:
        if logs["val_accuracy"] >= GOAL:
            reached.append(given.seconds())

    model.fit(
        scaled(images),
        keras.utils.to_categorical(labels, 10),
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_split=0.1,
        verbose=2,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)],
    )
    model.save(given.model.with_suffix(".keras"))
    seconds = given.seconds()
    images, labels = load(given.files, "t10k")
    _, accuracy = model.evaluate(scaled(images), keras.utils.to_categorical(labels, 10), verbose=0)
    tell(seconds, accuracy, reached[0] if reached else None)


if __name__ == "__main__":
    main()
