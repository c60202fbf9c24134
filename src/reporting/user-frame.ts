import { stackFrames } from '../stack-frames.ts'
import { shownPath } from './shown-path.ts'

/**
 * The first line of a stack that the user wrote, as `job.ts:12:9`: not Node's, not a package's, not
 * ours. Undefined when the stack holds none.
 */
export function userFrame(stack: string, message: string): string | undefined {
  // A message may quote a stack itself; the frames of this error come after it.
  const messageStart = message === '' ? -1 : stack.indexOf(message)
  const frames = messageStart < 0 ? stack : stack.slice(messageStart + message.length)
  for (const { file, line, column } of stackFrames(frames)) {
    if (!/[\\/]node_modules[\\/]/.test(file)) return `${shownPath(file)}:${line}:${column}`
  }
  return undefined
}
