import { isAbsolute, relative } from 'node:path'
import { stackFrames } from '../stack-frames.ts'

/** The shortest form of a path to read and type: relative if it is in the working directory. */
export function shownPath(path: string, directory: string = process.cwd()): string {
  if (!isAbsolute(path)) return path
  const short = relative(directory, path)
  const isInside = short !== '' && !short.startsWith('..') && !isAbsolute(short)
  return isInside ? short : path
}

/**
 * The first line of a stack in the user's own code, as `job.ts:12:9`: not in Node, a package or pypet-ts. Undefined if
 * there is none.
 */
export function userFrame(stack: string, message: string): string | undefined {
  // A message may itself quote a stack; the frames of this error come after it.
  const messageStart = message === '' ? -1 : stack.indexOf(message)
  const frames = messageStart < 0 ? stack : stack.slice(messageStart + message.length)
  for (const { file, line, column } of stackFrames(frames)) {
    if (!/[\\/]node_modules[\\/]/.test(file)) return `${shownPath(file)}:${line}:${column}`
  }
  return undefined
}
