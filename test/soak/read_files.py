"""Reads files with h5py and with PyTables; prints what is wrong with them as JSON.

    read_files.py < [{"path": ..., "trajectories": {NAME: {"x": [...], "failed": [...]}}}, ...]

Every node is read by both. Every run that has not failed is completed, and holds the square of its x and a quarter.
"""
import json
import sys
import warnings

warnings.simplefilter('ignore')
import h5py
import tables


def look_with_h5py(path, trajectories):
    with h5py.File(path, 'r') as file:
        for name, expected in trajectories.items():
            table = file[f'{name}/overview/runs'][:]
            if len(table) != len(expected['x']):
                yield f'{name} has {len(table)} runs instead of {len(expected["x"])}'
            for run, (row, x) in enumerate(zip(table, expected['x'])):
                is_completed = run not in expected['failed']
                if bool(row['completed']) != is_completed:
                    yield f'{name}: run {run} is marked {row["completed"]}'
                if is_completed:
                    leaf = f'{name}/results/runs/run_{run:08d}/z/z'
                    value = file[leaf][()] if leaf in file else file[f'{name}/results/columns/z'][run]
                    if value != x * x + 0.25:
                        yield f'{name}: run {run} holds {value}'
        file.visititems(lambda _, node: node[()] is None if isinstance(node, h5py.Dataset) else None)


def look_with_tables(path, trajectories):
    with tables.open_file(path, 'r') as file:
        for node in file.walk_nodes('/', 'Leaf'):
            node.read()
        for name, expected in trajectories.items():
            completed = file.get_node(f'/{name}/overview/runs').col('completed')
            if completed.sum() != len(expected['x']) - len(expected['failed']):
                yield f'{name}: {completed.sum()} runs are completed'


problems = []
for file in json.load(sys.stdin):
    for reader, look in (('h5py', look_with_h5py), ('PyTables', look_with_tables)):
        try:
            found = list(look(file['path'], file['trajectories']))
        except Exception as error:
            found = [f'{type(error).__name__}: {error}']
        problems += [{'path': file['path'], 'problem': f'{reader}: {problem}'} for problem in found]
print(json.dumps(problems))
