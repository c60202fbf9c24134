/** What a job prints, as log lines instead of terminal output. */

type Write = typeof process.stdout.write

/**
 * Replaces `write` of the standard streams. Text is handed on by whole lines; a line without its end is
 * kept until it comes.
 *
 * @param isCaptured false lets a text through to where it went before
 * @returns a function that restores the streams and hands on what is left
 */
export function captureOutput(onLine: (line: string) => void, isCaptured: () => boolean): () => void {
  const restores = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write
    let rest = ''
    stream.write = ((chunk: string | Uint8Array, ...others: unknown[]) => {
      if (!isCaptured()) return (write as (...all: unknown[]) => boolean).call(stream, chunk, ...others)
      const lines = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
      const callback = others.find((other) => typeof other === 'function') as (() => void) | undefined
      if (callback !== undefined) process.nextTick(callback)
      return true
    }) as Write
    return () => {
      stream.write = write
      if (rest !== '') onLine(rest)
    }
  })
  return () => {
    for (const restore of restores) restore()
  }
}
