#!/usr/bin/python3
"""No circle among the source files, and none among their folders: graph.py [SOURCE [BUILD]].

A file depends on the files whose functions and tables it uses, as nm tells of the objects of the build. So
that no object is overlooked, each source must have one, and the objects must show at least as many arrows as
the #include lines do. $NM and $CC are the build's own.
"""

import collections
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TOPS = ("common", "pam_otp", "helpers")
WHOLE = ("helpers/otpctl", "helpers/store")  # these count as one folder with their subfolders
NM = shlex.split(os.environ.get("NM", "nm"))
CC = shlex.split(os.environ.get("CC", "cc"))
DEFINED, UNDEFINED = "TDRBCVW", "Uvw"
INCLUDE = re.compile(r'^\s*#\s*include\s*"(.*)\.h"', re.M)


def find_sources(source):
    """The source files below source, without their extension: "common/buf"."""
    return {str(p.relative_to(source).with_suffix("")) for top in TOPS for p in (source / top).rglob("*.c")}


def find_objects(build, files):
    """(file, object) for each object of a source; it may have its program's name and a dash before its own."""
    for path in (p for top in TOPS for p in (build / top).rglob("*.o")):
        folder = path.parent.parent if path.parent.name == ".libs" else path.parent
        for name in path.stem, path.stem.split("-", 1)[-1]:
            file = str(folder.relative_to(build) / name)
            if file in files:
                yield file, path
                break


def read_symbols(objects):
    """(file, letter of the kind, name) for each symbol that an object defines or uses."""
    file_of = {str(path): file for file, path in objects}
    printed = subprocess.run([*NM, "-A", *file_of], check=True, capture_output=True, text=True).stdout
    for line in printed.splitlines():
        path, symbol = line.rsplit(":", 1)
        kind, name = symbol.split()[-2:]
        yield file_of[path], kind, name


def read_graph(objects):
    """{file: {file that it uses: {names}}}"""
    definers = collections.defaultdict(set)
    graph = {file: collections.defaultdict(set) for file, _ in objects}
    symbols = list(read_symbols(objects)) if objects else []
    for file, kind, name in symbols:
        if kind in DEFINED:
            definers[name].add(file)
    for file, kind, name in symbols:
        for other in definers[name] - {file} if kind in UNDEFINED else ():
            # The module and the helper are never linked together.
            if {file.split("/")[0], other.split("/")[0]} != {"pam_otp", "helpers"}:
                graph[file][other].add(name)
    return graph


def folder_of(file):
    for whole in WHOLE:
        if file.startswith(whole + "/"):
            return whole
    return os.path.dirname(file)


def of_folders(graph):
    folders = {folder_of(file): collections.defaultdict(set) for file in graph}
    for file, arrows in graph.items():
        for other in arrows:
            if folder_of(file) != folder_of(other):
                folders[folder_of(file)][folder_of(other)].add(f"{file} -> {other}")
    return folders


def reach(graph, start):
    """All that can be reached from start."""
    seen, left = set(), [start]
    while left:
        new = set(graph[left.pop()]) - seen
        seen |= new
        left += new
    return seen


def find_circles(graph):
    """Each as a list of names."""
    reached = {node: reach(graph, node) for node in graph}
    circles = {tuple(sorted(x for x in graph if x in reached[node] and node in reached[x])) for node in graph}
    return sorted(circle for circle in circles if circle)


def describe(kind, graph):
    """A line for each circle, and one for each of its arrows."""
    for circle in find_circles(graph):
        yield f"{len(circle)} {kind} in a circle: {' '.join(circle)}"
        for node in circle:
            for other in sorted(set(graph[node]) & set(circle)):
                yield f"    {node} -> {other}: {', '.join(sorted(graph[node][other])[:6])}"


def count_includes(source, files):
    """How many arrows the #include lines of the .c files show: to headers that have a source."""
    return sum(len({header for header in INCLUDE.findall((source / (file + ".c")).read_text(encoding="utf-8"))
                    if header in files and header != file}) for file in files)


def judge(source, build):
    """What is wrong, a line each, and a line that says what was looked at."""
    files = find_sources(source)
    objects = list(find_objects(build, files))
    graph = read_graph(objects)
    wrong = [f"no object of {file}.c was found" for file in sorted(files - set(graph))]
    arrows, least = sum(map(len, graph.values())), count_includes(source, files)
    if arrows < least or not arrows:
        wrong.append(f"only {arrows} arrows were found, and the #include lines show {least}")
    folders = of_folders(graph)
    wrong += [*describe("files", graph), *describe("folders", folders)]
    return wrong, (f"{len(graph)} files, {arrows} arrows; {len(folders)} folders, "
                   f"{sum(map(len, folders.values()))} arrows; the #include lines show {least}")


# What must be found: its first word or words, and a tree with it.
USES = "void {1}(void);\nvoid {0}(void);\nvoid {0}(void) {{ {1}(); }}\n"
PLANTS = {
    "2 files in a circle: common/a common/b": {
        "common/a.c": USES.format("a", "b"), "common/b.c": USES.format("b", "a")},
    "2 files in a circle: helpers/a helpers/b": {
        "helpers/a.c": "void b(void);\nvoid (*const table[])(void) = {b};\n",
        "helpers/b.c": "extern void (*const table[])(void);\nvoid b(void) { table[0](); }\n"},
    "2 folders in a circle: helpers/x helpers/y": {
        "helpers/x/a.c": USES.format("a", "b"), "helpers/y/b.c": "void b(void) {}\n",
        "helpers/y/c.c": USES.format("c", "d"), "helpers/x/d.c": "void d(void) {}\n"},
    "2 folders in a circle: helpers/login helpers/store": {
        "helpers/login/a.c": USES.format("a", "b"), "helpers/store/sqlite/b.c": "void b(void) {}\n",
        "helpers/store/c.c": USES.format("c", "d"), "helpers/login/d.c": "void d(void) {}\n"},
    "no object of common/absent.c": {
        "common/a.c": USES.format("a", "b"), "common/b.c": "void b(void) {}\n", "common/absent.c": None},
    "only 1 arrows were found": {
        "common/a.c": '#include "common/b.h"\n#include "common/c.h"\n' + USES.format("a", "b"),
        "common/b.c": "void b(void) {}\n", "common/c.c": "void c(void) {}\n"},
    "": {
        "common/a.c": '#include "common/b.h"\n' + USES.format("a", "b"), "common/b.c": "void b(void) {}\n",
        "helpers/store/x.c": USES.format("x", "y"), "helpers/store/sqlite/y.c": USES.format("y", "z"),
        "helpers/store/z.c": "void z(void) {}\n", "pam_otp/b.c": "void b(void) {}\n"},
}


def plant(tree):
    """What is found in a tree that is made and compiled for it."""
    with tempfile.TemporaryDirectory(prefix="graph-") as name:
        top = pathlib.Path(name)
        for path, text in tree.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text or "", encoding="utf-8")
            for header in re.findall(r'"(.*\.h)"', text or ""):
                (top / header).touch()
            if text is not None:
                subprocess.run([*CC, "-w", f"-I{top}", "-c", "-o", (top / path).with_suffix(".o"), top / path],
                               check=True)
        return judge(top, top)[0]


def main():
    for expected, tree in PLANTS.items():
        found = plant(tree)
        if not any(line.startswith(expected) for line in found) if expected else found:
            sys.exit(f"expected {expected!r} in a tree that was made for it, and found {found}")
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("srcdir", "."))
    wrong, seen = judge(source, pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "."))
    print(*wrong, seen, sep="\n")
    sys.exit(1 if wrong else 0)


main()
