/** A line on a terminal until there is something to show. It disappears when the first real line comes. */
import { type OutputStream, oneLine } from './text-output.ts'

export interface WaitingLine extends Disposable {
  /** Removes the line, once. */
  clear(): void
}

const COLUMNS_DEFAULT = 80
const CLEAR = '\r\x1B[2K'

/** Shows the text at once; nothing if the stream is not a terminal that can erase a line. */
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
  // Ctrl-C ends the process before anything is disposed of.
  if (isShown) process.once('exit', clear)
  return { clear, [Symbol.dispose]: clear }
}
