import { fileURLToPath } from 'node:url'
import { shownPath } from './shown-path.ts'

/**
 * The first line of a stack that the user wrote, as `job.ts:12:9`: not Node's, not a package's, not
 * ours. Undefined when the stack holds none.
 */
export function userFrame(stack: string, message: string): string | undefined {
  // A message may quote a stack itself; the frames of this error come after it.
  const messageStart = message === '' ? -1 : stack.indexOf(message)
  const frames = messageStart < 0 ? stack : stack.slice(messageStart + message.length)
  for (const [, place = '', line, column] of frames.matchAll(FRAME)) {
    const file = place.startsWith('file:') ? pathOf(place) : place
    if (isForeign(file)) continue
    return `${shownPath(file)}:${line}:${column}`
  }
  return undefined
}

/** `at f (/a/job.ts:1:2)`, `at async file:///a/job.ts:1:2`, `at /a/job.ts:1:2`. */
const FRAME = /^\s+at (?:async )?(?:[^/\\\n]*? \()?(.+?):(\d+):(\d+)\)?$/gm

/** Our own code as it runs, and as source maps tell it: its frames tell a user nothing. */
const OWN_FOLDERS = ['dist', 'src'].map((name) => fileURLToPath(new URL(`../../${name}/`, import.meta.url)))

function isForeign(file: string): boolean {
  return (
    file.startsWith('node:') ||
    file.startsWith('<') ||
    /[\\/]node_modules[\\/]/.test(file) ||
    OWN_FOLDERS.some((folder) => file.startsWith(folder))
  )
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    return url
  }
}
