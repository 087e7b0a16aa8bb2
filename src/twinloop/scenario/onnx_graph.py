"""Operations, parameters and memory traffic of one sample, counted from an ONNX graph.

Shapes come from the graph's own inference after its open dimensions are fixed: a first axis without a
size is the batch and becomes 1, every other open axis must be given by the scenario's ``shapes``.

- Operations: 2 per multiply-add of ``Conv``, ``ConvTranspose``, ``Gemm``, ``MatMul`` (also quantised),
  ``Attention``, ``LSTM``, ``GRU``, ``RNN``; 1 per output value of every other operator.
- Parameters: all stored floating-point and quantised tensors; integers are shapes and indices.
- Traffic: the outputs of the operators above, of look-ups, pooling and joins, written once and read
  once at 2 bytes a value. Element-wise operators are taken as fused into their producer.

Where the first axis has a size N, the counts are of N samples and divided by it. A tree ensemble
(``ai.onnx.ml``) becomes a model of kind ``trees``. Loops and operators of other domains are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twinloop.errors import Fault, InputError, MissingExtraError
from twinloop.model.network import Network

BYTES_PER_VALUE = 2.0
Shapes = Mapping[str, tuple[int, ...]]

STORED = frozenset(
    (
        "Gather",
        "GatherElements",
        "Concat",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "LayerNormalization",
        "EmbedLayerNormalization",
    )
)
"""Operators besides the counted ones whose output meets memory."""
FREE = frozenset(
    (
        "Constant",
        "Shape",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "Identity",
        "Cast",
        "ConstantOfShape",
        "Dropout",
    )
)
"""Operators that compute nothing."""
LOOPS = frozenset(("Loop", "Scan", "If", "SequenceMap"))
TREES = frozenset(("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"))
DOMAINS = frozenset(("", "ai.onnx", "ai.onnx.ml"))
WEIGHT_TYPES = frozenset((1, 2, 3, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23))
"""TensorProto data types of weights: float, (u)int8, float16, double, bfloat16, float8, (u)int4, float4."""


def network_from_onnx(name: str, path: Path, sizes: Mapping[str, int] | None = None) -> Network:
    """Return the counts of the graph at ``path`` for one sample; ``sizes`` fixes open dimensions by name.

    Raises:
        InputError: missing, not an ONNX model, a dimension left open, or an operator that cannot be counted.
        MissingExtraError: the package ``onnx`` is not installed.
    """
    model = _loaded(path)
    graph = _inferred(model, path, dict(sizes or {}))
    trees = [node for node in graph.node if node.op_type in TREES]
    if trees:
        return _tree_network(name, trees, path)
    shapes = _shapes(graph)
    flops = values = 0.0
    for node in graph.node:
        _refuse(node, path)
        produced = float(sum(math.prod(shapes[each]) for each in node.output if each in shapes))
        if node.op_type in COUNTED:
            flops += _counted(node, shapes, path)
            values += produced
        elif node.op_type not in FREE:
            flops += produced
            values += produced if node.op_type in STORED else 0.0
    samples = _batch(graph, shapes)
    return Network(
        name=name,
        kind="convnet" if any(node.op_type.endswith("Conv") for node in graph.node) else "generic",
        parameters=_parameters(graph),
        flops_per_sample=flops / samples,
        bytes_per_sample=2.0 * BYTES_PER_VALUE * values / samples,
        source=path.name,
    )


def _fault(path: Path, got: str, expected: str) -> InputError:
    return InputError(Fault(str(path), None, "onnx", got, expected))


def _loaded(path: Path) -> Any:
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no types
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx", "reading an ONNX model") from error
    if not path.is_file():
        raise _fault(path, "no such file", "an .onnx model")
    try:
        # Weights beside the file are not needed: their shapes are in it.
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError, ValueError, RuntimeError) as error:
        got = f"no ONNX model ({type(error).__name__})"
        raise _fault(path, got, "an .onnx model") from error
    if not model.graph.node:
        raise _fault(path, "a graph without operators", "an .onnx model")
    return model


def _inferred(model: Any, path: Path, sizes: dict[str, int]) -> Any:
    """Return the graph with every shape that follows from its inputs."""
    from onnx import checker, inliner, shape_inference

    model = inliner.inline_local_functions(model) if model.functions else model
    stored = {tensor.name for tensor in model.graph.initializer}
    open_axes: list[str] = []
    for value in model.graph.input:
        if value.name in stored or not value.type.HasField("tensor_type"):
            continue
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.HasField("dim_value"):
                continue
            label = dim.dim_param or f"{value.name}[{axis}]"
            if label not in sizes and axis > 0:
                open_axes.append(label)
            dim.dim_value = sizes.get(label, 1)
    if open_axes:
        wanted = ", ".join(f"{label}: N" for label in dict.fromkeys(open_axes))
        raise InputError(Fault(str(path), None, "onnx", "open dimensions", f"`shapes: {{{wanted}}}` beside onnx"))
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        return shape_inference.infer_shapes(model, data_prop=True).graph
    except (shape_inference.InferenceError, checker.ValidationError, ValueError, RuntimeError) as error:
        got = f"shapes that do not fit ({error})"[:160]
        raise _fault(path, got, "a graph whose shapes agree") from error


def _shapes(graph: Any) -> Shapes:
    found = {tensor.name: tuple(int(size) for size in tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        for tensor in _constants(node):
            found[node.output[0]] = tuple(int(size) for size in tensor.dims)
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            found.setdefault(value.name, tuple(int(dim.dim_value) for dim in dims))
    return found


def _constants(node: Any) -> list[Any]:
    return [each.t for each in node.attribute if node.op_type == "Constant" and each.name == "value"]


def _parameters(graph: Any) -> float:
    tensors = [*graph.initializer, *(tensor for node in graph.node for tensor in _constants(node))]
    return float(sum(math.prod(tensor.dims) for tensor in tensors if tensor.data_type in WEIGHT_TYPES))


def _batch(graph: Any, shapes: Shapes) -> int:
    stored = {tensor.name for tensor in graph.initializer}
    first = {shapes[each.name][0] for each in graph.input if each.name not in stored and shapes.get(each.name)}
    return first.pop() if len(first) == 1 else 1


def _refuse(node: Any, path: Path) -> None:
    if node.domain not in DOMAINS:
        got = f"the operator {node.domain}.{node.op_type}"
        raise _fault(path, got, "standard operators: export without fused ones")
    if node.op_type in LOOPS:
        got = f"the operator {node.op_type}"
        raise _fault(path, got, "a graph without loops and branches")


def _counted(node: Any, shapes: Shapes, path: Path) -> float:
    rule = COUNTED[node.op_type]
    try:
        inputs = [shapes[each] if each else () for each in node.input[: 6 if rule is _attention else 8]]
        return rule(node, inputs, shapes[node.output[0]])
    except (KeyError, IndexError) as error:
        got = f"no shape for {node.op_type} {node.name or node.output[0]!r}"
        raise InputError(Fault(str(path), None, "onnx", got, "a graph whose shapes can be inferred")) from error


Rule = Callable[[Any, list[tuple[int, ...]], tuple[int, ...]], float]


def _attribute(node: Any, name: str, otherwise: int) -> int:
    return next((int(each.i) for each in node.attribute if each.name == name), otherwise)


def _conv(position: int) -> Rule:
    """Each output value: input channels of its group times the kernel."""
    return lambda _, inputs, out: 2.0 * math.prod(out) * math.prod(inputs[position][1:])


def _transposed(_: Any, inputs: list[tuple[int, ...]], __: tuple[int, ...]) -> float:
    """Each input value: output channels of its group times the kernel."""
    return 2.0 * math.prod(inputs[0]) * math.prod(inputs[1][1:])


def _matmul(_: Any, inputs: list[tuple[int, ...]], out: tuple[int, ...]) -> float:
    return 2.0 * math.prod(out) * inputs[0][-1]


def _gemm(node: Any, inputs: list[tuple[int, ...]], out: tuple[int, ...]) -> float:
    return 2.0 * math.prod(out) * inputs[0][0 if _attribute(node, "transA", 0) else 1]


def _attention(node: Any, inputs: list[tuple[int, ...]], out: tuple[int, ...]) -> float:
    """Scores and weighted sum, ``4 s_q s_k`` per value of width; (b, s, h) or (b, heads, s, d)."""
    query, key = inputs[0], inputs[1]
    width = query[-1] if len(query) == 3 else query[1] * query[3]
    del node, out
    return 4.0 * query[0] * query[-2] * key[-2] * width


def _recurrent(gates: int) -> Rule:
    """Every step: gates from input and from state; X (s, b, i), W (directions, gates h, i), R (…, h)."""

    def count(_: Any, inputs: list[tuple[int, ...]], __: tuple[int, ...]) -> float:
        steps, batch, _features = inputs[0]
        hidden = inputs[2][-1]
        return 2.0 * steps * batch * inputs[1][0] * gates * hidden * (inputs[1][-1] + hidden)

    return count


COUNTED: dict[str, Rule] = {
    "Conv": _conv(1),
    "ConvInteger": _conv(1),
    "QLinearConv": _conv(3),
    "ConvTranspose": _transposed,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearMatMul": _matmul,
    "Gemm": _gemm,
    "Attention": _attention,
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "RNN": _recurrent(1),
}
"""Operators that carry the work."""


def _tree_network(name: str, nodes: list[Any], path: Path) -> Network:
    """Return trees and the deepest depth; children come after parents, as exporters write them."""
    trees = depth = 0
    for node in nodes:
        lists = {each.name: [*each.ints, *each.strings] for each in node.attribute}
        try:
            ids, own = lists["nodes_treeids"], lists["nodes_nodeids"]
            rows = zip(
                ids,
                own,
                lists["nodes_truenodeids"],
                lists["nodes_falsenodeids"],
                lists["nodes_modes"],
                strict=True,
            )
            level: dict[tuple[int, int], int] = {}
            for tree, here, left, right, mode in rows:
                at = level.setdefault((tree, here), 0)
                if mode != b"LEAF":
                    level[tree, left] = level[tree, right] = at + 1
        except (KeyError, ValueError) as error:
            got = f"a {node.op_type} without node lists"
            raise _fault(path, got, "ai.onnx.ml trees of version 1 to 4") from error
        trees += len(set(ids))
        depth = max(depth, *level.values())
    return Network(name=name, kind="trees", trees=trees, depth=max(depth, 1), source=path.name)
