"""The preprocessing as an ONNX graph: uint8 RGB of any size in, normalised float square out, in standard operators
only.

The resize repeats Pillow's fixed-point arithmetic (Pillow's Resample.c: coefficients in 22-bit fixed point, horizontal
pass, rounding to 8 bits, vertical pass, rounding) as two matrix products of whole numbers below 2⁵³ in float64, which
are exact in any order of summation. So the pixels equal those the network was trained on, bit for bit; the Resize
operator of today's runtimes differs from Pillow by up to 20 grey levels at the borders.
"""

from __future__ import annotations

import onnx
from onnx import parser

from limpide.data.preprocessing import GRAY_ROUNDING, GRAY_SHIFT, GRAY_WEIGHTS, Preprocessing

OPSET, IR_VERSION = 18, 9
PRECISION = 1 << 22  # Pillow's coefficients: 32 bits less 8 of the pixel less 2 of head-room


def preprocessing_model(p: Preprocessing) -> onnx.ModelProto:
    """image: uint8 (batch, height, width, 3) → pixels: float32 (batch, channels, size, size)."""
    text = f"""
    <ir_version: {IR_VERSION}, opset_import: ["": {OPSET}]>
    preprocessing (uint8[batch, height, width, 3] image) => (float[batch, {p.channels}, {p.size}, {p.size}] pixels) {{
      shape = Shape (image)
      one = Constant <value_ints = [1]> ()
      two = Constant <value_ints = [2]> ()
      three = Constant <value_ints = [3]> ()
      height_of = Slice (shape, one, two)
      width_of = Slice (shape, two, three)
      side = Constant <value_ints = [{p.size}]> ()
      high = Equal (height_of, side)
      wide = Equal (width_of, side)
      both = And (high, wide)
      empty = Constant <value = int64[0] {{}}> ()
      already_square = Reshape (both, empty)
      square = If (already_square) <
        then_branch = kept () => (uint8[batch, {p.size}, {p.size}, 3] same) {{ same = Identity (image) }},
        else_branch = resized () => (uint8[batch, {p.size}, {p.size}, 3] resampled) {{ {_resample(p)} }}
      >
      {_gray() if p.channels == 1 else "levels = Cast <to = 1> (square)"}
      mean = Constant <value_floats = [{_floats(p.mean)}]> ()
      std = Constant <value_floats = [{_floats(p.std)}]> ()
      centred = Sub (levels, mean)
      normalised = Div (centred, std)
      pixels = Transpose <perm = [0, 3, 1, 2]> (normalised)
    }}"""
    model = parser.parse_model(text)
    onnx.checker.check_model(model)
    return model


def _floats(values: tuple[float, ...]) -> str:
    return ", ".join(f"{float(value)!r}" for value in values)


def _gray() -> str:
    """Preprocessing.grey: weighted sum of red, green, blue in 16-bit fixed point."""
    red, green, blue = GRAY_WEIGHTS
    return f"""
      whole = Cast <to = 6> (square)
      weights = Constant <value = int32[3] {{{red}, {green}, {blue}}}> ()
      weighted = Mul (whole, weights)
      last_axis = Constant <value_ints = [-1]> ()
      luma = ReduceSum <keepdims = 1> (weighted, last_axis)
      rounding = Constant <value = int32 {{{GRAY_ROUNDING}}}> ()
      rounded = Add (luma, rounding)
      divisor = Constant <value = int32 {{{1 << GRAY_SHIFT}}}> ()
      grey = Div (rounded, divisor)
      levels = Cast <to = 1> (grey)"""


def _resample(p: Preprocessing) -> str:
    if p.fit == "squash":
        box = """
          x_low = Sub (width_of, width_of)
          x_high = Identity (width_of)
          y_low = Sub (height_of, height_of)
          y_high = Identity (height_of)"""
    else:
        box = f"""
          largest = Min (height_of, width_of)
          kept_of_1024 = Constant <value_ints = [{p.centre}]> ()
          whole_of_1024 = Constant <value_ints = [1024]> ()
          kept_times = Mul (largest, kept_of_1024)
          kept_side = Div (kept_times, whole_of_1024)
          shorter = Max (kept_side, one)
          x_spare = Sub (width_of, shorter)
          x_low = Div (x_spare, two)
          x_high = Add (x_low, shorter)
          y_spare = Sub (height_of, shorter)
          y_low = Div (y_spare, two)
          y_high = Add (y_low, shorter)"""
    return f"""
          zero = Constant <value_ints = [0]> ()
          zero_scalar = Constant <value = int64 {{0}}> ()
          one_scalar = Constant <value = int64 {{1}}> ()
          size_scalar = Constant <value = int64 {{{p.size}}}> ()
          half = Constant <value = double {{0.5}}> ()
          unit = Constant <value = double {{1.0}}> ()
          nothing = Constant <value = double {{0.0}}> ()
          brightest = Constant <value = double {{255.0}}> ()
          precision = Constant <value = double {{{float(PRECISION)}}}> ()
          {box}
          {_coefficients("x", "width_of", p)}
          {_coefficients("y", "height_of", p)}
          planes_u8 = Transpose <perm = [0, 3, 1, 2]> (image)
          planes = Cast <to = 11> (planes_u8)
          x_columns = Transpose <perm = [1, 0]> (x_fixed)
          x_sum = MatMul (planes, x_columns)
          {_to_levels("x_sum", "x_levels")}
          y_sum = MatMul (y_fixed, x_levels)
          {_to_levels("y_sum", "y_levels")}
          done = Cast <to = 2> (y_levels)
          resampled = Transpose <perm = [0, 2, 3, 1]> (done)"""


def _to_levels(source: str, target: str) -> str:
    """(sum + half) >> 22, clipped to 0 … 255."""
    return f"""
          {source}_scaled = Div ({source}, precision)
          {source}_half = Add ({source}_scaled, half)
          {source}_floor = Floor ({source}_half)
          {target} = Clip ({source}_floor, nothing, brightest)"""


def _coefficients(a: str, length: str, p: Preprocessing) -> str:
    """Pillow's precompute_coeffs for axis `a`, as a dense matrix (size, length) of whole numbers in float64."""
    support = {"bilinear": 1.0, "bicubic": 2.0}[p.filter]
    return f"""
          {a}_low_d = Cast <to = 11> ({a}_low)
          {a}_high_d = Cast <to = 11> ({a}_high)
          {a}_extent = Sub ({a}_high_d, {a}_low_d)
          {a}_size = Cast <to = 11> (side)
          {a}_scale = Div ({a}_extent, {a}_size)
          {a}_filterscale = Max ({a}_scale, unit)
          {a}_radius = Constant <value = double {{{support}}}> ()
          {a}_support = Mul ({a}_filterscale, {a}_radius)
          {a}_inverse = Div (unit, {a}_filterscale)
          {a}_out = Range (zero_scalar, size_scalar, one_scalar)
          {a}_out_d = Cast <to = 11> ({a}_out)
          {a}_out_half = Add ({a}_out_d, half)
          {a}_offset = Mul ({a}_out_half, {a}_scale)
          {a}_centre_flat = Add ({a}_low_d, {a}_offset)
          {a}_centre = Unsqueeze ({a}_centre_flat, one)
          {a}_first_raw = Sub ({a}_centre, {a}_support)
          {a}_first_half = Add ({a}_first_raw, half)
          {a}_first_floor = Floor ({a}_first_half)
          {a}_first = Max ({a}_first_floor, nothing)
          {a}_end_raw = Add ({a}_centre, {a}_support)
          {a}_end_half = Add ({a}_end_raw, half)
          {a}_end = Floor ({a}_end_half)
          {a}_length = Squeeze ({length})
          {a}_in = Range (zero_scalar, {a}_length, one_scalar)
          {a}_in_flat = Cast <to = 11> ({a}_in)
          {a}_in_d = Unsqueeze ({a}_in_flat, zero)
          {a}_from = GreaterOrEqual ({a}_in_d, {a}_first)
          {a}_until = Less ({a}_in_d, {a}_end)
          {a}_inside = And ({a}_from, {a}_until)
          {a}_apart = Sub ({a}_in_d, {a}_centre)
          {a}_apart_half = Add ({a}_apart, half)
          {a}_signed = Mul ({a}_apart_half, {a}_inverse)
          {a}_t = Abs ({a}_signed)
          {_FILTER_TEXT[p.filter].format(a=a)}
          {a}_weight = Where ({a}_inside, {a}_filter, nothing)
          {a}_total = ReduceSum <keepdims = 1> ({a}_weight, one)
          {a}_share = Div ({a}_weight, {a}_total)
          {a}_exact = Mul ({a}_share, precision)
          {a}_sign = Sign ({a}_exact)
          {a}_bias = Mul ({a}_sign, half)
          {a}_biased = Add ({a}_exact, {a}_bias)
          {a}_whole = Cast <to = 7> ({a}_biased)
          {a}_fixed = Cast <to = 11> ({a}_whole)"""


_FILTER_TEXT = {
    "bilinear": """
          {a}_fall = Sub (unit, {a}_t)
          {a}_filter = Max ({a}_fall, nothing)""",
    # Keys 1981 with a = −½: ((a + 2) t − (a + 3)) t² + 1 below 1, (((t − 5) t + 8) t − 4) a below 2.
    "bicubic": """
          {a}_c1 = Constant <value = double {{1.5}}> ()
          {a}_c2 = Constant <value = double {{2.5}}> ()
          {a}_n1 = Mul ({a}_t, {a}_c1)
          {a}_n2 = Sub ({a}_n1, {a}_c2)
          {a}_n3 = Mul ({a}_n2, {a}_t)
          {a}_n4 = Mul ({a}_n3, {a}_t)
          {a}_near = Add ({a}_n4, unit)
          {a}_c5 = Constant <value = double {{5.0}}> ()
          {a}_c8 = Constant <value = double {{8.0}}> ()
          {a}_c4 = Constant <value = double {{4.0}}> ()
          {a}_ca = Constant <value = double {{-0.5}}> ()
          {a}_c0 = Constant <value = double {{2.0}}> ()
          {a}_f1 = Sub ({a}_t, {a}_c5)
          {a}_f2 = Mul ({a}_f1, {a}_t)
          {a}_f3 = Add ({a}_f2, {a}_c8)
          {a}_f4 = Mul ({a}_f3, {a}_t)
          {a}_f5 = Sub ({a}_f4, {a}_c4)
          {a}_f6 = Mul ({a}_f5, {a}_ca)
          {a}_below2 = Less ({a}_t, {a}_c0)
          {a}_far = Where ({a}_below2, {a}_f6, nothing)
          {a}_below1 = Less ({a}_t, unit)
          {a}_filter = Where ({a}_below1, {a}_near, {a}_far)""",
}
