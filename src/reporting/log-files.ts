import { join } from 'node:path'
import { allowsLevel } from '../run/log-level.ts'
import { LogFile } from './log-file.ts'
import { MAIN_LOG, WARNINGS_LOG, workerLog } from './log-folder.ts'
import { formatLogLine, type LogLine } from './log-lines.ts'
import type { RunLogFiles } from './run-log-files.ts'

/** All files of one log. Decides which line goes into which file. */
export class LogFiles {
  readonly #folder: string
  readonly #separator: string
  readonly #main: LogFile
  readonly #warnings: LogFile
  readonly #workers = new Map<number, LogFile>()
  readonly #runs: RunLogFiles | undefined
  #failure: unknown

  /**
   * Opens the two files that every log has.
   *
   * @param separator the first line in a file that an earlier run has written to
   * @param runs the files of runs, if each run has one
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
   */
  constructor(folder: string, separator: string, runs?: RunLogFiles) {
    this.#folder = folder
    this.#runs = runs
    this.#separator = separator
    this.#main = new LogFile(join(folder, MAIN_LOG), separator)
    this.#warnings = new LogFile(join(folder, WARNINGS_LOG), separator)
  }

  /** Adds the line to its files. Never throws: see `close`. */
  write(line: LogLine): void {
    const text = formatLogLine(line)
    this.#main.append(text)
    if (allowsLevel('warn', line.level)) this.#warnings.append(text)
    if (line.worker !== undefined) this.#fileOfWorker(line.worker)?.append(text)
    this.#runs?.write(line, text)
  }

  /** Passes all lines to the operating system. Never throws: see `close`. */
  flush(): void {
    for (const file of this.#all()) file.flush()
  }

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if lines were lost, after all files are closed */
  close(): void {
    for (const file of this.#all()) {
      try {
        file.close()
      } catch (thrown) {
        this.#failure ??= thrown
      }
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  #fileOfWorker(worker: number): LogFile | undefined {
    const known = this.#workers.get(worker)
    if (known) return known
    try {
      const file = new LogFile(join(this.#folder, workerLog(worker)), this.#separator)
      this.#workers.set(worker, file)
      return file
    } catch (thrown) {
      // The line is in the main file, and `close` reports what is missing.
      this.#failure ??= thrown
      return undefined
    }
  }

  #all(): (LogFile | RunLogFiles)[] {
    const runs = this.#runs === undefined ? [] : [this.#runs]
    return [this.#main, this.#warnings, ...this.#workers.values(), ...runs]
  }
}
