import { expect, test } from 'vitest'
import { showWaiting } from '../../src/reporting/waiting-line.ts'
import { CollectedText, TerminalScreen } from './streams.ts'

test('a terminal shows it at once, in one line, until the first real one comes', () => {
  const screen = new TerminalScreen(20)
  const waiting = showWaiting(screen, 'loading a/job/with/a/long/name.ts', { isQuiet: false })
  expect(screen.rows).toEqual(['loading a/job/with…'])
  waiting.clear()
  screen.write('job: 2 runs\n')
  waiting[Symbol.dispose]()
  expect(screen.rows).toEqual(['job: 2 runs'])
})

test('a pipe gets nothing of it, and neither does who wants quiet', () => {
  const pipe = new CollectedText()
  showWaiting(pipe, 'loading', { isQuiet: false }).clear()
  expect(pipe.text).toBe('')
  const screen = new TerminalScreen(20)
  showWaiting(screen, 'loading', { isQuiet: true }).clear()
  expect(screen.text).toBe('')
})
