"""What a network really did with one image: every operation in order, with its inputs and outputs.

The source code is not analysed: the network runs, in 32-bit arithmetic on the processor, while a `TorchFunctionMode`
records each torch function that it calls and a hook on each layer records which layer made the call.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name


@dataclass(frozen=True)
class Source:
    """A tensor on its way through the network: the operation that output it (−1: the image), and its value at that
    moment.
    """

    op: int
    value: Tensor = field(repr=False, compare=False)


@dataclass
class Op:
    """One call. `output` is a copy: later changes in place do not affect it."""

    index: int
    # unique and lasting: the layer's name, with :operation where it makes several calls, and #2 where one is repeated
    key: str
    name: str  # conv2d, linear, relu, add, … as torch calls it
    layer: str  # name of the innermost layer that made the call; "" for the network itself
    func: Any
    args: tuple[Any, ...]  # as called; a Source replaces a tensor that another operation made, or that is the image
    kwargs: dict[str, Any]
    part: int  # the number of this output, where there are several
    output: Tensor

    @property
    def inputs(self) -> list[Source]:
        return list(_sources((self.args, tuple(self.kwargs.values()))))

    def argument(self, place: int, name: str, otherwise: Any = None) -> Any:
        """The argument as it was passed, by position or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, otherwise)

    def again(self, exchanged: list[Tensor]) -> Tensor:
        """Repeat the call with other tensors in place of its inputs."""
        rest = iter(exchanged)
        output = self.func(
            *_fill_sources(self.args, rest), **{key: _fill_sources(value, rest) for key, value in self.kwargs.items()}
        )
        return output[self.part] if isinstance(output, (tuple, list)) else output  # type: ignore[no-any-return]


@dataclass
class Trace:
    ops: list[Op]
    image: Tensor  # (1, channels, height, width), normalised
    output: Tensor  # (1, classes): logits

    def find(self, name: str) -> Op:
        """The operation with this key, or the last one of the layer with this name, whose output is that of the layer.
        Raises KeyError.
        """
        for op in self.ops:
            if op.key == name:
                return op
        of_layer = [op for op in self.ops if op.layer == name or op.layer.startswith(name + ".")]
        if not of_layer:
            raise KeyError(f"There is no operation {name} in this network.")
        return of_layer[-1]

    def value(self, index: int) -> Tensor:
        """The output of this operation; −1: the image."""
        return self.image if index < 0 else self.ops[index].output

    def users(self, index: int) -> list[Op]:
        """The operations that take the output of this one."""
        return [other for other in self.ops[index + 1 :] if any(source.op == index for source in other.inputs)]


Change = Callable[[int, Tensor], Tensor]  # (index of an operation, its output) → the output to go on with


@torch.no_grad()
def trace(model: nn.Module, image: Tensor, change: Change | None = None) -> Trace:
    """Run the network in evaluation mode and record it. image: (1, channels, size, size), normalised; `change` may
    alter the outputs of operations.
    """
    return record_calls(model, image, change)


def record_calls(model: nn.Module, image: Tensor, change: Change | None = None) -> Trace:
    """As `trace`, with gradients where they are enabled: `output` stays connected to what `change` put in."""
    names = {module: name for name, module in model.named_modules()}
    stack: list[str] = [""]

    def enter(module: nn.Module, _: Any) -> None:
        stack.append(names[module])

    def leave(module: nn.Module, _: Any, __: Any) -> None:
        stack.pop()

    hooks = [
        h
        for module in model.modules()
        for h in (module.register_forward_pre_hook(enter), module.register_forward_hook(leave))
    ]
    image = image.clone()  # a network may change it in place
    recorder = _Recorder(stack, image, change)
    try:
        with in_evaluation(model), recorder:
            output = model(image)
    finally:
        for hook in hooks:
            hook.remove()
    _name(recorder.ops, {name for module, name in names.items() if not list(module.children())})
    return Trace(recorder.ops, recorder.first, output.clone())


@contextlib.contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while. Afterwards each module is as it was: some may have been in evaluation mode
    before.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


# Calls that make no tensor, or change no number of one.
SILENT = ("size", "dim", "stride", "numel", "is_floating_point", "requires_grad_", "data_ptr")


class _Recorder(TorchFunctionMode):
    def __init__(self, stack: list[str], image: Tensor, change: Change | None) -> None:
        super().__init__()
        self.change = change
        self.stack: list[str] = stack
        self.ops: list[Op] = []
        self.first = image.detach().clone()
        # (id, version) → the source at that moment
        self.copies: dict[tuple[int, int], Source] = {(id(image), image._version): Source(-1, self.first)}
        self.made_by: dict[int, int] = {id(image): -1}
        self.alive: list[Tensor] = [image]  # an id is only valid while its tensor lives

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = _plain_name(func, (*args[1:], *kwargs.values()))
        if name in SILENT:
            return func(*args, **kwargs)
        places, names = _positional(args, kwargs)
        # before the call, which may change them in place
        taken = self._as_sources(places), {key: self._as_sources(value) for key, value in names.items()}
        output = func(*args, **kwargs)
        if not any(True for _ in _sources((taken[0], tuple(taken[1].values())))):
            return output
        if output is None and args and isinstance(args[0], Tensor):  # x[…] = y: x now comes from both
            self._record(args[0], name, func, taken, 0)
            return None
        if isinstance(output, Tensor):
            return self._record(output, name, func, taken, 0)
        if type(output) in (tuple, list):
            return type(output)(
                self._record(part, name, func, taken, k) if isinstance(part, Tensor) else part
                for k, part in enumerate(output)
            )
        for k, part in enumerate(output if isinstance(output, tuple) else ()):  # a named tuple is passed on unchanged
            if isinstance(part, Tensor):
                self._record(part, name, func, taken, k, changeable=False)
        return output

    def _record(
        self, tensor: Tensor, name: str, func: Any, taken: tuple[Any, Any], part: int, changeable: bool = True
    ) -> Tensor:
        """Record that this operation output this tensor; returns the tensor with which the network continues."""
        if self.change and changeable:
            tensor = self.change(len(self.ops), tensor)
        op = Op(len(self.ops), "", name, self.stack[-1], func, *taken, part, tensor.detach().clone())
        self.ops.append(op)
        self.copies[id(tensor), tensor._version] = Source(op.index, op.output)
        self.made_by[id(tensor)] = op.index
        self.alive.append(tensor)
        return tensor

    def _as_sources(self, value: Any) -> Any:
        if isinstance(value, Tensor) and id(value) in self.made_by:
            # changed without a recorded call, through a view or an assignment
            if (id(value), value._version) not in self.copies:
                before = Source(
                    self.made_by[id(value)],
                    self.ops[self.made_by[id(value)]].output if self.made_by[id(value)] >= 0 else value,
                )
                self._record(value, CHANGED, None, ((before,), {}), 0, changeable=False)
            return self.copies[id(value), value._version]
        if isinstance(value, (tuple, list)):
            return tuple(self._as_sources(item) for item in value)
        if isinstance(value, Tensor):  # a weight is used without a copy; a constant may be changed later
            return value.detach() if value.requires_grad or isinstance(value, nn.Parameter) else value.detach().clone()
        return value


CHANGED = "changed in place"


def _positional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """torch.add(input=a, other=b) is torch.add(a, b)."""
    kwargs = dict(kwargs)
    for place, name in enumerate(("input", "other")):
        if len(args) == place and name in kwargs:
            args = (*args, kwargs.pop(name))
    return args, kwargs


def _plain_name(func: Any, values: tuple[Any, ...]) -> str:
    """relu_ and relu are one operation, and so are __add__, __radd__ and add; hardtanh from 0 to 6 is what nn.ReLU6
    calls; reading .shape is not an operation.
    """
    name = getattr(func, "__name__", "") or resolve_name(func) or "unknown"
    if name == "__get__":
        return "attribute"
    bare = name.strip("_")
    if bare == "hardtanh" and [
        value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)
    ] == [0.0, 6.0]:
        return "relu6"
    return (
        bare[1:]
        if name in ("__radd__", "__rmul__")
        else {"truediv": "div", "iadd": "add", "imul": "mul"}.get(bare, bare)
    )


def _name(ops: list[Op], leaves: set[str]) -> None:
    taken: Counter[str] = Counter()
    for op in ops:
        key = op.layer if op.layer in leaves else f"{op.layer}:{op.name}"
        taken[key] += 1
        op.key = key if taken[key] == 1 else f"{key}#{taken[key]}"


def _sources(value: Any) -> Iterator[Source]:
    if isinstance(value, Source):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _sources(item)


def _fill_sources(value: Any, rest: Iterator[Tensor]) -> Any:
    if isinstance(value, Source):
        return next(rest)
    if isinstance(value, tuple):
        return tuple(_fill_sources(item, rest) for item in value)
    return value
