import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ExitCode, exitCodeOf } from '../../src/cli/exit-code.ts'
import { reportError } from '../../src/cli/report-error.ts'
import { summaryText } from '../../src/cli/summary.ts'
import { cannotWrite, type ErrorCode, fromErrorRecord, PypetError, toErrorRecord } from '../../src/errors.ts'
import { shellWord } from '../../src/shell-word.ts'
import { CollectedText, summaryOf, TerminalScreen } from '../reporting/streams.ts'

const wrong = new PypetError('PYPET_CONFIG_INVALID', 'ncores in a.json: found "four"', {
  where: 'a.json',
  hint: 'Write ncores: 4.',
})

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('an error of ours', () => {
  test('is its message and the next step; the place only where the message does not name it', () => {
    expect(reportError(wrong)).toBe('error: ncores in a.json: found "four"\n  hint: Write ncores: 4.\n')
    const elsewhere = new PypetError('PYPET_USAGE', 'unknown flag', { where: '--ncore' })
    expect(reportError(elsewhere)).toBe('error: unknown flag\n  where: --ncore\n')
    expect(reportError(new PypetError('PYPET_USAGE', 'unknown'))).toBe('error: unknown\n')
  })

  test('shows its stack and its causes with verbose only', () => {
    const error = new PypetError('PYPET_USAGE', 'unknown', { cause: new RangeError('deep') })
    expect(reportError(error)).not.toContain('report-error.test.ts')
    expect(reportError(error, { verbose: true })).toMatch(
      /report-error\.test\.ts.*caused by RangeError: deep/s,
    )
  })

  test('is red on a terminal, plain on a pipe', () => {
    expect(reportError(wrong, { stream: new CollectedText() })).not.toContain('\x1B')
    vi.stubEnv('NO_COLOR', '')
    vi.stubEnv('FORCE_COLOR', '')
    vi.stubEnv('TERM', 'xterm')
    const text = reportError(wrong, { stream: new TerminalScreen(80) })
    expect(text.startsWith('\x1B[31merror:\x1B[39m ncores')).toBe(true)
  })

  test('as JSON is one object on one line, without colours', () => {
    const text = reportError(wrong, { json: true, stream: new TerminalScreen(80) })
    expect(text.indexOf('\n')).toBe(text.length - 1)
    expect(text).not.toContain('\x1B')
    expect(JSON.parse(text)).toEqual({
      event: 'error',
      code: 'PYPET_CONFIG_INVALID',
      message: 'ncores in a.json: found "four"',
      where: 'a.json',
      hint: 'Write ncores: 4.',
      exit_code: 2,
    })
    expect(JSON.parse(reportError(wrong, { json: true, verbose: true })).stack).toContain('at ')
  })
})

describe('an error that is not ours', () => {
  test('is called a bug in pypet-ts, with how to report it', () => {
    expect(reportError(new TypeError('x is not a function'))).toBe(
      'error: internal error in pypet-ts: TypeError: x is not a function\n' +
        '  hint: This is a bug in pypet-ts. Please report it, with the output of the same command with --verbose.\n',
    )
    expect(reportError(new TypeError('x'), { verbose: true })).toContain('report-error.test.ts')
  })

  test.each([undefined, null, 'text', 0, Object.create(null), new Proxy({}, { get: () => raise() })])(
    'may be anything that can be thrown (%#)',
    (thrown) => {
      expect(reportError(thrown)).toContain('internal error in pypet-ts: thrown: ')
      expect(JSON.parse(reportError(thrown, { json: true }))).toMatchObject({ code: null, exit_code: 1 })
    },
  )
})

describe('an error of the operating system', () => {
  test.each<[string, () => unknown, string, string]>([
    ['ENOTDIR', () => readFileSync(join(import.meta.filename, 'x')), 'open ', 'Check the path'],
    ['EISDIR', () => readFileSync(import.meta.dirname), 'read failed', 'The path is a folder'],
    ['ENAMETOOLONG', () => mkdirSync(`/tmp/${'x'.repeat(300)}`), 'mkdir /tmp/xxx', 'shorter name'],
  ])('%s is told with what was attempted, and is no fault of pypet-ts', (code, attempt, what, hint) => {
    const error = thrownBy(attempt)
    const text = reportError(error)
    expect(text).toMatch(/^error: /)
    for (const part of [what, `(${code})`, `hint: `, hint]) expect(text).toContain(part)
    expect(text).not.toContain('bug in pypet-ts')
    const facts = JSON.parse(reportError(error, { json: true }))
    expect(facts).toMatchObject({ code: 'PYPET_SYSTEM_FAILED', exit_code: 1 })
  })

  test('of too many open files has its own next step, whatever was attempted', () => {
    const cause = Object.assign(new Error("EMFILE: too many open files, open '/a'"), {
      code: 'EMFILE',
      syscall: 'open',
      path: '/a',
    })
    expect(reportError(cause)).toBe(
      'error: open /a failed: too many open files (EMFILE)\n' +
        '  hint: Allow more open files in this shell, and try again: ulimit -n 4096\n',
    )
    const wrapped = cannotWrite('/a', 'too many files', { hint: 'Check it.', cause })
    expect(wrapped.hint).toContain('ulimit -n')
    const crossed = fromErrorRecord(toErrorRecord(cause), 'PYPET_STORAGE_FAILED')
    expect([crossed.code, crossed.hint]).toEqual([
      'PYPET_STORAGE_FAILED',
      expect.stringContaining('ulimit -n'),
    ])
  })

  test('that is a slip of ours, or only looks like one, stays a fault of pypet-ts', () => {
    const slips = [
      thrownBy(() => closeSync(1 << 20)),
      Object.assign(new Error('x'), { code: 'EMFILE' }),
      Object.assign(new TypeError('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
    ]
    for (const slip of slips) expect(reportError(slip)).toContain('bug in pypet-ts')
  })
})

test('exit codes tell what is wrong from what failed', () => {
  expect(ExitCode).toEqual({ OK: 0, FAILED: 1, WRONG: 2, RUNS_FAILED: 3, INTERRUPTED: 130, TERMINATED: 143 })
  expect(exitCodeOf(wrong)).toBe(2)
  expect(exitCodeOf(new PypetError('PYPET_WRITER_DIED', 'gone'))).toBe(1)
  expect(exitCodeOf(new Error('bug'))).toBe(1)
  const foreign = fromErrorRecord(
    { name: 'E', message: 'm', stack: '', code: 'PYPET_FROM_LATER' },
    'PYPET_USAGE',
  )
  expect(exitCodeOf(foreign)).toBe(1)
  const codes: ErrorCode[] = ['PYPET_STORAGE_FAILED', 'PYPET_EXECUTOR_FAILED']
  expect(codes.map((code) => exitCodeOf(new PypetError(code, 'm')))).toEqual([1, 1])
})

describe('the summary', () => {
  test('names the file, the runs, the time, the logs and the next command', () => {
    expect(summaryText(summaryOf(), new CollectedText())).toBe(
      '12 runs stored in /data/multiply.h5, in 0.42 s (28.6 runs/s)\n' +
        'logs:  /data/logs/multiply\n' +
        'next:  pypet-ts overview /data/multiply.h5\n',
    )
  })

  test('says how many failed, and where to read why', () => {
    const text = summaryText(summaryOf({ storedCount: 9, failedCount: 2 }), new CollectedText())
    expect(text).toContain('9 of 12 runs stored in')
    expect(text).toContain('\n2 runs failed: see /data/logs/multiply/warnings_and_errors.txt\n')
  })

  test('of an experiment without runs knows no rate', () => {
    const nothing = summaryOf({ runCount: 0, storedCount: 0, durationMs: 0 })
    expect(summaryText(nothing, new CollectedText())).toMatch(/^0 runs stored in \S+, in 0 s\n/)
  })

  test
    .runIf(process.platform !== 'win32')
    .each(['a b.h5', "it's.h5", '$HOME.h5', '-rf', 'ü.h5', 'a"b', 'plain.h5'])(
    'the shell takes the file name %j back as it was',
    (name) => {
      const echoed = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(name)}`], { encoding: 'utf8' })
      expect(echoed).toBe(name.startsWith('-') ? `./${name}` : name)
    },
  )

  test('quotes a name on Windows in its way', () => {
    expect(shellWord('C:\\my data\\x.h5', 'win32')).toBe('"C:\\my data\\x.h5"')
    expect(shellWord('C:\\data\\x.h5', 'win32')).toBe('C:\\data\\x.h5')
  })
})

function thrownBy(attempt: () => unknown): unknown {
  try {
    return attempt()
  } catch (error) {
    return error
  }
}

function raise(): never {
  throw new Error('hostile')
}
