/** A stream that people or pipes read. Writing to it never stops an experiment. */
import { createColors } from 'picocolors'
import { cutText } from '../values/cut-text.ts'

/** What reporters need from `process.stdout`, `process.stderr` or another stream. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export type Colours = ReturnType<typeof createColors>

/** A guarded stream: see `openTextOutput`. */
export interface TextOutput {
  write(text: string): void
  /** Resolves when all text is passed to the operating system, or the reader is gone. */
  close(): Promise<void>
}

/**
 * Guards a stream: when its reader goes away (`pypet-ts run …
 * head`), further text is silently dropped, where Node would end the process. The stream stays open: it belongs to the
 * caller.
 */
export function openTextOutput(stream: OutputStream): TextOutput {
  const guard = guardOf(stream)
  return {
    write(text) {
      if (!guard.isBroken) stream.write(text)
    },
    close() {
      if (guard.isBroken) return Promise.resolve()
      return new Promise((resolve) => {
        guard.onBreak(resolve)
        stream.write('', () => resolve())
      })
    },
  }
}

/**
 * Colours for one stream, because stdout may be a pipe while stderr is a terminal. `NO_COLOR` disables them
 * (https://no-color.org), `FORCE_COLOR` enables them; a dumb terminal gets none.
 */
export function coloursOf(
  stream: Pick<OutputStream, 'isTTY'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Colours {
  if (env.NO_COLOR) return createColors(false)
  if (env.FORCE_COLOR) return createColors(env.FORCE_COLOR !== '0')
  return createColors(stream.isTTY === true && env.TERM !== 'dumb')
}

/**
 * Turns any text into one printable line: control characters, which could manipulate the terminal, become spaces, and
 * text longer than `lengthMax` is cut.
 */
export function oneLine(text: string, lengthMax: number): string {
  // The slice avoids scanning megabytes of which only a line is shown.
  const line = text
    .slice(0, lengthMax * 4)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return cutText(line, lengthMax, '…')
}

interface Guard {
  readonly isBroken: boolean
  onBreak(listener: () => void): void
}

/** One error listener per stream, however many reporters use it, so that Node reports no leak. */
const guards = new WeakMap<OutputStream, Guard>()

function guardOf(stream: OutputStream): Guard {
  const known = guards.get(stream)
  if (known) return known
  let isBroken = false
  let listeners: (() => void)[] = []
  stream.on('error', () => {
    isBroken = true
    for (const listener of listeners) listener()
    listeners = []
  })
  const guard: Guard = {
    get isBroken() {
      return isBroken || !stream.writable
    },
    onBreak(listener) {
      listeners.push(listener)
    },
  }
  guards.set(stream, guard)
  return guard
}
