import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ExperimentEvent } from '../../src/events.ts'
import { openLog } from '../../src/reporting/log.ts'
import { LogFile } from '../../src/reporting/log-file.ts'
import { checkLogFolder, logFolderOf } from '../../src/reporting/log-folder.ts'
import { formatLogLine } from '../../src/reporting/log-lines.ts'
import { failed, started, stored, summaryOf } from './streams.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pypet-log-'))
})
afterEach(() => rm(folder, { recursive: true }))

const noon = new Date(2026, 10, 23, 12, 0, 0, 7).getTime()
const open = (level: 'error' | 'warn' | 'info' | 'debug' = 'info') =>
  openLog({ folder, trajectory: 'multiply', level, now: () => noon })
const read = (name: string) => readFile(join(folder, 'multiply', name), 'utf8')
const said = (message: string, more: object = {}): ExperimentEvent => ({
  type: 'log',
  level: 'info',
  message,
  ...more,
})

describe('the log', () => {
  test('tells the whole story of an experiment in its main file', async () => {
    const log = open()
    log.emit(started(4))
    log.emit(stored(0, 1))
    log.emit(failed(2))
    log.emit(stored(3))
    const summary = summaryOf({ runCount: 4, storedCount: 3, failedCount: 1, durationMs: 1500 })
    log.emit({ type: 'experiment-finished', summary })
    await log.close()
    const lines = (await read('main.txt')).split('\n')
    const prefix = '2026-11-23 12:00:00.007'
    expect(
      lines.map((line) => line.replace(/ runs?, .*left$/, ' …').replace(/, [\d,.]+ runs\/s$/, '')),
    ).toEqual([
      `${prefix} INFO  multiply: 4 runs on 2 cores into /data/multiply.h5`,
      `${prefix} INFO  50 %: 2 of 4 runs …`.replace(' runs …', ' …'),
      `${prefix} ERROR run_00000002: failed: TypeError: tau is no number`,
      '        at node:internal/x:1:2',
      '        at run (/data/job.ts:12:9)',
      `${prefix} INFO  75 %: 3 of 4 …`,
      `${prefix} INFO  100 %: 4 of 4 runs, 1 failed`,
      `${prefix} INFO  finished: 3 runs stored, 1 run failed, in 1.5 s`,
      '',
    ])
  })

  test('sorts lines into the files of warnings and of workers', async () => {
    const log = open()
    log.emit(started(100))
    log.emit(said('from main'))
    log.emit(said('from worker 3', { worker: 3, run: 12 }))
    log.emit(said('careful', { level: 'warn', worker: 12 }))
    log.emit(failed(1))
    expect(await readdir(join(folder, 'multiply'))).toEqual([
      'main.txt',
      'process_0003.txt',
      'process_0012.txt',
      'warnings_and_errors.txt',
    ])
    await log.close()
    expect(await read('process_0003.txt')).toBe('2026-11-23 12:00:00.007 INFO  run_00000012: from worker 3\n')
    expect(await read('process_0012.txt')).toBe('2026-11-23 12:00:00.007 WARN  worker 12: careful\n')
    const warnings = await read('warnings_and_errors.txt')
    expect(warnings).toMatch(
      /^\S+ \S+ WARN {2}worker 12: careful\n\S+ \S+ ERROR run_00000001: failed: TypeError/,
    )
    expect(warnings).not.toContain('from')
    expect((await read('main.txt')).split('\n')).toHaveLength(4 + 3 + 1)
  })

  test.each([
    ['error', ['e']],
    ['warn', ['e', 'w']],
    ['info', ['e', 'w', 'i']],
    ['debug', ['e', 'w', 'i', 'd']],
  ] as const)('at level %s it keeps %j', async (level, kept) => {
    const log = open(level)
    const messages = { e: 'error', w: 'warn', i: 'info', d: 'debug' } as const
    for (const [message, messageLevel] of Object.entries(messages))
      log.emit(said(message, { level: messageLevel }))
    await log.close()
    expect((await read('main.txt')).match(/\w$/gm)).toEqual(kept)
  })

  test('names each stored run at level debug only', async () => {
    const log = open('debug')
    log.emit(started(100))
    log.emit(stored(0, 1))
    await log.close()
    expect(await read('main.txt')).toContain('DEBUG run_00000001: stored\n')
  })

  test('keeps every line and their order while winston takes over', async () => {
    const log = open()
    const lineCount = 3000
    for (let line = 0; line < lineCount; line += 1) {
      if (line === 1000) await log.handedOver
      log.emit(said(`line ${line}`, { worker: line % 2 }))
    }
    await log.close()
    log.emit(said('too late'))
    const numbers = (await read('main.txt')).match(/(?<=line )\d+$/gm)?.map(Number)
    expect(numbers).toEqual([...Array(lineCount).keys()])
    expect((await read('process_0001.txt')).match(/\n/g)).toHaveLength(lineCount / 2)
    expect(await read('main.txt')).not.toContain('too late')
    expect(await read('warnings_and_errors.txt')).toBe('')
  })

  test('adds to the files of an earlier run, below a separator', async () => {
    for (const message of ['first', 'second']) {
      const log = open()
      log.emit(said(message))
      await log.close()
    }
    expect(await read('main.txt')).toMatch(
      /^.* first\n-{10,}\n.* another run, added to the log\n.* second\n$/,
    )
    expect(await read('warnings_and_errors.txt')).toBe('')
  })

  test('has its last lines also when the process ends without closing it', async () => {
    const log = fileURLToPath(new URL('../../src/reporting/log.ts', import.meta.url))
    const { build } = await import('esbuild')
    const program = `
      import { openLog } from ${JSON.stringify(log)}
      const log = openLog({ folder: ${JSON.stringify(folder)}, trajectory: 'multiply', level: 'info' })
      log.emit({ type: 'log', level: 'info', message: 'the last words' })
      throw new Error('crash')`
    const outfile = join(folder, 'crash.mjs')
    const stdin = { contents: program, resolveDir: folder }
    await build({
      stdin,
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['winston', 'picocolors'],
    })
    // The program lies outside the project, and needs none of the packages that it would not find there.
    await writeFile(outfile, (await readFile(outfile, 'utf8')).replace(/^import .*picocolors.*$/m, ''))
    await expect(promisify(execFile)(process.execPath, [outfile])).rejects.toThrow('crash')
    expect(await read('main.txt')).toContain('the last words\n')
  })

  test('is open at once and costs nothing when a line is suppressed', async () => {
    const log = open()
    for (let line = 0; line < 50_000; line += 1) log.emit(said('hidden', { level: 'debug', worker: 1 }))
    await log.close()
    expect(await readdir(join(folder, 'multiply'))).toEqual(['main.txt', 'warnings_and_errors.txt'])
  })

  test('cannot be opened below a file', async () => {
    await writeFile(join(folder, 'multiply'), '')
    expect(open).toThrow(
      expect.objectContaining({ code: 'PYPET_FILE_NOT_WRITABLE', where: join(folder, 'multiply') }),
    )
  })
})

describe('a log file', () => {
  test.runIf(existsSync('/dev/full'))(
    'counts the lines that a full disk takes, and tells when it is closed',
    () => {
      const file = new LogFile('/dev/full', '')
      file.append('one\n')
      file.append('two\n')
      file.flush()
      file.append('three\n')
      expect(() => file.close()).toThrow(/lost 3 lines of \/dev\/full: ENOSPC/)
    },
  )

  test('writes long before its buffer is a burden', async () => {
    const path = join(folder, 'main.txt')
    const file = new LogFile(path, '')
    for (let line = 0; line < 200; line += 1) file.append(`${'x'.repeat(999)}\n`)
    expect((await readFile(path)).length).toBeGreaterThan(100_000)
    file.close()
    expect((await readFile(path)).length).toBe(200_000)
  })
})

describe('the check of a log folder', () => {
  test('accepts folders that do not exist yet, and creates nothing', async () => {
    checkLogFolder(join(folder, 'a', 'b'), 'multiply')
    expect(await readdir(folder)).toEqual([])
  })

  test('accepts the logs of an earlier run', async () => {
    await open().close()
    checkLogFolder(folder, 'multiply')
  })

  test('refuses a file in place of a folder, and a folder in place of a file', async () => {
    await writeFile(join(folder, 'file'), '')
    expect(() => checkLogFolder(join(folder, 'file', 'logs'), 'multiply')).toThrow(
      expect.objectContaining({
        code: 'PYPET_FILE_NOT_WRITABLE',
        message: expect.stringContaining(`${join(folder, 'file')} is not a folder`),
      }),
    )
    await mkdir(join(folder, 'multiply', 'main.txt'), { recursive: true })
    expect(() => checkLogFolder(folder, 'multiply')).toThrow('main.txt is not a file')
  })

  test.skipIf(process.getuid?.() === 0)('refuses a folder that is not writable', async () => {
    await chmod(folder, 0o500)
    expect(() => checkLogFolder(folder, 'multiply')).toThrow('is not writable (EACCES)')
    await chmod(folder, 0o700)
  })

  test('is about the folder of the trajectory in the folder of all logs', () => {
    expect(logFolderOf('/logs', 'multiply')).toBe(join('/logs', 'multiply'))
  })
})

test('a line of many lines is indented, so that lines starting with a digit start messages', () => {
  const line = {
    timeMs: noon,
    level: 'warn',
    message: '1\r\n2\n',
    worker: undefined,
    run: undefined,
  } as const
  expect(formatLogLine(line)).toBe('2026-11-23 12:00:00.007 WARN  1\n    2\n')
})
