"""FLOPs, parameters and memory traffic counted from an ONNX graph.

Counted: ``Conv``, ``ConvTranspose``, ``Gemm``, ``MatMul`` (2 per multiply-add); every other operator as one
operation per output value. Parameters: all initialisers. Traffic: every node's outputs written and read
once at 2 bytes a value, plus the parameters. Unknown (symbolic) dimensions count as 1: one sample.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from twinloop.errors import Fault, InputError, MissingExtraError
from twinloop.model.network import Network

BYTES_PER_VALUE = 2.0


def network_from_onnx(name: str, path: Path, sizes: dict[str, int] | None = None) -> Network:
    """Return the counts of the graph at ``path`` for one sample.

    Raises:
        InputError: missing or not an ONNX model.
        MissingExtraError: the package ``onnx`` is not installed.
    """
    try:
        import onnx
        from onnx import shape_inference
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx", "reading an ONNX model") from error
    if not path.is_file():
        raise InputError(Fault(str(path), None, "onnx", "no such file", "an .onnx model"))
    try:
        graph = shape_inference.infer_shapes(onnx.load(str(path))).graph
    except Exception as error:
        raise InputError(
            Fault(str(path), None, "onnx", f"{type(error).__name__}", "an .onnx model")
        ) from error
    shapes = _shapes(graph)
    parameters = sum(math.prod(tensor.dims) for tensor in graph.initializer)
    flops, values = 0.0, 0.0
    for node in graph.node:
        produced = sum(math.prod(shapes.get(output, ())) for output in node.output if output in shapes)
        values += produced
        flops += _flops(node, shapes, produced)
    return Network(
        name=name,
        kind="convnet" if any(node.op_type == "Conv" for node in graph.node) else "generic",
        parameters=float(parameters),
        flops_per_sample=flops,
        bytes_per_sample=BYTES_PER_VALUE * (2.0 * values + parameters),
        source=path.name,
    )


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    found = {tensor.name: tuple(int(size) for size in tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.name not in found:
            found[value.name] = tuple(max(int(dim.dim_value), 1) for dim in value.type.tensor_type.shape.dim)
    return found


def _flops(node: Any, shapes: dict[str, tuple[int, ...]], produced: float) -> float:
    if node.op_type in ("Conv", "ConvTranspose") and node.input[1] in shapes:
        weights = shapes[node.input[1]]
        per_value = math.prod(weights[1:])
        if node.op_type == "ConvTranspose":
            return 2.0 * math.prod(shapes.get(node.input[0], ())) * per_value
        return 2.0 * produced * per_value
    if node.op_type in ("MatMul", "Gemm") and node.input[0] in shapes:
        inner = shapes[node.input[0]]
        transposed = any(each.name == "transA" and each.i for each in node.attribute)
        return 2.0 * produced * (inner[0] if transposed else inner[-1] if inner else 1)
    return produced
