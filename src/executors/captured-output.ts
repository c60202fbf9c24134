/** Turns what a job prints into log lines instead of terminal output. */
import { StringDecoder } from 'node:string_decoder'

/** Longer lines are passed on in parts: a job that prints dots for days must not fill the memory. */
const LINE_LENGTH_MAX = 65_536

/** Where a line was printed to. */
export type StreamName = 'stdout' | 'stderr'

export interface CapturedOutput {
  /** Passes on an unfinished line, because nothing more will be added to it. */
  flush(): void
  /** Restores the streams after a last `flush`. Several captures may be restored in any order. */
  restore(): void
}

/**
 * Replaces `write` of the standard streams. Passes text on line by line. An unfinished line is kept until it ends, or
 * until `flush` is called.
 *
 * @param isCaptured false lets a text through to its original stream
 */
export function captureOutput(
  onLine: (line: string, from: StreamName) => void,
  isCaptured: () => boolean,
): CapturedOutput {
  const streams = (['stdout', 'stderr'] as const).map((name) =>
    captureStream(process[name], (line) => onLine(line, name), isCaptured),
  )
  return {
    flush() {
      for (const { flush } of streams) flush()
    },
    restore() {
      for (const { restore } of streams) restore()
    },
  }
}

type Write = typeof process.stdout.write

function captureStream(
  stream: NodeJS.WriteStream,
  onLine: (line: string) => void,
  isCaptured: () => boolean,
): CapturedOutput {
  const write = stream.write
  // A character may be split between two chunks.
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let isOver = false
  const capturing = ((chunk: string | Uint8Array, ...others: unknown[]) => {
    if (isOver || !isCaptured())
      return (write as (...all: unknown[]) => boolean).call(stream, chunk, ...others)
    const lines = (rest + textOf(chunk, others[0], decoder)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (rest.length > LINE_LENGTH_MAX) {
      onLine(rest)
      rest = ''
    }
    const callback = others.find((other) => typeof other === 'function') as (() => void) | undefined
    if (callback !== undefined) process.nextTick(callback)
    return true
  }) as Write
  stream.write = capturing
  const flush = () => {
    const line = rest + decoder.end()
    rest = ''
    if (line !== '') onLine(line)
  }
  return {
    flush,
    restore() {
      flush()
      isOver = true
      if (stream.write === capturing) stream.write = write
    },
  }
}

function textOf(chunk: string | Uint8Array, encoding: unknown, decoder: StringDecoder): string {
  if (typeof chunk !== 'string') return decoder.write(Buffer.from(chunk))
  return typeof encoding === 'string'
    ? decoder.write(Buffer.from(chunk, encoding as BufferEncoding))
    : decoder.end() + chunk
}
