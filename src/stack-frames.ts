/** Reading stacks: the places that an error came through, of everybody's code but ours and Node's. */
import { fileURLToPath } from 'node:url'
import { ownFile } from './own-files.ts'

export interface StackFrame {
  /** An absolute path. */
  readonly file: string
  /** Counted from 1, as is the column. */
  readonly line: number
  readonly column: number
}

/** The frames of a stack from the innermost outwards, in files that are neither Node's nor ours. */
export function* stackFrames(stack: string): Generator<StackFrame> {
  for (const [, place = '', line, column] of stack.matchAll(FRAME)) {
    const file = place.startsWith('file:') ? pathOf(place) : place
    if (isForeign(file)) continue
    yield { file, line: Number(line), column: Number(column) }
  }
}

/** `at f (/a/job.ts:1:2)`, `at async file:///a/job.ts:1:2`, `at /a/job.ts:1:2`. */
const FRAME = /^\s+at (?:async )?(?:[^/\\\n]*? \()?(.+?):(\d+):(\d+)\)?$/gm

/** Our own code as it runs, and as source maps tell it: its frames tell a user nothing. */
const OWN_FOLDERS = ['dist', 'src'].map((name) => fileURLToPath(ownFile(`${name}/`)))

function isForeign(file: string): boolean {
  // Whatever has no path: `node:fs`, `<anonymous>`, `native`, `eval`.
  return !/^(?:\/|\\\\|[A-Za-z]:[\\/])/.test(file) || OWN_FOLDERS.some((folder) => file.startsWith(folder))
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    return url
  }
}
