import { isPypetError, toErrorRecord } from '../errors.ts'
import type { ViewProblem } from './view-protocol.ts'

/** An error as the page shows it: without the stack, which names files of this machine. */
export function problemOf(error: unknown): ViewProblem {
  if (!isPypetError(error)) return { code: 'INTERNAL', message: toErrorRecord(error).message }
  return { code: error.code, message: error.message, hint: error.hint }
}
