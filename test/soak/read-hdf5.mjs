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
  const inTree = Object.fromEntries(
    (runs?.keys() ?? []).map((name) => [Number(name.slice(4)), runIn(runs.get(name))]),
  )
  return {
    isListed: table !== undefined,
    indices: columns.idx ?? [],
    names: columns.name ?? [],
    completed: (columns.completed ?? []).flatMap((value, run) => (value === 1 ? [run] : [])),
    failed: failed === undefined ? [] : columnsOf(failed).idx,
    x: explored === undefined ? [] : explored.value.map((row) => (Array.isArray(row) ? row[0] : row)),
    runs: withColumns(inTree, group),
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

/** With the layout `columns`: what is below a run comes first. */
function withColumns(runs, group) {
  const columns = at(group, 'results', 'columns')
  const status = columns instanceof Group ? at(columns, '_status') : undefined
  if (status === undefined) return runs
  const cellsOf = (name) => {
    const column = at(columns, name)
    const present = at(group, 'overview', 'columns_presence', name)?.value
    const all = column?.value
    const length = (column?.shape ?? []).slice(1).reduce((product, size) => product * size, 1)
    return (run) => {
      if (column === undefined || (present !== undefined && present[run] !== 1)) return undefined
      return column.shape.length === 1 ? all[run] : all.slice(run * length, (run + 1) * length)
    }
  }
  const [z, text, array] = [cellsOf('z'), cellsOf('sub.text'), cellsOf('a')]
  const whole = { ...runs }
  for (const [run, state] of status.value.entries()) {
    if (state !== 1) continue
    const below = runs[run] ?? {}
    const row = array(run)
    whole[run] = {
      z: below.z ?? z(run),
      text: below.text ?? text(run),
      ...(row !== undefined && { arrayLength: row.length, arrayLast: row[row.length - 1] }),
      ...(below.arrayLength !== undefined && { arrayLength: below.arrayLength, arrayLast: below.arrayLast }),
    }
  }
  return whole
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
