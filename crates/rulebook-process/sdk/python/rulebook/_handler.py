"""The registered functions: which arguments they get, and how they run."""

from __future__ import annotations

import inspect
import os
import threading
import types
import typing
from typing import Any, Callable, Iterator, Optional

from ._values import InvalidArgument, converter, describe, union_members


def _allows_none(hint: Any) -> bool:
    # Other values than classes, such as type variables, may stand for any type.
    known = [item for item in union_members(hint) if isinstance(item, type) or typing.get_origin(item) is not None]
    return len(known) < len(union_members(hint)) or any(item in (Any, object, type(None)) for item in known)


class Handler:
    """A registered function, and which arguments it gets."""

    __slots__ = ("function", "call_type", "name", "location", "_parameters")

    def __init__(self, function: Callable[..., Any], call_type: type) -> None:
        self.function = function
        self.call_type = call_type
        code = getattr(inspect.unwrap(function), "__code__", None)
        self.name = getattr(function, "__qualname__", type(function).__name__)
        self.location = f"{os.path.relpath(code.co_filename)}:{code.co_firstlineno}" if code else None
        self._parameters: Optional[Parameters] = None

    @property
    def parameters(self) -> Parameters:
        # Annotations can name what the program defines after the function.
        if self._parameters is None:
            try:
                self._parameters = Parameters(self.function, self.call_type)
            except Exception as error:
                raise TypeError(f"{self.name} ({self.location}): {error}") from error
        return self._parameters

    def describe(self) -> dict[str, Any]:
        """Describes the function for the server, which compares it with the definition."""
        parameters = self.parameters
        # The underscore marks parameters of the program itself.
        names = [name for name in parameters.hints if not (name.startswith("_") and name in parameters.optional)]
        annotations = {name: annotation for name in names if (annotation := describe(parameters.hints[name]))}
        described = {"function": self.name, "parameters": names, "required": parameters.needs_value}
        described["annotations"] = annotations
        return {**described, "location": self.location} if self.location else described

    def run(self, call: Any) -> Any:
        arguments, parameters = call.arguments, self._parameters or self.parameters
        if not parameters.takes_all and not (arguments.keys() <= parameters.names):
            arguments = {name: value for name, value in arguments.items() if name in parameters.names}
        missing = [name for name in parameters.required if name not in arguments]
        if missing:
            arguments = {**arguments, **dict.fromkeys(missing)}
        if parameters.converters:
            arguments = {**arguments, **dict(_converted(arguments, parameters.converters))}
        if parameters.call_name is not None:
            arguments = {**arguments, parameters.call_name: call}
        outputs = self.function(**arguments)
        return run_coroutine(outputs) if isinstance(outputs, types.CoroutineType) else outputs


def _converted(
    arguments: dict[str, Any], converters: list[tuple[str, Callable[[Any], Any]]]
) -> Iterator[tuple[str, Any]]:
    for name, convert in converters:
        if arguments.get(name) is not None:
            try:
                yield name, convert(arguments[name])
            except InvalidArgument as error:
                raise InvalidArgument(error.expected, error.path, name) from None


class Parameters:
    """The parameters of a function."""

    __slots__ = ("call_name", "takes_all", "hints", "names", "optional", "required", "needs_value", "converters")

    def __init__(self, function: Callable[..., Any], call_type: type) -> None:
        parameters = inspect.signature(function).parameters
        inner = inspect.unwrap(function)
        annotations = {name: item for name, item in getattr(inner, "__annotations__", {}).items() if name != "return"}
        # The annotation of the result is not needed, and may name types that only a type checker imports.
        annotated = types.SimpleNamespace(__annotations__=annotations)
        hints = typing.get_type_hints(annotated, getattr(inner, "__globals__", {}))
        calls = [name for name, hint in hints.items() if call_type in union_members(hint)]
        self.call_name: Optional[str] = calls[0] if calls else "call" if "call" in parameters else None
        self.takes_all = False
        self.hints: dict[str, Any] = {}
        self.optional = {name for name, it in parameters.items() if it.default is not inspect.Parameter.empty}
        for name, parameter in parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                self.takes_all = True
                members = _unpacked(hints.get(name))
                self.hints.update(members)
                # A missing argument is a missing key.
                self.optional.update(members)
            elif parameter.kind is parameter.VAR_POSITIONAL or parameter.kind is parameter.POSITIONAL_ONLY:
                raise TypeError("a handler gets its arguments by name")
            elif name != self.call_name:
                self.hints[name] = hints.get(name, Any)
        self.names = frozenset(self.hints)
        self.required = tuple(name for name in self.hints if name not in self.optional)
        self.needs_value = [name for name in self.required if not _allows_none(self.hints[name])]
        converters = ((name, converter(hint)) for name, hint in self.hints.items())
        self.converters = [(name, convert) for name, convert in converters if convert is not None]


def _unpacked(hint: Any) -> dict[str, Any]:
    """Returns the types of the keys of the TypedDict in `**arguments: Unpack[TypedDict]`; {} for other hints."""
    if typing.get_origin(hint) is None or typing.get_origin(hint) is not getattr(typing, "Unpack", None):
        return {}
    return typing.get_type_hints(typing.get_args(hint)[0])


_loops = threading.local()


def run_coroutine(coroutine: Any) -> Any:
    """Runs a coroutine on the event loop of this thread."""
    loop = getattr(_loops, "loop", None)
    if loop is None:
        # Most programs do not need this module.
        import asyncio

        loop = _loops.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    return loop.run_until_complete(coroutine)
