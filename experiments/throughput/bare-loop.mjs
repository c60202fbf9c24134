/**
 * What the benchmark measures against: one process that creates the same objects with h5wasm's raw calls
 * in a plain loop, without workers, sockets, checks or commits.
 *
 *     node bare-loop.mjs scalars|arrays|prepared-arrays RUNS FILE
 *
 * Prints the milliseconds from the first run's objects to everything flushed, and for arrays synced.
 */
import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import h5wasm from 'h5wasm/node'

const [kind, runs, file] = process.argv.slice(2)
const runCount = Number(runs)
const ARRAY_LENGTH = 100_000
const ARRAY_RUNS = 200
const UNLIMITED = 18_446_744_073_709_551_615n
const RUN_COLUMNS = [
  ['idx', 'int', 4],
  ['name', 'text', 128],
  ['time', 'text', 20],
  ['timestamp', 'float', 8],
  ['finish_timestamp', 'float', 8],
  ['runtime', 'text', 18],
  ['parameter_summary', 'text', 512],
  ['short_environment_hexsha', 'text', 7],
  ['completed', 'int', 4],
]
const CLASSES = { int: 0, float: 1, text: 3, compound: 6 }

const h5 = await h5wasm.ready
h5.activate_throwing_error_handler()
const id = h5.open(file, h5.H5F_ACC_TRUNC, false, -1, -1)
const encoder = new TextEncoder()
const buffer = h5._malloc(ARRAY_LENGTH * 8)
const texts = new Map()
const BOOLEAN = scalar('int', 1)
const FLOAT_SCALAR = scalar('float', 8)
const FLOAT_ARRAY = {
  ...elementType('float', 8),
  shape: [BigInt(ARRAY_LENGTH)],
  maxshape: [BigInt(ARRAY_LENGTH)],
  chunks: null,
}
const onePointer = h5._malloc(1)
h5.HEAPU8[onePointer] = 1
const ONE = BigInt(onePointer)

for (const path of ['/t', '/t/overview', '/t/results', '/t/results/runs']) h5.create_group(id, path, false)
createRunsTable()

// For prepared arrays: made before the clock starts, as in `arrays.ts`.
const samples = Float64Array.from({ length: ARRAY_LENGTH + ARRAY_RUNS }, Math.random)

const startMs = performance.now()
for (let run = 0; run < runCount; run += 1) {
  const group = `/t/results/runs/run_${String(run).padStart(8, '0')}`
  if (kind === 'scalars') storeScalar(group, run * 0.5)
  else storeArray(group, run)
}
fillRunsTable()
h5.flush(id)
// Arrays cost what the disk takes: theirs are to be on it, as ours are.
if (kind !== 'scalars') sync()
const elapsedMs = performance.now() - startMs
h5.close_file(id)
process.stdout.write(`${elapsedMs}\n`)

function sync() {
  const descriptor = openSync(file, 'r+')
  fdatasyncSync(descriptor)
  closeSync(descriptor)
}

function storeScalar(group, value) {
  createLeaf(group, 'z')
  const path = `${group}/z/z`
  new DataView(h5.HEAPU8.buffer).setFloat64(buffer, value, true)
  h5.create_dataset(id, path, BigInt(buffer), FLOAT_SCALAR)
  text(path, 'SRVC_DATA_COLL_TYPE', 'COLL_SCALAR')
  text(path, 'SRVC_DATA_SCALAR_TYPE', 'float')
  text(path, 'SRVC_STORE', 'ARRAY')
}

function storeArray(group, run) {
  createLeaf(group, 'samples')
  const path = `${group}/samples/samples`
  const start = run % ARRAY_RUNS
  const view =
    kind === 'prepared-arrays'
      ? samples.subarray(start, start + ARRAY_LENGTH)
      : Float64Array.from({ length: ARRAY_LENGTH }, Math.random)
  h5.HEAPU8.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), buffer)
  h5.create_dataset(id, path, BigInt(buffer), FLOAT_ARRAY)
  text(path, 'SRVC_DATA_COLL_TYPE', 'COLL_NDARRAY')
  text(path, 'SRVC_STORE', 'ARRAY')
}

function createLeaf(group, name) {
  h5.create_group(id, group, false)
  h5.create_group(id, `${group}/${name}`, false)
  text(`${group}/${name}`, 'SRVC_INIT_CLASS_NAME', 'Result')
  h5.create_attribute(id, `${group}/${name}`, 'SRVC_LEAF', ONE, BOOLEAN)
}

function text(path, name, value) {
  let known = texts.get(value)
  if (known === undefined) {
    const bytes = encoder.encode(value)
    const pointer = h5._malloc(bytes.length)
    h5.HEAPU8.set(bytes, pointer)
    known = { pointer: BigInt(pointer), type: scalar('text', bytes.length) }
    texts.set(value, known)
  }
  h5.create_attribute(id, path, name, known.pointer, known.type)
}

function createRunsTable() {
  let offset = 0
  const members = RUN_COLUMNS.map(([name, type, size]) => {
    const member = { ...elementType(type, size), name, offset, ...(type === 'text' && { cset: 0 }) }
    offset += size
    return member
  })
  const type = { ...elementType('compound', offset), compound_type: { members, nmembers: members.length } }
  const table = {
    shape: [0n],
    maxshape: [UNLIMITED],
    chunks: [BigInt(Math.floor(65_536 / offset))],
    compression: 1,
    compression_opts: [1],
  }
  h5.create_dataset(id, '/t/overview/runs', 0n, { ...type, ...table })
  h5.resize_dataset(id, '/t/overview/runs', [BigInt(runCount)])
}

/** One pass over all rows, at the end: the least that writing this table can cost. */
function fillRunsTable() {
  const rowBytes = RUN_COLUMNS.reduce((bytes, [, , size]) => bytes + size, 0)
  const batch = 1000
  const rows = new Uint8Array(batch * rowBytes)
  const view = new DataView(rows.buffer)
  const pointer = h5._malloc(rows.length)
  for (let first = 0; first < runCount; first += batch) {
    const count = Math.min(batch, runCount - first)
    rows.fill(0)
    for (let row = 0; row < count; row += 1) fillRow(view, rows, row * rowBytes, first + row)
    h5.HEAPU8.set(rows, pointer)
    h5.set_dataset_data(id, '/t/overview/runs', [BigInt(count)], [BigInt(first)], [1n], BigInt(pointer))
  }
}

function fillRow(view, rows, offset, run) {
  view.setInt32(offset, run, true)
  encoder.encodeInto(`run_${String(run).padStart(8, '0')}`, rows.subarray(offset + 4, offset + 132))
  encoder.encodeInto('2026_01_01_00h00m00s', rows.subarray(offset + 132, offset + 152))
  view.setFloat64(offset + 152, Date.now() / 1000, true)
  view.setFloat64(offset + 160, Date.now() / 1000, true)
  encoder.encodeInto('0:00:00.000100', rows.subarray(offset + 168, offset + 186))
  encoder.encodeInto(`i: ${run}.0`, rows.subarray(offset + 186, offset + 698))
  encoder.encodeInto('abcdef0', rows.subarray(offset + 698, offset + 705))
  view.setInt32(offset + 705, 1, true)
}

function elementType(type, size) {
  const cset = type === 'text' ? { cset: 1 } : {}
  return { type: CLASSES[type], size, signed: type === 'int', vlen: false, littleEndian: true, ...cset }
}

function scalar(type, size) {
  return { ...elementType(type, size), shape: [], maxshape: null, chunks: null }
}
