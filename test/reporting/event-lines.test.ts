import { describe, expect, test } from 'vitest'
import type { ExperimentEvent, Reporter } from '../../src/events.ts'
import { eventLines } from '../../src/reporting/event-lines.ts'
import { teeReporters } from '../../src/reporting/tee-reporter.ts'
import { CollectedText, failed, started, stored, summaryOf } from './streams.ts'

describe('event lines', () => {
  test('are one JSON object each, in snake_case, with the time in UTC', async () => {
    const stream = new CollectedText()
    const reporter = eventLines(stream, { now: () => new Date(Date.UTC(2026, 10, 23, 7, 31, 0, 123)) })
    reporter.emit(started(3))
    reporter.emit(stored(0, 2))
    reporter.emit(failed(1, { stack: 'TypeError: x\n    at y' }))
    reporter.emit({ type: 'log', level: 'warn', message: 'two\nlines', worker: 1, run: 2 })
    reporter.emit({ type: 'log', level: 'info', message: 'not asked for' })
    const summary = summaryOf({ runCount: 3, storedCount: 2, failedCount: 1, durationMs: 1.23456 })
    reporter.emit({ type: 'experiment-finished', summary })
    await reporter.close()
    const time = '2026-11-23T07:31:00.123Z'
    expect(stream.lines.map((line) => JSON.parse(line))).toEqual([
      {
        event: 'experiment-started',
        time,
        trajectory: 'multiply',
        file: '/data/multiply.h5',
        cnt_file: '/data/multiply.cnt',
        stored_count: 0,
        failed_count: 0,
        run_count: 3,
        ncores: 2,
        executor: 'pool',
        log_folder: '/data/logs/multiply',
      },
      { event: 'runs-stored', time, runs: [0, 2], stored_count: 2, failed_count: 0, run_count: 3 },
      {
        event: 'run-failed',
        time,
        run: 1,
        run_name: 'run_00000001',
        error: { name: 'TypeError', message: 'tau is no number', stack: 'TypeError: x\n    at y' },
        stored_count: 2,
        failed_count: 1,
        run_count: 3,
      },
      { event: 'log', time, level: 'warn', message: 'two\nlines', worker: 1, run: 2 },
      {
        event: 'experiment-finished',
        time,
        trajectory: 'multiply',
        file: '/data/multiply.h5',
        log_folder: '/data/logs/multiply',
        run_count: 3,
        stored_count: 2,
        previously_stored_count: 0,
        failed_count: 1,
        left_count: 0,
        stray_error_count: 0,
        duration_ms: 1.235,
        complete: false,
      },
    ])
  })

  test('are not coloured on a terminal either', () => {
    const stream = Object.assign(new CollectedText(), { isTTY: true })
    eventLines(stream).emit(failed(0))
    expect(stream.text).not.toContain('\x1B')
  })
})

describe('several reporters as one', () => {
  /** Keeps its events; throws where it is told to. */
  function recorder(options: { emitThrows?: boolean; closeThrows?: boolean } = {}) {
    const events: ExperimentEvent[] = []
    const closed: string[] = []
    const reporter: Reporter = {
      emit(event) {
        events.push(event)
        if (options.emitThrows) throw new Error('no room')
      },
      async close() {
        closed.push('closed')
        if (options.closeThrows) throw new Error('lines are lost')
      },
    }
    return { ...reporter, events, closed }
  }
  const warning = (message: string) => ({ type: 'log', level: 'warn', message })

  test('one that throws takes no event from the others, who are told once', () => {
    const [before, failing, after] = [recorder(), recorder({ emitThrows: true }), recorder()]
    const tee = teeReporters([before, failing, after])
    tee.emit(stored(0))
    tee.emit(stored(1))
    expect(failing.events).toEqual([stored(0), stored(1)])
    expect(before.events).toEqual([stored(0), warning('a reporter failed: Error: no room'), stored(1)])
    expect(after.events.filter((event) => event.type === 'runs-stored')).toEqual([stored(0), stored(1)])
  })

  test('when all of them throw, the experiment still notices nothing', async () => {
    const tee = teeReporters([
      recorder({ emitThrows: true, closeThrows: true }),
      recorder({ emitThrows: true }),
    ])
    tee.emit(stored(0))
    await tee.close()
  })

  test('the first one hears that a later one failed to close, and all are closed', async () => {
    const [shown, log] = [recorder(), recorder({ closeThrows: true })]
    await teeReporters([shown, log]).close()
    expect(shown.events).toEqual([warning('a reporter failed: Error: lines are lost')])
    expect([shown.closed, log.closed]).toEqual([['closed'], ['closed']])
  })
})
