"""Stand-ins for a script's values, by which the tracer follows how the model is built."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Unknown:
    """A value that nobody can follow; `text` is what the script calls it, when that is short."""

    text: str = ""


@dataclass(frozen=True)
class Tensor:
    """Data that runs through the model."""


@dataclass(frozen=True)
class Library:
    """Something of an imported package, by its full dotted name."""

    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def packages(self) -> list[str]:
        return self.path.split(".")[:-1]


@dataclass(frozen=True)
class Settings:
    """What holds the settings: a Config or the command line's arguments; `fields` are those passed or defaulted."""

    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Layer:
    """A layer of a framework, or a whole model of a library."""

    name: str
    arguments: list[Any]
    keywords: dict[str, Any]
    line: int
    keras: bool
    replaced: list[Any] = field(default_factory=list)
    """What the script puts in place of its parts: `model.fc = nn.Linear(512, 10)`."""
    is_model: bool = False
    """A whole model of a library, such as `resnet18()`."""


@dataclass(eq=False)
class Chain:
    """Layers in a row: `Sequential`, `ModuleList`, and what a functional Keras model passed its tensors through."""

    children: list[Any]
    line: int
    in_order: bool = True
    """False for a ModuleList: holds modules, and says nothing about when they are used."""
    named: dict[Any, Any] = field(default_factory=dict)
    """The children of a ModuleDict by their keys."""


@dataclass(eq=False)
class Own:
    """A module of a class that the script defines."""

    definition: ast.ClassDef
    passed: dict[str, Any]
    """The arguments of its constructor by name."""
    line: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Function:
    """A function of the script; `owner` is the module whose method it is."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: "Scope"
    owner: Own | None = None


@dataclass(frozen=True)
class Class:
    """A class of the script."""

    node: ast.ClassDef
    scope: "Scope"


@dataclass(frozen=True)
class Method:
    """A method of a value that is no module of the script: `model.add`, `x.view`, `list.append`."""

    holder: Any
    name: str


@dataclass(eq=False)
class Scope:
    """Names and their values; what is not found here is looked up outside."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: "Scope | None" = None

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return Unknown(name)


Module = Layer | Chain | Own


class Following(Protocol):
    """What the reading of expressions and statements needs of the tracer that follows a script."""

    settings: dict[str, Any]
    used: list[Any]
    changes: int
    follow_main: bool

    def step(self, amount: int = 1) -> None: ...
    def call(self, function: Any, arguments: list[Any], keywords: dict[str, Any], line: int = 0) -> Any: ...
    def method(self, module: Own, name: str) -> Function | None: ...
    def lineage(self, definition: ast.ClassDef) -> Iterator[ast.ClassDef]: ...
    def constants(self, definition: ast.ClassDef) -> dict[str, Any]: ...


def parts_of(value: Any) -> list[Any]:
    """The modules that a value directly holds."""
    match value:
        case Own(attributes=attributes):
            return [part for held in attributes.values() for part in modules_in(held)]
        case Chain(children=children):
            return [part for held in children for part in modules_in(held)]
        case Layer(arguments=arguments, keywords=keywords, replaced=replaced):
            return [part for held in (*arguments, *keywords.values(), *replaced) for part in modules_in(held)]
    return []


def modules_in(value: Any) -> list[Any]:
    """The module that a value is, or the modules in a list or a dictionary."""
    if isinstance(value, Layer | Chain | Own):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [item for item in items if isinstance(item, Layer | Chain | Own)]
