"""How a model is to be trained says nothing of the task, and does not hide it."""

import pytest

from dlcodegen.planner.gpt2.planner import shipped_planner
from dlcodegen.planner.request import read_requirement
from dlcodegen.planner.without_settings import without_settings


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ("sort apples, Adam lr 1e-3, 20 epochs, dropout 0.2", "sort apples, , ,"),
        ("6 layers, 8 heads, mixup, label smoothing 0.1 for pictures of cheese", ", , , for pictures of cheese"),
        ("forecast sales of 3 shops", "forecast sales of 3 shops"),
        ("İstanbul, Adam, 5 epochs", "İstanbul, Adam, 5 epochs"),  # a letter whose small form is two
    ],
)
def test_settings_are_left_out(request_: str, left: str) -> None:
    assert without_settings(request_) == left


@pytest.mark.parametrize(
    ("request_", "category"),
    [
        (
            "tell nebula shapes apart on telescope plates, ViT, 6 layers, 8 heads, mixup 0.2, label smoothing 0.1, "
            "AdamW, wd 0.05, warm-up 10 epochs, cosine, mixed precision",
            "image-classification",
        ),
        ("keep a broom upright with deep Q-learning, MLP, 2 layers of 64 units, Adam 5e-4", "reinforcement-learning"),
    ],
)
def test_settings_do_not_hide_the_task(request_: str, category: str) -> None:
    assert read_requirement(request_, opinion=shipped_planner().category_odds).category == category
