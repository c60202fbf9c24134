"""Reads a file while it is written: python3 read_while_written.py FILE OPENS; prints a JSON summary.

Every third reader stays for a while, across commits, and reads again. The number of completed runs may never fall, and
every completed run must have its value, the square of its index.
"""

import json
import os
import random
import sys
import time

import h5py

file, opens = sys.argv[1], int(sys.argv[2])
refused = 0
wrong = []
counts = []


def look(opened):
    runs = opened['reading/overview/runs']
    completed = runs['completed']
    done = [int(run) for run in completed.nonzero()[0]]
    for run in random.sample(done, min(5, len(done))):
        value = opened[f'reading/results/runs/run_{run:08d}/z/z'][()]
        if value != run * run:
            wrong.append([run, float(value)])
    return len(done)


# Before its first commit a new file is nobody's.
while not os.path.exists(file[:-3] + '.cnt') or not h5py.is_hdf5(file):
    time.sleep(0.1)
wasRefused = False
reader = 0
while reader < opens:
    try:
        with h5py.File(file, 'r') as opened:
            if 'reading/overview/runs' in opened:
                counts.append(look(opened))
                if reader % 3 == 0:
                    time.sleep(0.02)
                    again = look(opened)
                    if again != counts[-1]:
                        wrong.append(['one reader saw two states', counts[-1], again])
    except OSError as error:
        if 'unable to lock file' not in str(error):
            raise
        # As a program does that tries again: a reader is refused once, however often it has to ask.
        refused += 0 if wasRefused else 1
        wasRefused = True
        time.sleep(0.03)
        continue
    wasRefused = False
    reader += 1
    time.sleep(0.003)
falls = sum(1 for before, after in zip(counts, counts[1:]) if after < before)
rises = sum(1 for before, after in zip(counts, counts[1:]) if after > before)
print(json.dumps({'refused': refused, 'wrong': wrong, 'reads': len(counts), 'falls': falls, 'rises': rises}))
