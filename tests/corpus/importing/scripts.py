"""Training scripts as people write them: none keeps the project contract."""

ARGPARSE_CNN = '''
"""Train a small CNN on CIFAR-10."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from torch.utils.data import DataLoader


class Net(nn.Module):
    def __init__(self, num_classes=10):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.drop = nn.Dropout(0.25)
        self.fc1 = nn.Linear(64 * 8 * 8, 128)
        self.fc2 = nn.Linear(128, num_classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        x = self.drop(F.relu(self.fc1(x)))
        return self.fc2(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args()
    train_set = torchvision.datasets.CIFAR10("data", download=True, transform=torchvision.transforms.ToTensor())
    loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    model = Net().to("cuda")
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, args.epochs + 1):
        correct = 0
        for images, labels in loader:
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            correct += (outputs.argmax(1) == labels).sum().item()
        accuracy = correct / len(train_set)
        print(epoch, accuracy)


if __name__ == "__main__":
    main()
'''

MODULE_LEVEL_LSTM = """
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.preprocessing import MinMaxScaler

LOOKBACK = 30
BATCH_SIZE = 16
LEARNING_RATE = 0.005
NUM_EPOCHS = 40

prices = pd.read_csv("stock.csv")["close"].ffill().values
scaler = MinMaxScaler()
prices = scaler.fit_transform(prices.reshape(-1, 1))

class Forecaster(nn.Module):
    def __init__(self, hidden=50):
        super().__init__()
        self.lstm = nn.LSTM(input_size=1, hidden_size=hidden, num_layers=2, batch_first=True)
        self.out = nn.Linear(hidden, 1)
    def forward(self, x):
        states, _ = self.lstm(x)
        return self.out(states[:, -1])

net = Forecaster()
opt = torch.optim.Adam(net.parameters(), LEARNING_RATE)
loss_fn = nn.MSELoss()
loader = torch.utils.data.DataLoader(windows, BATCH_SIZE, shuffle=True)
for epoch in range(NUM_EPOCHS):
    for x, y in loader:
        loss = loss_fn(net(x), y)
        opt.zero_grad(); loss.backward(); opt.step()
rmse = float(np.sqrt(((forecast - actual) ** 2).mean()))
"""

KERAS_SEQUENTIAL = """
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Dropout
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
import pandas as pd

table = pd.read_csv("churn.csv").fillna(0)
features, target = table.drop(columns="churn"), table["churn"]
x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.2)
x_train = StandardScaler().fit_transform(x_train)

model = Sequential()
model.add(Dense(64, activation="relu", input_shape=(30,)))
model.add(Dropout(0.5))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=25, batch_size=128)
"""

KERAS_FUNCTIONAL = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

def make_model(image_size, classes):
    inputs = keras.Input(shape=image_size + (3,))
    x = layers.Rescaling(1 / 255)(inputs)
    for filters in [32, 64, 128]:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)

train = keras.utils.image_dataset_from_directory("flowers", image_size=(96, 96), batch_size=8)
model = make_model((96, 96), 5)
model.compile(keras.optimizers.RMSprop(learning_rate=2e-4), loss="sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(train, epochs=12)
"""

TRANSFER = """
import torch, torchvision
from torch import nn
from torchvision import models

model = models.resnet18(pretrained=True)
for parameter in model.parameters():
    parameter.requires_grad = False
model.fc = nn.Sequential(nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.fc.parameters(), lr=3e-4)
"""

BLOCKS = '''
import torch
from torch import nn

class ConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(),
                                  nn.Conv2d(out_channels, out_channels, 3, padding=1), nn.ReLU())
    def forward(self, x):
        return self.body(x)

class SegNet(nn.Module):
    """Segments organs: one mask per scan."""
    def __init__(self, base=16, depth=3):
        super().__init__()
        widths = [base * 2 ** level for level in range(depth)]
        self.down = nn.ModuleList([ConvBlock(a, b) for a, b in zip([1] + widths[:-1], widths)])
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(widths[-1], 1, kernel_size=1)
    def forward(self, x):
        for block in self.down:
            x = self.pool(block(x))
        return self.head(x)
'''

TRAINER = """
import torch
from torch import nn

CONFIG = {"lr": 0.02, "batch_size": 24, "epochs": 7}

def get_backbone(widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)

class Trainer:
    def __init__(self, config):
        self.config = config
        self.model = nn.Sequential(get_backbone([13, 64, 32]), nn.Linear(32, 1))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=config["lr"], weight_decay=0.05)
        self.criterion = nn.HuberLoss()

    def fit(self, loader):
        for epoch in range(self.config["epochs"]):
            for x, y in loader:
                loss = self.criterion(self.model(x), y)
                loss.backward()

trainer = Trainer(CONFIG)
trainer.fit(torch.utils.data.DataLoader(houses, batch_size=CONFIG["batch_size"], shuffle=True))
"""

KERAS_GAN = '''
"""A GAN that draws digits."""
import tensorflow as tf
from tensorflow.keras import layers

EPOCHS = 500

def build_generator():
    model = tf.keras.Sequential()
    model.add(layers.Dense(7 * 7 * 64, input_dim=100))
    model.add(layers.Reshape((7, 7, 64)))
    model.add(layers.Conv2DTranspose(32, 4, strides=2, padding="same"))
    model.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"))
    return model

def build_discriminator():
    return tf.keras.Sequential([layers.Conv2D(32, 4, strides=2), layers.Flatten(), layers.Dense(1)])

generator = build_generator()
discriminator = build_discriminator()
cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
generator_optimizer = tf.keras.optimizers.Adam(1e-4)

def train_step(images):
    noise = tf.random.normal([64, 100])
    with tf.GradientTape() as tape:
        fake = generator(noise)
        loss = cross_entropy(tf.ones_like(discriminator(fake)), discriminator(fake))

for epoch in range(EPOCHS):
    for images in dataset:
        train_step(images)
'''
