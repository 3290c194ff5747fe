"""Tensor: an array that remembers how it was made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from . import (
    creation,
    draws,
    gradients,
    hooks,
    inplace,
    interop,
    legacy,
    methods,
    ops,
    printing,
    versions,
)
from .devices import CPU, check_device
from .devices import device as device_
from .dtypes import as_dtype, get_default_dtype
from .errors import DtypeError, GraphError, ShapeError
from .flat import results_are
from .op import METHODS
from .ops.shape import dim_of
from .recording import Traced, wrap
from .versions import Array


class Size(tuple[int, ...]):
    """A shape; a tuple that can count its elements."""

    __slots__ = ()

    def numel(self) -> int:
        """Return the number of elements."""
        return int(np.prod(self, dtype=np.int64))

    def __repr__(self) -> str:
        return f"Size({list(self)})"


class Tensor(Traced):
    """An array with a history: run ops on it, call backward() on a result, read `.grad`."""

    vars().update(METHODS)
    vars().update(methods.CASTS)
    vars().update(methods.NEW)
    vars().update(methods.IN_PLACE)
    vars().update(draws.METHODS)

    def __init__(self, *data: Any) -> None:
        self._array = legacy.made(data, get_default_dtype())

    @classmethod
    def _wrap(cls, array: Array, requires_grad: bool = False) -> Self:
        self = object.__new__(cls)
        self._array = array
        self._rg = requires_grad
        return self

    # What it is

    shape = property(lambda self: self._array.shape, doc="The size of each axis.")
    dtype = property(lambda self: self._array.dtype, doc="The type of the elements.")
    ndim = property(lambda self: self._array.ndim, doc="The number of axes.")
    itemsize = property(lambda self: self._array.itemsize, doc="Bytes of one element.")
    nbytes = property(lambda self: self._array.nbytes, doc="Bytes of all elements.")
    is_leaf = property(lambda self: self._node is None, doc="Whether no recorded op made it.")
    grad_fn = property(lambda self: self._node, doc="The node that made it, None for a leaf.")
    device = property(lambda self: CPU, doc="Where the elements are: the CPU, always.")
    is_cuda = property(lambda self: False, doc="False: this is a CPU library.")
    _version = property(lambda self: versions.count(self._array), doc="In-place changes so far.")

    def dim(self) -> int:
        """Return the number of axes."""
        return self._array.ndim

    ndimension = dim

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one axis."""
        shape = self._array.shape
        return Size(shape) if dim is None else shape[dim_of(len(shape), dim)]

    def numel(self) -> int:
        """Return the number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return self._array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Return how many elements apart neighbours along each axis are."""
        strides = tuple(s // self._array.itemsize for s in self._array.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self) -> bool:
        """Tell whether the elements lie one after the other in memory."""
        return self._array.flags.c_contiguous

    def contiguous(self) -> Any:
        """Return x, or a copy whose elements lie one after the other."""
        return self if self._array.flags.c_contiguous else self.clone()

    def is_floating_point(self) -> bool:
        """Tell whether gradients can flow through it."""
        return self._array.dtype.kind == "f"

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return self._array.__array_interface__["data"][0]

    # What gradients need

    @property
    def requires_grad(self) -> bool:
        """Whether gradients with respect to it, or through it, are recorded."""
        return self._rg

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Make it a leaf that requires grad, or one that does not."""
        if self._node is not None and not requires_grad:
            raise GraphError(
                "requires_grad can be switched off for leaves only: use detach() on a result"
            )
        if requires_grad and self._array.dtype.kind != "f":
            raise DtypeError(
                f"requires_grad is for floating tensors, and this one is {self._array.dtype}: "
                "convert it with .float() first"
            )
        self._rg = bool(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        """What backward() added up so far: d(output)/d(self), in the shape of self."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Traced):
                raise TypeError(f"grad must be a Tensor or None, got a {type(value).__name__}")
            if value._array.shape != self._array.shape:
                raise ShapeError(
                    f"grad of shape {value.shape} does not fit a tensor of shape {self.shape}"
                )
            if value._array.dtype != self._array.dtype:
                raise DtypeError(f"grad of {value.dtype} does not fit a tensor of {self.dtype}")
        self._grad = value

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add d(self)/d(leaf), weighted by `gradient`, into `.grad` of every leaf."""
        me: Any = self
        gradients.backward(me, gradient, retain_graph, create_graph, inputs)

    register_hook = hooks.register_hook
    register_post_accumulate_grad_hook = hooks.register_post_accumulate_grad_hook
    retain_grad = hooks.retain_grad

    @property
    def retains_grad(self) -> bool:
        """Whether this is a result whose `.grad` backward() fills."""
        return self._node is not None and self._node.watch is not None and self._node.watch.retain

    def detach(self) -> Tensor:
        """Return a tensor on the same memory that has no history."""
        return wrap(self._array)

    def detach_(self) -> Self:
        """Forget the history."""
        if self._view is not None:
            raise GraphError("detach_() of a view: use detach()")
        self._node, self._rg = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without history; assigning replaces the memory."""
        return wrap(self._array)

    @data.setter
    def data(self, value: Any) -> None:
        array = creation.as_tensor(value)._array
        versions.touch(self._array)  # whoever saved the old memory must not use it
        self._array = array
        self._view = None

    # Other types

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return it in another dtype; to("cpu") and to(other) are understood as well."""
        dtype = kwargs.pop("dtype", None)
        check_device(kwargs.pop("device", None))
        copy = kwargs.pop("copy", False)
        for x in args:
            if isinstance(x, Traced):
                dtype = x._array.dtype
            elif isinstance(x, device_) or (isinstance(x, str) and x.startswith(("cpu", "cuda"))):
                check_device(x)
            elif not isinstance(x, bool):
                dtype = as_dtype(x)
        if dtype is None or as_dtype(dtype) == self._array.dtype:
            return self.clone() if copy else self
        return ops.cast(self, as_dtype(dtype))

    def type(self, dtype: Any = None) -> Any:
        """Return the dtype's name, or it in another dtype."""
        return str(self._array.dtype) if dtype is None else self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """Return it in the dtype of `other`."""
        return self.to(other.dtype)

    def cpu(self) -> Self:
        """Return it: it is on the CPU."""
        return self

    def cuda(self, *_: Any, **__: Any) -> Tensor:
        """Raise: this is a CPU library."""
        raise RuntimeError("cuda() is not available: this is a CPU library; use .to(device)")

    def item(self) -> Any:
        """Return the only element as a Python number."""
        if self._array.size != 1:
            raise ShapeError(
                f"item() got shape {self.shape}: it needs a tensor with exactly one element"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self._array.tolist()

    def numpy(self) -> Array:
        """Return a read-only view of the memory; copy it to write."""
        if self._rg:
            raise GraphError(
                "numpy() on a tensor that requires grad would lose the graph: use .detach().numpy()"
            )
        return interop.read_only(self._array)

    def where(self, condition: Any, other: Any) -> Any:
        """Return x where the condition holds, `other` elsewhere."""
        return ops.where(condition, self, other)

    # Fresh ones like it

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
        """One value in a new size and the same dtype."""
        return creation.full(size, fill_value, dtype=dtype or self._array.dtype, **options)

    def new_tensor(self, data: Any, dtype: Any = None) -> Any:
        """A copy of the data in the same dtype."""
        return creation.tensor(data, dtype=dtype or self._array.dtype)

    # In-place

    def zero_(self) -> Self:
        """Set all elements to 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Self:
        """Set all elements to one number."""
        inplace.setitem(self, ..., value)
        return self

    def copy_(self, source: Any, non_blocking: Any = False) -> Self:
        """Take over the values, and the history, of `source`."""
        inplace.setitem(self, ..., source)
        return self

    # Operators

    # Not ops.add, which also takes alpha: the op itself is quicker.
    __add__ = __radd__ = ops.add.op.call
    __sub__, __rsub__ = ops.sub.op.call, methods.reflected(ops.sub)
    __mul__ = __rmul__ = ops.mul
    __truediv__, __rtruediv__ = ops.div.op.call, methods.reflected(ops.div)
    __floordiv__, __rfloordiv__ = ops.floor_divide, methods.reflected(ops.floor_divide)
    __mod__, __rmod__ = ops.remainder, methods.reflected(ops.remainder)
    __pow__, __rpow__ = ops.pow, methods.reflected(ops.pow)
    __matmul__, __rmatmul__ = ops.matmul, methods.reflected(ops.matmul)
    __neg__, __pos__, __abs__ = ops.neg, ops.positive, ops.abs
    __iadd__, __isub__ = methods.augmented("add"), methods.augmented("sub")
    __imul__, __itruediv__ = methods.augmented("mul"), methods.augmented("div")
    __ifloordiv__, __imod__ = methods.augmented("floor_divide"), methods.augmented("remainder")
    __ipow__ = methods.augmented("pow")
    __and__ = __rand__ = ops.bitwise_and
    __or__ = __ror__ = ops.bitwise_or
    __xor__ = __rxor__ = ops.bitwise_xor
    __invert__ = ops.bitwise_not
    __lshift__, __rlshift__ = (
        ops.bitwise_left_shift,
        methods.reflected(ops.bitwise_left_shift),
    )
    __rshift__, __rrshift__ = (
        ops.bitwise_right_shift,
        methods.reflected(ops.bitwise_right_shift),
    )
    __iand__, __ior__ = methods.augmented("bitwise_and"), methods.augmented("bitwise_or")
    __ixor__ = methods.augmented("bitwise_xor")
    __ilshift__ = methods.augmented("bitwise_left_shift")
    __irshift__ = methods.augmented("bitwise_right_shift")
    __eq__, __ne__ = ops.eq, ops.ne  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = ops.lt, ops.le, ops.gt, ops.ge
    __hash__ = object.__hash__
    __getitem__, __setitem__ = ops.getitem, inplace.setitem

    T = property(ops.t, doc="The transpose of a matrix.")
    H = property(ops.t, doc="The transpose of a matrix: there are no complex numbers.")
    mT = property(ops.mT, doc="The last two axes swapped.")

    # Python's protocols

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self._array)))

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.shape} is ambiguous: use .any() or .all()"
            )
        return bool(self._array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "iub":
            raise TypeError("only an integer tensor with one element can be an index")
        return int(self._array.item())

    def __contains__(self, x: Any) -> bool:
        return bool((self == x)._array.any())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self._array.ndim else object.__format__(self, spec)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return printing.tensor_text(self)

    __reduce_ex__ = interop.reduce
    __deepcopy__ = interop.deepcopy
    __array__ = interop.array
    __array_ufunc__ = interop.array_ufunc
    __array_function__ = interop.array_function
    __array_priority__ = 1000
    __dlpack__ = interop.dlpack
    __dlpack_device__ = interop.dlpack_device


results_are(Tensor)
