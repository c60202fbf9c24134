"""Prints everything in an HDF5 file as JSON, as h5py or as PyTables sees it.

    read_file.py h5py|tables FILE

Nodes by path: groups with their attributes; datasets with dtype, shape and values besides. Floats are
numbers, or text where JSON has none (nan, inf); integers are text, because they may have 64 bits.
"""
import json
import math
import sys

import numpy


def plain(value):
    if isinstance(value, (bytes, numpy.bytes_)):
        return bytes(value).decode("utf-8")
    if isinstance(value, (str, numpy.str_)):
        return str(value)
    if isinstance(value, (bool, numpy.bool_)):
        return bool(value)
    if isinstance(value, (int, numpy.integer)):
        return str(int(value))
    if isinstance(value, (float, numpy.floating)):
        return float(value) if math.isfinite(value) else repr(float(value))
    raise TypeError(f"unexpected {type(value)}")


def described(array):
    array = numpy.asarray(array)
    values = [plain(value) for value in array.ravel(order="C")]
    dtype = "bytes" if array.dtype.kind == "S" else array.dtype.name
    return {"dtype": dtype, "shape": list(array.shape), "values": values}


def dataset(array, attributes, node_class):
    if array.dtype.names is None:
        content = described(array)
    else:
        content = {"columns": {name: described(array[name]) for name in array.dtype.names}}
    return {"class": node_class, "attributes": attributes, **content}


def read_with_h5py(file):
    import h5py

    nodes = {}

    def visit(name, node):
        attributes = {key: plain(value) for key, value in node.attrs.items()}
        if isinstance(node, h5py.Group):
            nodes["/" + name] = {"class": "Group", "attributes": attributes}
        else:
            nodes["/" + name] = dataset(numpy.asarray(node[()]), attributes, "Dataset")
            nodes["/" + name]["compression"] = node.compression

    with h5py.File(file, "r") as root:
        visit("", root)
        root.visititems(visit)
    return nodes


def read_with_tables(file):
    import tables

    nodes = {}
    with tables.open_file(file, "r") as root:
        for node in root.walk_nodes("/"):
            attributes = {
                key: plain(node._v_attrs[key])
                for key in node._v_attrs._f_list("all")
                # PyTables writes the filters of its own nodes as an object, and fills by column type.
                if key != "FILTERS" and not key.endswith("_FILL")
            }
            if isinstance(node, tables.Group):
                nodes[node._v_pathname] = {"class": "Group", "attributes": attributes}
            else:
                nodes[node._v_pathname] = dataset(node.read(), attributes, type(node).__name__)
    return nodes


reader, path = sys.argv[1:]
print(json.dumps({"h5py": read_with_h5py, "tables": read_with_tables}[reader](path)))
