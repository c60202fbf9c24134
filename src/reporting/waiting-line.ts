/** What a terminal shows until there is something to tell: a line that is gone when the first real one comes. */
import { type OutputStream, oneLine } from './text-output.ts'

export interface WaitingLine extends Disposable {
  /** Takes the line away, once. */
  clear(): void
}

const COLUMNS_DEFAULT = 80
const CLEAR = '\r\x1B[2K'

/** Shows the text at once, and nothing where the stream is no terminal that can take a line back. */
export function showWaiting(
  stream: OutputStream,
  text: string,
  { isQuiet }: { readonly isQuiet: boolean },
): WaitingLine {
  let isShown = stream.isTTY === true && process.env.TERM !== 'dumb' && !isQuiet
  if (isShown) stream.write(oneLine(text, (stream.columns || COLUMNS_DEFAULT) - 1))
  const clear = () => {
    if (isShown) stream.write(CLEAR)
    isShown = false
    process.off('exit', clear)
  }
  // Ctrl-C ends the process before anybody disposes of anything.
  if (isShown) process.once('exit', clear)
  return { clear, [Symbol.dispose]: clear }
}
