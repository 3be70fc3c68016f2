"""Pieces of PyTorch code."""

from dlcodegen.writers.layer_calls import Size


def call(name: str, *arguments: object, **options: object) -> str:
    """Code of a call; options that are None are left out."""
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    return f"{name}({', '.join([*map(str, arguments), *given])})"


def unless(size: Size, usual: Size) -> Size | None:
    """None for a size that goes without saying."""
    return None if size == usual else size


def product(width: str, factor: int) -> str:
    """`64`, 16 -> `1024`; `config.channels`, 16 -> `config.channels * 16`."""
    return str(int(width) * factor) if width.isdigit() else f"{width} * {factor}"
