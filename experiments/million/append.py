"""The reference: h5py appends to one chunked column, one run at a time.

    python3 append.py RUNS FILE

Prints the seconds from the first run to the closed file.
"""
import sys
import time

import h5py

runs, path = int(sys.argv[1]), sys.argv[2]
start = time.perf_counter()
with h5py.File(path, 'w') as file:
    column = file.create_dataset('z', (0,), 'f8', maxshape=(None,), chunks=(8192,))
    for run in range(runs):
        column.resize((run + 1,))
        column[run] = run * 0.5
print(time.perf_counter() - start)
