import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { plainLines, quietLines } from '../../src/reporting/plain-lines.ts'
import { barLine, progressBar } from '../../src/reporting/progress-bar.ts'
import { coloursOf, oneLine, openTextOutput } from '../../src/reporting/text-output.ts'
import { CollectedText, failed, handClock, started, stored, summaryOf, TerminalScreen } from './streams.ts'

describe('the progress bar', () => {
  const halfDone = {
    runCount: 12,
    storedCount: 5,
    failedCount: 1,
    fraction: 0.5,
    elapsedMs: 2000,
    runsPerSecond: 3,
    remainingMs: 2000,
  }

  test('shows the fraction, the counts, the rate and the time left', () => {
    expect(barLine(halfDone, 100)).toBe(
      `${'█'.repeat(15)}${'░'.repeat(15)}  50 %  6 of 12 runs, 1 failed, 3 runs/s, 2 s left`,
    )
  })

  test.each([200, 80, 60, 50, 30, 10, 1])('fits into %i columns, and leaves room for ^C', (columns) => {
    expect(barLine(halfDone, columns).length + '^C'.length).toBeLessThan(Math.max(columns, 3))
  })

  test('gives up the bar before it gives up the numbers', () => {
    expect(barLine(halfDone, 56)).toBe('50 %  6 of 12 runs, 1 failed, 3 runs/s, 2 s left')
  })

  test('stands below the first failure of each kind, and leaves the cursor on a line of its own', async () => {
    const clock = handClock()
    const screen = new TerminalScreen(70)
    const bar = progressBar(screen, { clock })
    bar.emit(started(4))
    clock.advance(1000)
    bar.emit(stored(0))
    bar.emit(failed(1))
    expect(screen.rows).toEqual([
      'multiply: 4 runs on 2 cores into /data/multiply.h5',
      'run_00000001 failed: TypeError: tau is no number (/data/job.ts:12:9)',
      `${'█'.repeat(9)}${'░'.repeat(9)}  50 %  2 of 4 runs, 1 failed, 2 runs/s, 1 s left`,
    ])
    clock.advance(1000)
    bar.emit(failed(2))
    bar.emit({ type: 'log', level: 'warn', message: 'the disk is slow' })
    bar.emit(stored(3))
    bar.emit({ type: 'experiment-finished', summary: summaryOf() })
    await bar.close()
    expect(screen.rows).toEqual([
      'multiply: 4 runs on 2 cores into /data/multiply.h5',
      'run_00000001 failed: TypeError: tau is no number (/data/job.ts:12:9)',
      'warning: the disk is slow',
      `${'█'.repeat(28)} 100 %  4 of 4 runs, 2 failed, 2 runs/s`,
      '2 runs failed with the same error: TypeError: tau is no number (/data/job.ts:12:9): run_00000001, run_00000002',
    ])
    expect(screen.cursor).toEqual({ row: 5, column: 0 })
  })

  test('stands below what the job prints, which no longer tears it', async () => {
    const screen = new TerminalScreen(70)
    const bar = progressBar(screen, { stderr: screen })
    bar.emit(started(2))
    bar.emit({ type: 'log', level: 'info', message: 'tau = 3', printedTo: 'stdout', worker: 1, run: 0 })
    bar.emit(stored(0))
    bar.emit({ type: 'log', level: 'info', message: 'careful', printedTo: 'stderr', worker: 1, run: 1 })
    expect(screen.rows.slice(1, 3)).toEqual(['tau = 3', 'careful'])
    expect(screen.rows[3]).toMatch(/^█+░+ {2}50 %/)
    await bar.close()
    expect(screen.rows.length).toBe(4)
  })

  test('leaves what the job prints to stderr to a file that it is sent to', async () => {
    const screen = new TerminalScreen(70)
    const stderr = new CollectedText()
    const bar = progressBar(screen, { stderr })
    bar.emit(started(2))
    bar.emit({ type: 'log', level: 'info', message: 'careful', printedTo: 'stderr', worker: 1, run: 1 })
    await bar.close()
    expect(stderr.text).toBe('careful\n')
    expect(screen.text).not.toContain('careful')
  })

  test('changes no mode of the terminal that a killed process could leave behind', async () => {
    const screen = new TerminalScreen(80)
    const bar = progressBar(screen)
    bar.emit(started(2))
    bar.emit(failed(0))
    const unfinished = screen.text
    await bar.close()
    expect(unfinished + screen.text).not.toContain('\x1B[?')
    expect(screen.cursor.column).toBe(0)
  })

  test('redraws a few times a second, not once a run', async () => {
    const screen = new TerminalScreen(80)
    const bar = progressBar(screen)
    bar.emit(started(50_000))
    const startMs = performance.now()
    for (let run = 0; run < 50_000; run += 1) bar.emit(stored(run))
    const redrawsMax = 3 + (performance.now() - startMs) / 100
    await bar.close()
    expect(screen.text.split('\x1B[1G').length - 1).toBeLessThan(redrawsMax)
    expect(screen.rows.at(-1)).toContain('100 %  50,000 of 50,000 runs')
  })

  test('closing without a start, or twice, writes nothing', async () => {
    const screen = new TerminalScreen(80)
    const bar = progressBar(screen)
    await bar.close()
    await bar.close()
    expect(screen.text).toBe('')
  })
})

describe('plain lines', () => {
  test('have a start, the steps, and each kind of failure once with its count at the end', async () => {
    const clock = handClock()
    const stream = new CollectedText()
    const reporter = plainLines(stream, { clock })
    reporter.emit(started(40))
    for (let run = 0; run < 40; run += 1) {
      clock.advance(100)
      reporter.emit(run % 10 === 3 ? failed(run, { message: `tau is ${run}` }) : stored(run))
    }
    await reporter.close()
    expect(stream.lines.slice(0, 4)).toEqual([
      'multiply: 40 runs on 2 cores into /data/multiply.h5',
      '  5 %  2 of 40 runs, 10 runs/s, 4 s left',
      'run_00000003 failed: TypeError: tau is 3 (/data/job.ts:12:9)',
      ' 10 %  4 of 40 runs, 1 failed, 10 runs/s, 4 s left',
    ])
    expect(stream.lines.slice(-2)).toEqual([
      '100 %  40 of 40 runs, 4 failed, 10 runs/s',
      '4 runs failed with the same error: TypeError: tau is 3 (/data/job.ts:12:9): run_00000003, run_00000013, run_00000023 and 1 more',
    ])
    expect(stream.lines).toHaveLength(1 + 20 + 2)
    expect(stream.text).not.toContain('\x1B')
  })

  test('stay few when every run fails in its own way', async () => {
    const stream = new CollectedText()
    const reporter = plainLines(stream)
    reporter.emit(started(5000))
    const word = (run: number) =>
      run.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] ?? '')
    for (let run = 0; run < 5000; run += 1) reporter.emit(failed(run, { message: word(run) }))
    await reporter.close()
    expect(stream.lines.length).toBeLessThan(40)
    expect(stream.text).toContain('runs fail with more errors; all of them are in /data/logs/multiply\n')
    expect(stream.lines.at(-1)).toBe('4,990 runs failed with other errors')
  })
})

describe('quiet lines', () => {
  test('show failures and the warnings of the main process, nothing else', async () => {
    const stream = new CollectedText()
    const reporter = quietLines(stream)
    reporter.emit(started(3))
    reporter.emit(stored(0))
    reporter.emit({ type: 'log', level: 'info', message: 'all is well' })
    reporter.emit({ type: 'log', level: 'warn', message: 'from a job', worker: 1, run: 1 })
    for (let times = 0; times < 3; times += 1)
      reporter.emit({ type: 'log', level: 'warn', message: 'no flock' })
    reporter.emit(failed(1, { name: 'NonError', message: 'thrown: 42', stack: '' }))
    reporter.emit({ type: 'experiment-finished', summary: summaryOf() })
    await reporter.close()
    expect(stream.lines).toEqual(['warning: no flock', 'run_00000001 failed: thrown: 42'])
  })

  test('many different warnings end in a word about the logs', () => {
    const stream = new CollectedText()
    const reporter = quietLines(stream)
    for (let times = 0; times < 100; times += 1)
      reporter.emit({ type: 'log', level: 'error', message: `e${times}` })
    expect(stream.lines).toHaveLength(11)
    expect(stream.lines.at(-1)).toBe('warning: further warnings are in the logs')
  })
})

describe('text for a terminal', () => {
  test('colours are the stream’s matter, and NO_COLOR has the last word', () => {
    const terminal = new TerminalScreen(80)
    const pipe = new CollectedText()
    const enabled = (stream: CollectedText & { isTTY?: boolean }, env: Record<string, string>) =>
      coloursOf(stream, env).isColorSupported
    expect(enabled(terminal, {})).toBe(true)
    expect(enabled(pipe, {})).toBe(false)
    expect(enabled(pipe, { FORCE_COLOR: '1' })).toBe(true)
    expect(enabled(terminal, { FORCE_COLOR: '0' })).toBe(false)
    expect(enabled(terminal, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false)
    expect(enabled(terminal, { NO_COLOR: '' })).toBe(true)
    expect(enabled(terminal, { TERM: 'dumb' })).toBe(false)
  })

  test('a message of a job cannot move the cursor, and is cut', () => {
    expect(oneLine('a\nb\r\x1B[2Jc\u2028d', 80)).toBe('a b [2Jc d')
    expect(oneLine('x'.repeat(1e6), 10)).toBe('xxxxxxxxx…')
  })

  test('a reader that goes away stops neither the writing nor the closing', async () => {
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
    const output = openTextOutput(gone)
    output.write('first\n')
    await new Promise((resolve) => setImmediate(resolve))
    output.write('second\n')
    await output.close()
    const reporter = plainLines(gone)
    reporter.emit(started(1))
    await reporter.close()
    expect(gone.destroyed).toBe(true)
  })
})
