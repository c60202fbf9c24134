import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import type winston from 'winston'
import { openTransportLog } from '../../src/reporting/log-transports.ts'

const Transport = createRequire(createRequire(import.meta.url).resolve('winston'))(
  'winston-transport',
) as new (
  options: object,
) => winston.transport

test.each([
  [1, '1 line'],
  [7, '7 lines'],
  [50, '50 lines'],
])(
  'of %d lines that a transport never finishes, all are told as lost when the log is closed, once',
  async (count, lines) => {
    const log = await openTransportLog([new Transport({ log: () => undefined })], {
      trajectory: 'multiply',
      level: 'info',
      file: 'transports.ts',
      call: (action) => action(),
      closeMaxMs: 50,
    })
    for (let index = 0; index < count; index += 1)
      log.emit({ type: 'log', level: 'info', message: `line ${index}`, worker: 1, run: 0 })
    const name = 'log transport 1 (DerivedLogger) of transports.ts'
    const error = (await log.close()?.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )) as Error
    expect(error.message.replaceAll(/transport 1 \(\w+\)/g, 'transport 1 (DerivedLogger)')).toBe(
      `${name} failed: it did not finish within 0.05 s; ${name} is too slow: ${lines} did not reach it`,
    )
    await log.close()
  },
)
