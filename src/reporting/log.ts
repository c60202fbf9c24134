import { once } from 'node:events'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'winston'
import type { Reporter } from '../events.ts'
import type { LogLevel } from '../run/log-level.ts'
import { LogFiles } from './log-files.ts'
import { logFolderOf } from './log-folder.ts'
import { formatTime, type LogLine, LogLines } from './log-lines.ts'
import type { Clock } from './progress.ts'
import { RunLogFiles } from './run-log-files.ts'

export interface OpenLogOptions {
  /** The folder of all logs; each trajectory has its own subfolder. */
  readonly folder: string
  readonly trajectory: string
  /** The minimum level of lines to keep. */
  readonly level: LogLevel
  /** The name of the environment, for names with wildcards. */
  readonly environment?: string
  /** The name of the log file of a run, with wildcards. If set, each run gets one. */
  readonly runFiles?: string | undefined
  /** Percentage of the runs between two progress lines. */
  readonly progressStep?: number
  /** The wall clock, in milliseconds since 1970. */
  readonly now?: Clock
}

export interface Log extends Reporter {
  /** Resolves when winston has taken over, or is known not to. Earlier and later lines look the same. */
  readonly handedOver: Promise<void>
}

/**
 * The log files of an experiment, as a reporter. In `<folder>/<trajectory>/`, `main.txt` has everything at the level,
 * `warnings_and_errors.txt` the warnings and errors, and `process_0003.txt` the lines of worker 3 (created with its
 * first line). With `runFiles`, each run also has a file. Files of an earlier execution are appended to; those of all
 * runs below a separator.
 *
 * The files are open when this returns, and accept lines at once. winston takes over later: loading it takes as long as
 * a whole small experiment, and until then its one transport receives the lines directly. `close` resolves when every
 * line is in its file.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`, also from `close` if lines were lost (a full disk)
 */
export function openLog(options: OpenLogOptions): Log {
  const { trajectory, level, environment = '', runFiles, progressStep, now = Date.now } = options
  const folder = logFolderOf(options.folder, trajectory, environment)
  const separator = `${'-'.repeat(23)}\n${formatTime(now())} INFO  another run, added to the log\n`
  const runs =
    runFiles === undefined ? undefined : new RunLogFiles(folder, runFiles, { trajectory, environment })
  const files = new LogFiles(folder, separator, runs)
  const lines = new LogLines(level, now, () => performance.now(), progressStep)
  let logger: Logger | undefined
  const closing = new AbortController()

  const write = (line: LogLine) => {
    if (logger === undefined) files.write(line)
    else logger.log(line)
  }
  const emit: Reporter['emit'] = (event) => {
    if (!closing.signal.aborted) lines.observe(event, write)
  }
  const handOver = async () => {
    try {
      await delay(LOAD_AFTER_MS, undefined, { ref: false, signal: closing.signal })
      const loaded = await fileLogger(level, files)
      if (!closing.signal.aborted) logger = loaded
    } catch (thrown) {
      emit({ type: 'log', level: 'warn', message: `cannot load winston: ${thrown}` })
    }
  }
  const flush = () => files.flush()
  const flushing = setInterval(flush, FLUSH_EACH_MS).unref()
  // The last lines before a crash are the ones that people look for.
  process.once('exit', flush)

  return {
    emit,
    handedOver: handOver(),
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      clearInterval(flushing)
      if (logger !== undefined) await Promise.all([once(logger, 'finish'), logger.end()])
      process.off('exit', flush)
      files.close()
    },
  }
}

/** An experiment that ends before this never loads winston, which takes as long as a whole small experiment. */
const LOAD_AFTER_MS = 2000
/** How far behind a reader of the file is at most. */
const FLUSH_EACH_MS = 200

/** A logger whose lines reach the files before `log` returns, so that none accumulate in memory. */
async function fileLogger(level: LogLevel, files: LogFiles): Promise<Logger> {
  const { default: winston } = await import('winston')
  // winston exports the class under this name, which its declarations omit.
  const { Transport } = winston as unknown as { readonly Transport: TransportConstructor }
  const toFiles = new Transport({
    log(line: LogLine, next: () => void) {
      files.write(line)
      next()
    },
  })
  return await transportLogger(level, toFiles)
}

/** A logger with one transport, which receives every line unchanged. */
export async function transportLogger(level: LogLevel, transport: LogTransport): Promise<Logger> {
  const { default: winston } = await import('winston')
  // The default format would turn each line into JSON, but the lines have their own form.
  const asItIs = winston.format((line) => line)()
  const logger = winston.createLogger({ level, format: asItIs, transports: [transport] })
  // A logger is a stream, and streams start to flow with the next turn of the event loop.
  await nextTurn()
  return logger
}

export type LogTransport = Logger['transports'][number]
export type { Logger }

type TransportConstructor = new (options: { log(line: LogLine, next: () => void): void }) => LogTransport
