/**
 * Reads HDF5 files as they lie on the disk, for `file-reader.ts`: a process of its own, since a damaged file can end the
 * library. Asks for nothing that may be absent.
 */
import h5wasm, { Dataset, Group } from 'h5wasm/node'

await h5wasm.ready

process.on('message', ({ path }) => {
  let answer
  try {
    answer = { trajectories: trajectoriesIn(path) }
  } catch (error) {
    answer = { error: String(error?.message ?? error) }
  }
  process.send(answer)
})
process.send({ isReady: true })

function trajectoriesIn(path) {
  const file = new h5wasm.File(path, 'r')
  try {
    if (file.file_id === -1n) throw new Error('it is not an HDF5 file')
    return Object.fromEntries(file.keys().map((name) => [name, trajectoryIn(file.get(name))]))
  } finally {
    file.close()
  }
}

function trajectoryIn(group) {
  const table = at(group, 'overview', 'runs')
  const columns = table === undefined ? {} : columnsOf(table)
  const failed = at(group, 'overview', 'failed_runs')
  const explored = at(group, 'parameters', 'x', 'explored_data')
  const runs = at(group, 'results', 'runs')
  const rounds = at(group, 'results', 'rounds')
  return {
    isListed: table !== undefined,
    indices: columns.idx ?? [],
    names: columns.name ?? [],
    completed: (columns.completed ?? []).flatMap((value, run) => (value === 1 ? [run] : [])),
    failed: failed === undefined ? [] : columnsOf(failed).idx,
    x: explored === undefined ? [] : explored.value.map((row) => (Array.isArray(row) ? row[0] : row)),
    runs: Object.fromEntries(
      (runs?.keys() ?? []).map((name) => [Number(name.slice(4)), runIn(runs.get(name))]),
    ),
    rounds: rounds?.keys() ?? [],
  }
}

function runIn(group) {
  const array = at(group, 'a', 'a')?.value
  return {
    z: at(group, 'z', 'z')?.value,
    text: at(group, 'sub', 'text', 'text')?.value,
    ...(array !== undefined && { arrayLength: array.length, arrayLast: array[array.length - 1] }),
  }
}

/** What is at the end of these names, if all of them are there. */
function at(group, ...names) {
  let node = group
  for (const name of names) {
    if (!(node instanceof Group) || !node.keys().includes(name)) return undefined
    node = node.get(name)
  }
  return node instanceof Group || node instanceof Dataset ? node : undefined
}

function columnsOf(table) {
  const names = table.metadata.compound_type.members.map(({ name }) => name)
  const rows = table.value
  return Object.fromEntries(names.map((name, column) => [name, rows.map((row) => row[column])]))
}
