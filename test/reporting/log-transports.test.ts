import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import winston from 'winston'
import { openTransportLog } from '../../src/reporting/log-transports.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { failed, started } from './streams.ts'

type Log = (info: Record<string | symbol, unknown>, next: () => void) => void
const Transport = createRequire(createRequire(import.meta.url).resolve('winston'))(
  'winston-transport',
) as new (
  options: object,
) => winston.transport

const open = (...transports: winston.transport[]) => openLimited({}, ...transports)
const openLimited = (limits: { waitingMax?: number }, ...transports: winston.transport[]) =>
  openTransportLog(transports, {
    trajectory: 'multiply',
    level: 'info',
    file: 'transports.ts',
    call: (action) => action(),
    now: () => 0,
    ...limits,
  })
const custom = (log: Log, more: object = {}) => new Transport({ log, ...more })
const line = (message: string, level: 'info' | 'warn' | 'debug' = 'info') =>
  ({ type: 'log', level, message, worker: 2, run: 12 }) as const

test('a transport gets each line with its level, time, trajectory, worker and run, and its text', async () => {
  const infos: object[] = []
  const texts: unknown[] = []
  const keep: Log = (info, next) => {
    infos.push({ ...info })
    texts.push(info[Symbol.for('message')])
    next()
  }
  const log = await open(custom(keep), custom(keep, { level: 'warn' }))
  log.emit(line('a remark'))
  log.emit(line('hidden', 'debug'))
  log.emit(line('careful', 'warn'))
  log.emit({ ...line('printed'), printedTo: 'stdout' })
  await log.close()
  const common = {
    timestamp: '1970-01-01T00:00:00.000Z',
    trajectory: 'multiply',
    worker: 2,
    run: 'run_00000012',
  }
  expect(infos).toMatchObject([
    { level: 'info', message: 'a remark', ...common },
    { level: 'warn', message: 'careful', ...common },
    { level: 'warn', message: 'careful', ...common },
  ])
  expect(texts[0]).toMatch(/^\S+ \S+ INFO {2}run_00000012: a remark$/)
})

test("winston's own file transport has everything when the log is closed", async () => {
  const folder = fileTree({})
  const filename = join(folder, 'all.log')
  const log = await open(new winston.transports.File({ filename, format: winston.format.json() }))
  log.emit(started(3))
  for (let index = 0; index < 1000; index += 1) log.emit(line(`line ${index}`))
  log.emit(failed(1))
  await log.close()
  const lines = readFileSync(filename, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text))
  expect(lines.length).toBe(1003)
  expect(lines[1000]).toMatchObject({ message: 'line 999', run: 'run_00000012' })
  expect(lines[1001]).toMatchObject({ level: 'error', run: 'run_00000001' })
  expect(lines[1002].message).toMatch(/^33 %: 1 of 3 runs, 1 failed/)
})

test('one that throws is told once, and holds up nobody', async () => {
  const got: unknown[] = []
  const throws = custom(() => {
    throw new TypeError('no such disk')
  })
  const format = winston.format(() => {
    throw new Error('no such form')
  })()
  const log = await open(
    throws,
    custom(() => undefined, { format }),
    custom((info, next) => {
      got.push(info.message)
      next()
    }),
  )
  const emit = (index: number) => () => log.emit(line(`line ${index}`))
  expect(emit(0)).toThrow(
    expect.objectContaining({
      code: 'PYPET_LOG_TRANSPORT_FAILED',
      message: expect.stringMatching(
        /^log transport 1 \(.*\) of transports\.ts failed: TypeError: no such disk; log transport 2 .* failed: no such form$/,
      ),
    }),
  )
  for (let index = 1; index < 50; index += 1) emit(index)()
  await log.close()
  expect(got).toEqual(Array.from({ length: 50 }, (_, index) => `line ${index}`))
})

test('a slow one loses what is too much for it, which is counted, and the others do not', async () => {
  let gotCount = 0
  let finish: (() => void) | undefined
  const slow = custom((_info, next) => {
    // The first line takes until the experiment is over.
    if (finish === undefined) finish = next
    else next()
  })
  const log = await openLimited(
    { waitingMax: 100 },
    slow,
    custom((_info, next) => {
      gotCount += 1
      next()
    }),
  )
  let complaint = ''
  for (let index = 0; index < 300; index += 1) {
    try {
      log.emit(line(`line ${index}`))
    } catch (thrown) {
      complaint += (thrown as Error).message
    }
  }
  expect(complaint).toMatch(/^log transport 1 \(.*\) of transports\.ts is too slow: 1 line did not reach it$/)
  finish?.()
  await expect(log.close()).rejects.toThrow(/is too slow: \d{3} lines did not reach it in all$/)
  expect(gotCount).toBe(300)
})
