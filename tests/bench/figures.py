"""Prints the figures of a benchmark: as a table for people, as JSON for programs."""

import json
import os
import platform
import statistics


def quantile(values, share):
    """Returns the value below which this share of the values is."""
    values = sorted(values)
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def summary(values):
    return {"n": len(values), "median": statistics.median(values), "min": min(values),
            "max": max(values), "p10": quantile(values, 0.1), "p90": quantile(values, 0.9)}


def machine():
    """Returns facts about the machine, by which figures of different runs can be compared."""
    return {"kernel": platform.release(), "cpus": len(os.sched_getaffinity(0)),
            "load": os.getloadavg()[0]}


def _cell(value):
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def table(columns, rows):
    """Returns a table as text. The first column is aligned to the left, numbers to the right."""
    cells = [columns] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) if n == 0 else cell.rjust(width)
                  for n, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in cells)


def show(as_json, columns, rows, **more):
    if as_json:
        print(json.dumps(more | {"machine": machine(), "rows": rows}, indent=1))
        return
    print(table(columns, rows))
    for name, value in more.items():
        print(f"{name}: {value}")
    about = machine()
    print(f"{about['cpus']} processors, load {about['load']:.1f}, Linux {about['kernel']}")
