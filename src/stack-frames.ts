/** Reads stacks: the places an error passed through, outside of pypet-ts and Node. */
import { fileURLToPath } from 'node:url'
import { ownFile } from './own-files.ts'

export interface StackFrame {
  /** An absolute path. */
  readonly file: string
  /** Counted from 1, as is the column. */
  readonly line: number
  readonly column: number
}

/** The frames of a stack from the innermost outwards, except those in files of Node or pypet-ts. */
export function* stackFrames(stack: string): Generator<StackFrame> {
  for (const [, place = '', line, column] of stack.matchAll(FRAME)) {
    const file = place.startsWith('file:') ? pathOf(place) : place
    if (isForeign(file)) continue
    yield { file, line: Number(line), column: Number(column) }
  }
}

/** `at f (/a/job.ts:1:2)`, `at async file:///a/job.ts:1:2`, `at /a/job.ts:1:2`. */
const FRAME = /^\s+at (?:async )?(?:[^/\\\n]*? \()?(.+?):(\d+):(\d+)\)?$/gm

/** pypet-ts's own code, as it runs and as source maps show it: its frames do not help a user. */
const OWN_FOLDERS = ['dist', 'src'].map((name) => fileURLToPath(ownFile(`${name}/`)))

function isForeign(file: string): boolean {
  // Frames without a path: `node:fs`, `<anonymous>`, `native`, `eval`.
  return !/^(?:\/|\\\\|[A-Za-z]:[\\/])/.test(file) || OWN_FOLDERS.some((folder) => file.startsWith(folder))
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    return url
  }
}
