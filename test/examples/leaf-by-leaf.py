"""What pypet itself reads from an HDF5 file, leaf by leaf, as JSON; `leaf-by-leaf.ts` calls it.

    PYTHONPATH=<pypet 0.7.0> python3 leaf-by-leaf.py <file>...

Values are tagged by their type in Python, as beside the samples in `test/fixtures/pypet`. Of arrays the first elements
are written, and a digest of all.
"""

import hashlib
import json
import logging
import math
import os
import sys

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as spsp

from pypet import ObjectTable, Parameter, Trajectory

ELEMENTS_MAX = 50


class FunctionParameter(Parameter):
    """That of pypet's examples 5 and 6."""


def elementary(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return {"bytes_hex": value.hex()}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, int) and abs(value) > 2**53:
        return {"int": str(value)}
    return value


def digest(array):
    if array.dtype.kind == "U":
        return hashlib.sha256("\0".join(array.flat).encode()).hexdigest()
    if array.dtype.kind == "S":
        return hashlib.sha256(b"\0".join(array.flat)).hexdigest()
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def label(name):
    """Of a column, as JavaScript spells numbers."""
    return str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)


def tagged(value):
    if isinstance(value, (pd.DataFrame, ObjectTable)):
        columns = [[tagged(cell) for cell in value[name]] for name in value.columns]
        return {
            "t": "DataFrame",
            "columns": [label(name) for name in value.columns],
            "data": columns,
            "index": [elementary(cell) for cell in value.index],
        }
    if isinstance(value, pd.Series):
        return {"t": "Series", "dtype": str(value.dtype), "data": [tagged(cell) for cell in value]}
    if spsp.issparse(value):
        coo = value.tocoo()
        return {
            "t": "sparse",
            "shape": list(value.shape),
            "coo": [coo.row.tolist(), coo.col.tolist(), coo.data.tolist()],
        }
    if isinstance(value, np.matrix):
        return {"t": "matrix", "shape": list(value.shape)}
    if isinstance(value, np.ndarray):
        return {
            "t": "ndarray",
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "v": [elementary(cell) for cell in value.flat[:ELEMENTS_MAX]],
            "digest": digest(value),
        }
    if isinstance(value, (list, tuple)):
        return {"t": type(value).__name__, "v": [tagged(cell) for cell in value]}
    if isinstance(value, dict):
        return {"t": "dict", "v": {str(name): tagged(cell) for name, cell in value.items()}}
    if value is None:
        return {"t": "None"}
    return {"t": type(value).__name__, "v": elementary(value)}


def leaf_of(node):
    if node.f_is_empty():
        return {"data": {}}
    if not node.v_is_parameter:
        return {"data": {name: tagged(item) for name, item in node.f_to_dict().items()}}
    entry = {"value": tagged(node.f_get())}
    if node.f_has_range():
        entry["range"] = [tagged(value) for value in node.f_get_range()]
    return entry


def read(filename, name):
    traj = Trajectory(name, add_time=False, filename=filename)
    traj.f_load(name=name, load_data=2, force=True, dynamic_imports=[FunctionParameter])
    nodes, links = {}, {}
    for group in [traj, *traj.f_iter_nodes(with_links=False, predicate=lambda node: not node.v_is_leaf)]:
        for link, target in group.f_get_links(copy=False).items():
            links[".".join(filter(None, [group.v_full_name, link]))] = target.v_full_name
    for node in traj.f_iter_nodes(with_links=False):
        entry = {"class": node.f_get_class_name(), "comment": node.v_comment, "leaf": node.v_is_leaf}
        if not node.v_annotations.f_is_empty():
            entry["annotations"] = {key: tagged(value) for key, value in node.v_annotations.f_to_dict().items()}
        if node.v_is_leaf:
            entry.update(leaf_of(node))
        nodes[node.v_full_name] = entry
    runs = [
        {
            "idx": run["idx"],
            "name": run["name"],
            "completed": run["completed"],
            "parameter_summary": run["parameter_summary"],
            "environment": run["short_environment_hexsha"],
        }
        for run in map(traj.f_get_run_information, range(len(traj)))
    ]
    return {
        "trajectory": {
            "name": traj.v_name,
            "comment": traj.v_comment,
            "length": len(traj),
            "timestamp": traj.v_timestamp,
            "version": traj.v_version,
        },
        "explored": sorted(traj.f_get_explored_parameters()),
        "links": links,
        "nodes": nodes,
        "runs": runs,
    }


def trajectories(filename):
    with h5py.File(filename) as file:
        return list(file)


logging.disable(logging.CRITICAL)
json.dump(
    {os.path.abspath(file): [read(file, name) for name in trajectories(file)] for file in sys.argv[1:]}, sys.stdout
)
