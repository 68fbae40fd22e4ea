"""The standard library's `dataclass(frozen=True)`, of which a method is compiled when it is first called.

Python 3.11 compiles six functions for each frozen class as it is defined, and a start defines 400 such classes of
which it uses a third. Fields, `replace`, `asdict`, copies, pydantic and type checkers see an ordinary dataclass.
"""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, FrozenInstanceError
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, eq: bool = True, **options: bool) -> Callable[[type], type]:
        """Return a decorator that makes a frozen class; what is not frozen, or has an order, is left to the library."""
        if not frozen or "order" in options:
            return dataclasses.dataclass(frozen=frozen, eq=eq, **options)

        def decorate(cls: type) -> type:
            written = cls.__dict__
            cls = dataclasses.dataclass(init=False, repr=False, eq=False, **options)(cls)
            methods = {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete, "__repr__": _represent}
            methods["__init__"] = _compile_when_called(cls, "__init__", _write_init)
            if eq:
                methods["__eq__"] = _compile_when_called(cls, "__eq__", _write_eq)
            if eq and ("__hash__" not in written or (written["__hash__"] is None and "__eq__" in written)):
                cls.__hash__ = _compile_when_called(cls, "__hash__", _write_hash)
            if options.get("slots"):
                methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
            for name, method in methods.items():
                if name not in written:
                    setattr(cls, name, method)
            return cls

        return decorate


def _compile_when_called(cls: type, name: str, write: Callable[[type, dict[str, Any]], str]) -> Callable[..., Any]:
    """Return a method that takes its own place with the one that it compiles."""

    def method(*arguments: Any, **named: Any) -> Any:
        scope: dict[str, Any] = {}
        exec(write(cls, scope), scope)  # noqa: S102 - of nothing but names of fields, as the standard library does
        compiled = scope[name]
        compiled.__qualname__ = f"{cls.__qualname__}.{name}"
        setattr(cls, name, compiled)
        return compiled(*arguments, **named)

    return method


def _write_init(cls: Any, scope: dict[str, Any]) -> str:
    parameters: dict[bool, list[str]] = {False: ["self"], True: []}
    lines = []
    scope |= {"_set": object.__setattr__, "_UNSET": MISSING}
    for field in dataclasses.fields(cls):
        name, value, default = field.name, field.name, ""
        if field.default is not MISSING:
            scope[f"_default_{name}"] = field.default
            value, default = (name if field.init else f"_default_{name}"), f"=_default_{name}"
        elif field.default_factory is not MISSING:
            scope[f"_make_{name}"] = field.default_factory
            value = f"_make_{name}() if {name} is _UNSET else {name}" if field.init else f"_make_{name}()"
            default = "=_UNSET"
        if field.init:
            parameters[bool(field.kw_only)].append(f"{name}{default}")
        if field.init or default:
            lines.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    named = ["*", *parameters[True]] if parameters[True] else []
    return "\n".join([f"def __init__({', '.join([*parameters[False], *named])}):", *lines, " return None"])


def _write_eq(cls: Any, _: dict[str, Any]) -> str:
    compared = [field for field in dataclasses.fields(cls) if field.compare]
    mine, others = _tuple_of("self", compared), _tuple_of("other", compared)
    return (
        f"def __eq__(self, other):\n return {mine} == {others} if other.__class__ is self.__class__ else NotImplemented"
    )


def _write_hash(cls: Any, _: dict[str, Any]) -> str:
    hashed = [field for field in dataclasses.fields(cls) if (field.compare if field.hash is None else field.hash)]
    return f"def __hash__(self):\n return hash({_tuple_of('self', hashed)})"


def _tuple_of(owner: str, fields: Iterable[Field[Any]]) -> str:
    return f"({''.join(f'{owner}.{field.name},' for field in fields)})"


def _represent(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
