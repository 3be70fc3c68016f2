"""The layers of the model that a script builds, in the order in which data meets them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dlcodegen import vocabulary
from dlcodegen.corpus.importing.built_parts import Chain, Class, Function, Layer, Own, Settings, modules_in, parts_of
from dlcodegen.corpus.importing.layer_texts import layer_text, model_text, own_text
from dlcodegen.corpus.importing.tracer import Tracer, TracerLimitError
from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.layer_names import ONCE
from dlcodegen.execution.conformance.terms import plain
from dlcodegen.execution.conformance.wanted import read_layer

_BUILDER = re.compile(
    r"(?:build|create|make|get|define|init)\w*(?:model|net|network|cnn|rnn|lstm|unet|classifier)", re.I
)
_MOST_LAYERS = 120
_NAMED = frozenset(plain(code) for term in vocabulary.ARCHITECTURES for code in term.code)


@dataclass
class ModelLayers:
    """The layers in a plan's spelling; `outputs` the width of the last with weights, `inputs` the size of the first."""

    texts: list[str] = field(default_factory=list)
    line: int = 0
    """Where the model is built."""
    problem: str = ""
    """Why there are none, or not all."""
    first: Layer | None = None
    last: Layer | None = None


def model_layers(view: CodeView) -> ModelLayers:
    """What the script's model is made of; with `problem` where it cannot be followed."""
    tracer = Tracer(view)
    found = ModelLayers()
    try:
        try:
            roots = list(_roots(tracer))
        except TracerLimitError:
            roots = _not_held(tracer)
            found.problem = "the code around the model is too long to be followed to its end"
            tracer.start_anew()
        for root in roots:
            _read(tracer, root, found, named=len(roots) > 1)
    except (TracerLimitError, RecursionError):
        found.problem = "the code that builds the model is too long, or too deep, to be followed"
    if not found.texts and not found.problem:
        found.problem = "no model whose layers can be followed"
    if len(found.texts) > _MOST_LAYERS:
        found.problem = f"{len(found.texts)} layers, of which the first {_MOST_LAYERS} are kept"
        found.texts = found.texts[:_MOST_LAYERS]
    return found


def _roots(tracer: Tracer) -> Iterator[Any]:
    """The models: what `build_model` returns; else what the script makes and puts into nothing else."""
    tracer.run(main=False)
    builder = tracer.module.names.get("build_model")
    if isinstance(builder, Function):
        made = _called(tracer, builder)
        if made:
            yield from made
            return
    tracer.run(main=True)
    found = _not_held(tracer)
    if not found:
        builders = [value for name, value in tracer.module.names.items() if _BUILDER.search(name)]
        found = [root for value in builders if isinstance(value, Function) for root in _called(tracer, value)]
    yield from found or _instantiated(tracer)


def _called(tracer: Tracer, builder: Function) -> list[Any]:
    made = tracer.call(builder, [], {})
    return modules_in(list(made.fields.values()) if isinstance(made, Settings) else made)


def _instantiated(tracer: Tracer) -> list[Any]:
    """A file of modules alone: the classes that no other class of it uses, made with their defaults."""
    classes = [
        value
        for value in tracer.module.names.values()
        if isinstance(value, Class) and tracer.is_module_class(value.node)
    ]
    made = [module for value in classes if isinstance(module := tracer.call(value, [], {}), Own)]
    held = {part.definition for module in made for part in _all_parts(module) if isinstance(part, Own)}
    return [module for module in made if module.definition not in held and _has_weights(module)][-1:]


def _not_held(tracer: Tracer) -> list[Any]:
    """Models that are part of no other: one of each class and size, losses and single layers aside."""
    held = {id(part) for module in tracer.created for part in parts_of(module)}
    found: dict[str, Any] = {}  # `created` holds modules alone: what a trainer keeps is held by no model
    for module in tracer.created:
        is_model = isinstance(module, Own) or (isinstance(module, Chain) and module.in_order) or _is_whole(module)
        if id(module) not in held and is_model and _has_weights(module):
            key = own_text(module) if isinstance(module, Own) else f"{getattr(module, 'name', '')} {module.line}"
            key = module.name if isinstance(module, Layer) else key
            found.setdefault(key, module)
    return list(found.values())


def _is_whole(module: Any) -> bool:
    return isinstance(module, Layer) and module.is_model


def _all_parts(module: Any) -> Iterator[Any]:
    seen: set[int] = {id(module)}
    waiting = parts_of(module)
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += parts_of(part)


def _has_weights(module: Any) -> bool:
    parts = [module, *_all_parts(module)]
    return any(isinstance(part, Layer) and (part.is_model or _weighs(part)) for part in parts)


def _weighs(layer: Layer) -> bool:
    return any(read_layer(text).kind in ONCE or "Attention" in text for text in layer_text(layer))


def _read(tracer: Tracer, root: Any, found: ModelLayers, named: bool) -> None:
    """Add a model's layers. Its class is named before them where it is an architecture that layers do not tell."""
    found.line = found.line or getattr(root, "line", 0)
    used = _opened(tracer, root) if isinstance(root, Own) else list(_expanded(tracer, _used(tracer, root)))
    if named and isinstance(root, Own) and root not in used:
        used = [root, *used]
    seen: set[int] = set()
    for module in used:
        if isinstance(module, Layer):
            if id(module) in seen and _weighs(module):
                continue
            seen.add(id(module))
            found.texts += layer_text(module)
            if _weighs(module):
                found.first, found.last = found.first or module, module
        elif id(module) not in seen:
            seen.add(id(module))
            whole = module is root or _is_architecture(module) or _has_skips(_used(tracer, module))
            found.texts.append(model_text(module, tracer.settings) if whole else own_text(module))


def _is_architecture(module: Own) -> bool:
    """Whether the class bears the name of a known architecture, and not that of a block of one."""
    name = plain(module.definition.name)
    return name in _NAMED and not re.search(r"block|conv|residual|embedding|layer|attention", name)


def _opened(tracer: Tracer, module: Own) -> list[Any]:
    """The layers of a module: after itself where it is a known architecture, and only its head where it skips."""
    used = list(_expanded(tracer, _used(tracer, module)))
    if _has_skips(used):
        weighing = [place for place, one in enumerate(used) if isinstance(one, Layer) and _weighs(one)]
        return [module, *used[weighing[-1] :]] if weighing else [module]
    return [module, *used] if _is_architecture(module) else used


def _has_skips(used: list[Any]) -> bool:
    """Whether the model goes down and up again and joins what it has passed: no row of layers says that."""
    texts = [text for module in used if isinstance(module, Layer) for text in layer_text(module)]
    joins = sum(text.startswith("Concatenate") for text in texts)
    return joins >= 2 and any(text.startswith(("UpSampling", "Conv2DTranspose", "Conv1DTranspose")) for text in texts)


def _used(tracer: Tracer, root: Any) -> list[Any]:
    """What data meets in a model; where that cannot be followed, what the model holds, as it was made."""
    tracer.used = []
    tracer.use(root)
    used, tracer.used = tracer.used, []
    if isinstance(root, Layer):
        return used
    held = list(_flat(parts_of(root)))
    missing = [part for part in held if _has_weights(part) and part not in used]
    if len(missing) > len(held) // 2:
        return held
    return [*used, *(part for part in missing if isinstance(part, Own))]  # the other network of a pair


def _flat(modules: list[Any]) -> Iterator[Any]:
    """The modules, rows of modules opened; each once."""
    seen: set[int] = set()
    waiting = list(reversed(modules))
    while waiting:
        module = waiting.pop()
        if id(module) not in seen:
            seen.add(id(module))
            if isinstance(module, Chain):
                waiting += reversed(module.children)
            else:
                yield module


def _expanded(tracer: Tracer, used: list[Any]) -> Iterator[Any]:
    """Modules that occur once and are long rows of layers give way to what they hold: an encoder, a classifier."""
    counts: dict[ast.ClassDef, int] = {}
    for module in {id(one): one for one in used if isinstance(one, Own)}.values():
        counts[module.definition] = counts.get(module.definition, 0) + 1
    opened: set[int] = set()
    for module in used:
        if isinstance(module, Own) and counts[module.definition] == 1 and id(module) not in opened:
            opened.add(id(module))
            inner = _used(tracer, module)
            weighing = [one for one in inner if isinstance(one, Own) or _weighs(one)]
            if len(weighing) >= 3 and "block" not in module.definition.name.lower():
                yield from _opened(tracer, module)
                continue
        if isinstance(module, Own) and _is_one_convolution(inner := _used(tracer, module)):
            yield from inner
        else:
            yield module


def _is_one_convolution(used: list[Any]) -> bool:
    """Whether a module is a convolution with its normalisation and activation, and nothing more."""
    weighing = [one for one in used if isinstance(one, Own) or _weighs(one)]
    return (
        len(used) <= 5 and len(weighing) == 1 and isinstance(one := weighing[0], Layer) and "conv" in one.name.lower()
    )
