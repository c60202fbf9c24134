import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolders } from '../folders.ts'
import { logsNotWritable } from './log-folder.ts'
import { formatCount } from './quantity.ts'

/** Larger writes are not cheaper per byte. */
const BUFFER_LENGTH_MAX = 64 * 1024

/**
 * One file of the log, opened for appending. Text is buffered and written synchronously in large pieces: memory stays
 * bounded even while a job keeps the main thread busy, no line is dropped, and the last lines can still be written
 * while the process exits.
 *
 * A full disk does not stop an experiment: lines that could not be written are counted, the next piece is tried again,
 * and `close` reports the loss.
 */
export class LogFile {
  readonly #path: string
  readonly #descriptor: number
  #buffer: string[] = []
  #bufferLength = 0
  #lostCount = 0
  #failure: unknown

  /**
   * Opens or creates the file and its folder. A file with earlier lines first gets `separator`.
   *
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
   */
  constructor(path: string, separator: string) {
    this.#path = path
    try {
      makeFolders(dirname(path))
      this.#descriptor = openSync(path, 'a')
    } catch (cause) {
      throw logsNotWritable(dirname(path), (cause as Error).message, cause)
    }
    if (fstatSync(this.#descriptor).size > 0) this.append(separator)
  }

  append(text: string): void {
    this.#buffer.push(text)
    this.#bufferLength += text.length
    if (this.#bufferLength >= BUFFER_LENGTH_MAX) this.flush()
  }

  /** Passes all text to the operating system. Never throws: see `close`. */
  flush(): void {
    if (this.#buffer.length === 0) return
    const text = this.#buffer.join('')
    const lineCount = this.#buffer.length
    this.#buffer = []
    this.#bufferLength = 0
    try {
      writeFileSync(this.#descriptor, text)
    } catch (cause) {
      this.#failure ??= cause
      this.#lostCount += lineCount
    }
  }

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if lines were lost; the file is closed in any case */
  close(): void {
    this.flush()
    closeSync(this.#descriptor)
    if (this.#lostCount === 0) return
    const found = `lost ${formatCount(this.#lostCount)} lines of ${this.#path}: ${(this.#failure as Error).message}`
    throw logsNotWritable(dirname(this.#path), found, this.#failure)
  }
}
