import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLog } from '../../src/reporting/log.ts'
import { logFolderOf } from '../../src/reporting/log-folder.ts'
import { RunLogFiles } from '../../src/reporting/run-log-files.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { failed, started, stored } from './streams.ts'

const OF = { trajectory: 'multiply', environment: 'environment_1234567' }

test('everything about a run is in its file: what it says, prints, and why it failed', async () => {
  const folder = fileTree({})
  const log = openLog({ folder, trajectory: 'multiply', level: 'info', runFiles: '$run.txt', now: () => 0 })
  log.emit(started(2))
  log.emit({ type: 'log', level: 'info', message: 'a remark', worker: 1, run: 0 })
  log.emit({ type: 'log', level: 'warn', message: 'careful', worker: 2, run: 1 })
  log.emit({ type: 'log', level: 'debug', message: 'hidden', worker: 2, run: 1 })
  log.emit({ type: 'log', level: 'info', message: 'of nobody' })
  log.emit(stored(0))
  log.emit(failed(1))
  await log.close()
  const read = (name: string) =>
    readFileSync(join(folder, 'multiply', name), 'utf8').replace(/^\S+ \S+ /gm, '')
  expect(read('run_00000000.txt')).toBe('INFO  run_00000000: a remark\n')
  expect(read('run_00000001.txt')).toMatch(
    /^WARN {2}run_00000001: careful\nERROR run_00000001: failed: TypeError: tau is no number\n/,
  )
  expect(read('run_00000001.txt')).not.toMatch(/hidden|nobody/)
})

test.runIf(existsSync('/proc/self/fd'))('three thousand runs take no descriptors', () => {
  const folder = fileTree({})
  const files = new RunLogFiles(folder, '$set/$run.txt', OF)
  const before = readdirSync('/proc/self/fd').length
  for (let run = 0; run < 3000; run += 1) files.write({ run, worker: 1 }, `line of ${run}\n`)
  files.flush()
  expect(readdirSync('/proc/self/fd').length).toBe(before)
  files.close()
  expect(readdirSync(folder)).toEqual(Array.from({ length: 3 }, (_, set) => `run_set_0000${set}`))
  expect(readdirSync(join(folder, 'run_set_00002')).length).toBe(1000)
  expect(readFileSync(join(folder, 'run_set_00002/run_00002321.txt'), 'utf8')).toBe('line of 2321\n')
})

test('each wildcard stands for its name, and what main says of a run goes to the file of its worker', () => {
  const folder = fileTree({})
  const files = new RunLogFiles(folder, '$traj/$env-$host/$set-$proc_$run.txt', OF)
  files.write({ run: 1234, worker: 3 }, 'said\n')
  files.write({ run: 1234, worker: undefined }, 'failed\n')
  files.write({ run: 5, worker: undefined }, 'failed without a word\n')
  files.close()
  const place = join(folder, 'multiply', `environment_1234567-${hostname()}`)
  expect(readdirSync(place)).toEqual([
    'run_set_00000-process_0000_run_00000005.txt',
    'run_set_00001-process_0003_run_00001234.txt',
  ])
  expect(readFileSync(join(place, 'run_set_00001-process_0003_run_00001234.txt'), 'utf8')).toBe(
    'said\nfailed\n',
  )
})

test('lines that cannot be written are counted, stop nothing, and are told at the end', () => {
  const folder = fileTree({})
  mkdirSync(join(folder, 'run_00000001.txt'))
  const files = new RunLogFiles(folder, '$run.txt', OF)
  for (const run of [0, 1, 1, 2]) files.write({ run, worker: 1 }, 'line\n')
  files.flush()
  expect(() => files.close()).toThrow(/lost 2 lines of runs: EISDIR/)
  expect(readdirSync(folder).length).toBe(3)
})

test('a folder of logs with wildcards is the whole name; without, the trajectory has a folder in it', () => {
  expect(logFolderOf('/logs', 'multiply', 'e')).toBe(join('/logs', 'multiply'))
  expect(logFolderOf('/logs/$traj/$env', 'multiply', 'e')).toBe('/logs/multiply/e')
  expect(logFolderOf('/logs/$host', 'multiply', 'e')).toBe(`/logs/${hostname()}`)
  expect(logFolderOf('/a$b/logs', 'multiply', 'e')).toBe(join('/a$b/logs', 'multiply'))
})
