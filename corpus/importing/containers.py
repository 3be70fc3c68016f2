"""Methods of lists, dictionaries and rows of modules, on the tracer's stand-ins."""

from typing import Any

from dlcodegen.corpus.importing.arithmetic import bounded
from dlcodegen.corpus.importing.built_parts import Chain, Layer, Own, Tensor, Unknown

CHANGING = ("append", "extend", "add", "add_module", "insert", "pop", "update")
"""Methods that leave something else than they found."""
_ITSELF = ("to", "cuda", "cpu", "float", "double", "half", "eval", "train", "apply", "requires_grad_")


def call_of(holder: Any, name: str, arguments: list[Any]) -> Any:
    """What the method gives; `append`, `add` and their like change the holder. Unknown for any other method."""
    if name in CHANGING:
        return _change(holder, name, arguments)
    match holder:
        case dict():
            return _of_dictionary(holder, name, arguments)
        case str() if name == "split" and all(isinstance(sign, str) and sign for sign in arguments):
            return bounded(holder.split(*arguments[:1]))
        case Layer() | Chain() if name in ("forward", "call"):
            return Tensor()
    return holder if name in _ITSELF else Unknown()


def _of_dictionary(holder: dict[Any, Any], name: str, arguments: list[Any]) -> Any:
    if name == "items":
        return list(holder.items())
    if name in ("keys", "values"):
        return list(holder if name == "keys" else holder.values())
    if name == "get" and arguments and isinstance(arguments[0], str | int):
        return holder.get(arguments[0], arguments[1] if len(arguments) > 1 else None)
    return Unknown()


def _change(holder: Any, name: str, arguments: list[Any]) -> Any:
    children = holder.children if isinstance(holder, Chain) else holder
    match name, arguments:
        case "add_module", [key, module] if isinstance(holder, Own):
            holder.attributes[str(key)] = module
        case _ if not isinstance(children, list):
            return Unknown()
        case (("append" | "add"), [item, *_]):
            children.append(item)
        case "extend", [list() | tuple() as items, *_]:
            children.extend(items[:_LONGEST])
        case "extend", [Chain(children=items), *_]:
            children.extend(items[:_LONGEST])
        case "insert", [int(place), item]:
            children.insert(place, item)
        case "add_module", [_, module]:
            children.append(module)
        case "pop", _ if children:
            return children.pop(0 if arguments[:1] == [0] else -1)
    return None


_LONGEST = 512
