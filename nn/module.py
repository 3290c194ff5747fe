"""What a layer is: a callable that owns parameters, buffers and other modules, each by name."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

import autograd_core as ag
from autograd_core import DtypeError, Tensor
from autograd_core.modes import MODE, enter_scope, leave_scope

from . import blame, casting, state, table
from .hooks import Hooked
from .parameter import Parameter, clear_gradients

Member = TypeVar("Member")


class Module(Hooked):
    """Base of all layers: set parameters and modules in `__init__`, compute in `forward`.

    Every attribute stands in `__dict__`, in the order in which it was set. A Parameter found
    there is a parameter, a Module a child; only buffers, being plain tensors, are listed by name.
    """

    if TYPE_CHECKING:  # members are set at run time, so a type checker cannot know them all

        def __getattr__(self, name: str) -> Any: ...

    __slots__ = ("__dict__", "__weakref__", "_entered")

    training: bool
    _buffers: dict[str, bool]  # name -> whether state_dict() has it
    _entered: tuple[Any, Any]  # the mode of the last call, outside and inside of this module

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        object.__setattr__(self, "_entered", (None, None))
        return self

    def __init__(self) -> None:
        vars(self).update(training=True, _buffers={})

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied and pickled: the attributes, without the mode of the last call."""
        return vars(self).copy()

    # Computing

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module defines its own."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Entering makes two objects; nearly every call finds those of the one before.
        outside, inside = self._entered
        if MODE.get() is outside:
            MODE.set(inside)
        else:
            outside, inside = self._enter()
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.call(self, args, kwargs)
        except (ValueError, IndexError, DtypeError) as error:
            blame.add(
                error, self, outermost=outside.scope is None or outside.scope.module() is None
            )
            raise
        finally:
            if MODE.get() is inside:
                MODE.set(outside)
            else:
                leave_scope(outside)

    def _enter(self) -> tuple[Any, Any]:
        outside = enter_scope(self)
        inside = MODE.get()
        if inside.lean:  # else it would keep an observer, and all that it saw, alive
            object.__setattr__(self, "_entered", (outside, inside))
        return outside, inside

    # Owning

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Parameter, Module)):
            self._check_ready(name)
            self._buffers.pop(name, None)
        else:
            self._check_replacement(name, value)
        object.__setattr__(self, name, value)

    def _check_ready(self, name: str) -> None:
        if "_buffers" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__} got {name!r} too early: call super().__init__() first"
            )

    def _check_replacement(self, name: str, value: Any) -> None:
        """Refuse a value that would turn a registered name into something else unnoticed."""
        old = vars(self).get(name)
        if value is None or old is None:
            return
        if isinstance(old, Parameter):
            needs = "a Parameter or None"
        elif isinstance(old, Module):
            needs = "a Module or None"
        elif name in self._buffers and not isinstance(value, Tensor):
            needs = "a Tensor or None"
        else:
            return
        raise TypeError(
            f"{type(self).__name__}.{name} got a {type(value).__name__}: it must be {needs}"
        )

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._buffers.pop(name, None)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Set a parameter under a name that is free."""
        self._register(name, param, Parameter)

    def register_module(self, name: str, module: Module | None) -> None:
        """Set a child under a name that is free."""
        self._register(name, module, Module)

    add_module = register_module

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Set a tensor that is part of the module's state, but that no optimiser changes."""
        self._check_ready(name)
        self._register(name, tensor, Tensor)
        self._buffers[name] = persistent

    def _register(self, name: str, value: Any, kind: builtins.type) -> None:
        who = f"{type(self).__name__}.{name}"
        if not name or "." in name:
            raise KeyError(f"{who}: a registered name has no dots and is not empty")
        if value is not None and not isinstance(value, kind):
            got = type(value).__name__
            raise TypeError(f"{who} got a {got}: it must be a {kind.__name__} or None")
        old = vars(self).get(name)
        if hasattr(type(self), name) or not (old is None or isinstance(old, kind)):
            raise KeyError(f"{who} is taken by another attribute: choose another name")
        setattr(self, name, value)

    # Walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Give this module and all below it, parents first, with their paths."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._own_modules():
            yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Give this module and all below it, parents first."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Give the modules directly below this one, with their names."""
        return _distinct(self._own_modules())

    def children(self) -> Iterator[Module]:
        """Give the modules directly below this one."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Give the parameters with their paths, a module's own before its children's."""
        found = self._members(lambda m: m._own(Parameter), prefix, recurse, remove_duplicate)
        return _distinct(found) if remove_duplicate else found

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Give each parameter once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Give the buffers with their paths, a module's own before its children's."""
        found = self._members(Module._own_buffers, prefix, recurse, remove_duplicate)
        return _distinct(found) if remove_duplicate else found

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Give each buffer once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """Return the module at a path such as "layers.0"; "" is this module."""
        module = self
        for name in target.split(".") if target else []:
            module = module._found(name, "module", module._own_modules())
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at a path such as "layers.0.weight"."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        return owner._found(name, "parameter", owner._own(Parameter))

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a path such as "norm.running_mean"."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        return owner._found(name, "buffer", owner._own_buffers())

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a path; with strict only where one stands already."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not name:
            raise ValueError("set_submodule got an empty path: a module cannot replace itself")
        if strict:
            owner._found(name, "module", owner._own(Module))
        owner.register_module(name, module)

    def _found(self, name: str, kind: str, members: list[tuple[str, Member]]) -> Member:
        for known, item in members:
            if known == name:
                return item
        raise AttributeError(f"{type(self).__name__} has no {kind} named {name!r}")

    def _own(self, kind: builtins.type[Member]) -> list[tuple[str, Member]]:
        return [(name, item) for name, item in vars(self).items() if isinstance(item, kind)]

    def _own_modules(self) -> list[tuple[str, Module]]:
        return self._own(Module)

    def _own_buffers(self) -> list[tuple[str, Tensor]]:
        return [(name, item) for name, item in self._own(Tensor) if name in self._buffers]

    def _stored(self) -> list[tuple[str, Tensor]]:
        """Give what state_dict() has of this module alone: parameters, then buffers."""
        buffers = [(name, b) for name, b in self._own_buffers() if self._buffers[name]]
        return [*self._own(Parameter), *buffers]

    def _members(
        self,
        own: Callable[[Module], Iterable[tuple[str, Member]]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, Member]]:
        every = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in every if recurse else [(prefix, self)]:
            for name, item in own(module):
                yield _join(path, name), item

    # Changing all at once

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training, or to evaluation."""
        if not isinstance(mode, bool):
            raise ValueError(f"train() got mode={mode!r}: it must be True or False")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all below it to evaluation."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say for every parameter whether it gets a gradient."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradient of every parameter, or make it zero."""
        clear_gradients(self.parameters(), set_to_none)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers: `to(float64)`, `to("cpu", float32)`."""
        dtype = casting.target(*args, **kwargs)
        if dtype is not None:
            casting.convert(self, dtype)
        return self

    def cpu(self) -> Self:
        """Return this module: it is on the CPU."""
        return self

    def type(self, dst_type: Any) -> Self:
        """Convert floating-point parameters and buffers to a dtype."""
        return self.to(dtype=dst_type)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(ag.float16)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(ag.float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(ag.float64)

    # Saving and showing

    def state_dict(
        self,
        *,
        destination: dict[str, Tensor] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Tensor]:
        """Return parameters and persistent buffers by path; they share memory with the module."""
        return state.collect(self, {} if destination is None else destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.Keys:
        """Copy values in by path; where anything does not fit, raise and change nothing."""
        return state.load(self, state_dict, strict, assign)

    def summary(self, *inputs: Any, times: bool = False) -> table.Summary:
        """Tabulate the modules; see `nn.summary`."""
        return table.summary(self, *inputs, times=times)

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of this layer's repr."""
        return ""

    def _label(self) -> str:
        """Return the module in a few words, for messages."""
        extra = self.extra_repr()
        return f"{type(self).__name__}({extra})" if extra else type(self).__name__

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name[:1].isdigit()]

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [
            f"({name}): {module!r}".replace("\n", "\n  ") for name, module in self._own_modules()
        ]
        lines = [*extra.splitlines(), *children]
        if not children and len(lines) <= 1:
            return f"{type(self).__name__}({extra})"
        return "\n  ".join([f"{type(self).__name__}(", *lines]) + "\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _distinct(members: Iterable[tuple[str, Member]]) -> Iterator[tuple[str, Member]]:
    """Leave out what was already given under another name."""
    seen: set[int] = set()
    for name, item in members:
        if id(item) not in seen:
            seen.add(id(item))
            yield name, item
