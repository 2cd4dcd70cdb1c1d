"""The small tables of predict, runs, models, info and explain, printed on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from limpide.core.errors import one_line
from limpide.core.finding import Finding
from limpide.core.run_summary import RunSummary
from limpide.report import unit_grid
from limpide.text import formats
from limpide.text.messages import N_, Message, _, message
from limpide.text.numbers import (
    NBSP,
    format_bytes,
    format_duration,
    format_large,
    format_number,
    format_percent,
    format_significant,
)

MANY_CLASSES = 1000  # of ImageNet
STATUS = {
    "started": N_("started"),
    "running": N_("running"),
    "paused": N_("paused"),
    "interrupted": N_("interrupted"),
    "stopped": N_("stopped"),
    "refused": N_("refused"),
    "finished": N_("finished"),
}
PRETRAINED = {"none": formats.NOTHING, "installed": N_("installed"), "missing": N_("not installed")}


def _table(*columns: str) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right", overflow="fold")
    return table


def _print(table: Any) -> None:
    from limpide.report.terminal.console import Console

    Console(highlight=False).print(table)


def _cell(text: object) -> Any:
    from rich.text import Text

    return Text(one_line(str(text)))


def print_rows(heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> list[int]:
    """Print rows below the heads or, with the `widths` of an earlier table, below that table; return the minimum widths
    of the columns (characters).
    """
    from rich.cells import cell_len

    table = _table(*heads)
    table.show_header = not widths
    lines = [[_cell(text) for text in row] for row in rows]
    least_widths = [max(cell_len(head), *(line[k].cell_len for line in lines)) for k, head in enumerate(heads)]
    if widths:
        least_widths = list(widths)
        for column, width in zip(table.columns, widths, strict=True):
            column.min_width = width
    for line in lines:
        table.add_row(*line)
    _print(table)
    return least_widths


def print_runs(rows: Sequence[RunSummary]) -> None:
    if not rows:
        _print(_("there are no runs in this folder yet"))
        return
    table = _table(_("run"), _("begun"), _("network"), _("accuracy"), _("time"), _("disk"))
    for row in rows:
        table.add_row(
            _cell(row.name),
            _cell(row.info.created[:10]),
            _cell(row.info.recipe.get("model") or ""),
            _cell(
                _(STATUS.get(row.status, row.status)) if row.accuracy is None else format_percent(row.accuracy.value)
            ),
            format_duration(row.info.seconds) if row.info.seconds else "",
            format_bytes(row.run.bytes()),
        )
    _print(table)


def print_freeable(found: Sequence[Any]) -> None:
    words = {"pixels": _("decoded images"), "archive": _("unpacked archive"), "network": _("published network")}
    if not found:
        _print(_("nothing is kept"))
        return
    table = _table(_("of"), _("what"), _("disk"), _("unused for"))
    for item in found:
        table.add_row(_cell(item.what), words[item.kind], format_bytes(item.bytes), format_duration(item.idle))
    _print(table)


def print_unit(finding: Finding) -> None:
    """Print the largest products of one unit, then their sum, as a table."""
    patch, kernel, products = (_flat(finding.data[name]) for name in ("patch", "kernel", "products"))
    order = sorted(range(len(products)), key=lambda k: -abs(products[k]))
    shown = order[:12]
    table = _table(_("input × weight"), _("product"))
    for k in shown:
        table.add_row(
            f"{format_significant(patch[k])} × {format_significant(kernel[k])}", format_significant(products[k])
        )
    if len(order) > len(shown):
        rest = sum(products[k] for k in order[len(shown) :])
        table.add_row(
            str(message(N_("{n:count} smaller products"), n=len(order) - len(shown))), format_significant(rest)
        )
    if finding.data["bias"]:  # a layer may have none
        table.add_row(_("bias"), format_significant(finding.data["bias"]))
    table.add_row(_("sum, in 64-bit arithmetic"), format_significant(finding.data["sum"]))
    table.add_row(_("what the network computed"), format_significant(finding.data["torch"]))
    for step in unit_grid.steps_of(finding.data):
        table.add_row(_cell(str(step.what)), step.value)
    _print(table)


def _flat(nested: Any) -> list[float]:
    return [v for part in nested for v in _flat(part)] if isinstance(nested, list) else [float(nested)]


def print_networks(networks: Sequence[Mapping[str, Any]]) -> None:
    """Print the networks; fits into eighty characters, where only the last head breaks."""
    table = _table(_("network"), _("parameters"), _("weights"), _("mult-adds"), _("input"), _("pretrained"), _("ms"))
    table.padding = (0, 1, 0, 0)
    for column in table.columns[:-1]:
        column.no_wrap = True
    table.columns[-1].min_width = 5
    for n in networks:
        milliseconds = n["speed"] and n["speed"]["milliseconds"]
        counts = (format_number(n["parameters"]), format_bytes(n["weight_bytes"]), format_large(n["multiply_adds"]))
        table.add_row(
            n["name"],
            *counts,
            f"{n['image_size']}{NBSP}px",
            _(PRETRAINED[n["pretrained"]]),
            formats.format_cell(milliseconds, "number"),
        )
    _print(table)
    few = [n for n in networks if n["classes"] != MANY_CLASSES]
    _print(
        _cell(
            _("counted for {many} classes, and for 10: {names}").format(
                many=format_number(MANY_CLASSES), names=", ".join(n["name"] for n in few)
            )
        )
    )


def print_network(network: Mapping[str, Any]) -> None:
    speed = network["speed"]
    classes = message(
        N_("{square}, {n:count} class"),
        N_("{square}, {n:count} classes"),
        square=_square(network),
        n=network["classes"],
    )
    _facts(
        (_("network"), network["name"]),
        (_("made for"), classes),
        (_("parameters"), format_number(network["parameters"])),
        (_("weights"), format_bytes(network["weight_bytes"])),
        (_("multiply-adds an image"), format_large(network["multiply_adds"])),
        (_("receptive field"), _field(network)),
        (_("pretrained weights"), _(PRETRAINED[network["pretrained"]])),
        (_("one image at a time"), formats.format_measure(speed["milliseconds"], "ms")),
        (
            _("{n} images at a time").format(n=speed["batch"]),
            message(N_("{value} an image"), value=formats.format_measure(speed["milliseconds_in_batch"], "ms")),
        ),
        (_("measured"), message(N_("{when}, with images already decoded"), when=_moment(speed["measured"]))),
        *(
            [
                (
                    _("while other work was running"),
                    _("the machine was busy meanwhile: these times are too long (--again measures anew)"),
                )
            ]
            if speed.get("busy")
            else []
        ),
    )


def print_lessons(lessons: Mapping[str, str]) -> None:
    table = _table(_("lesson"), _("what it shows"))
    table.columns[1].justify = "left"
    for name, title in lessons.items():
        table.add_row(name, _(title))
    _print(table)


def print_layers(layers: Sequence[Mapping[str, Any]]) -> None:
    """Print the output of each layer, and the formula behind every number."""
    table = _table(_("layer"), _("output shape"), _("side of the output"), _("parameters"), _("mult-adds"))
    for column in table.columns[1:-1]:
        column.justify = "left"
    for layer in layers:
        shape = " × ".join(map(str, layer["shape"]))
        count = " = ".join(
            part for part in (layer["count"], format_number(layer["parameters"]) if layer["parameters"] else "") if part
        )
        name = f"{layer['name']} {layer['kind']}" if layer["name"] else _("outside these layers")
        table.add_row(
            name, shape, layer["side"], count, format_large(layer["multiply_adds"]) if layer["multiply_adds"] else ""
        )
    _print(table)


def _field(network: Mapping[str, Any]) -> Message:
    field = network["inside"]["receptive_field"]
    if field is None:
        return message(N_("the whole image, at every position"))
    return message(N_("{n} px: what one position of the last feature maps sees"), n=field)


def print_info(info: Mapping[str, Any]) -> None:
    """`info`: the result of workflows/info.py."""
    language = message(
        N_("{language} (--lang takes {names})"), language=info["language"], names=", ".join(info["languages"])
    )
    _facts(*_machine_facts(info), *_folder_facts(info["folders"]), (_("language"), language))


def _machine_facts(info: Mapping[str, Any]) -> list[tuple[str, object]]:
    machine, allocator = info["machine"], info["allocator"]
    versions = ", ".join(f"{name} {version or formats.NOTHING}" for name, version in machine["versions"].items())
    device = f"{info['device']} ({info['device_name']})" if info["device_name"] else info["device"]
    keeps = (
        N_(
            "{libc}: training keeps the memory that it frees, which makes its steps faster; predict does not, as "
            "a process that keeps memory never gives it back"
        )
        if allocator["kept_by_train"]
        else N_(
            "{libc}: left unchanged; mallopt of glibc, which makes training steps faster on Linux, is not "
            "available here"
        )
    )
    return [
        (_("processor"), machine["processor"]),
        (_("processor cores"), format_number(machine["cores"])),
        (_("memory"), format_bytes(info["memory_bytes"])),
        (_("system"), machine["system"]),
        ("Python", machine["python"]),
        (_("packages"), versions),
        (_("device chosen by auto"), device),
        (_("fast bf16 on the processor"), _("yes") if info["fast_bf16"] else _("no")),
        (_("allocator"), message(keeps, libc=allocator["libc"])),
    ]


def _folder_facts(folders: Mapping[str, Any]) -> list[tuple[str, object]]:
    runs = message(N_("{path}, {n:count} run"), N_("{path}, {n:count} runs"), path=folders["runs"], n=folders["n_runs"])
    cache = message(N_("{path}, {bytes:bytes}"), path=folders["cache"], bytes=folders["cache_bytes"])
    logged = N_("{file}, last written {when}") if folders["error_logged"] else N_("{file}, nothing logged yet")
    log = message(logged, file=folders["error_log"], when=_moment(folders["error_logged"]))
    return [(_("runs"), runs), (_("cache"), cache), (_("error log"), log)]


def _facts(*rows: tuple[str, object]) -> None:
    """Print names on the left, their values on the right."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(_cell(name), _cell(value))
    _print(table)


def _square(network: Mapping[str, Any]) -> str:
    says = N_("{size} px, grey") if network["channels"] == 1 else N_("{size} px, colour")
    return str(message(says, size=network["image_size"]))


def _moment(when: str | None) -> str:
    """An ISO 8601 moment in the reader's local time: "2026-11-21 14:05"."""
    return f"{datetime.fromisoformat(when).astimezone():%Y-%m-%d %H:%M}" if when else ""
