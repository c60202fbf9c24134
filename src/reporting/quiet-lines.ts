import type { Reporter } from '../events.ts'
import { Notices } from './notices.ts'
import { coloursOf, type OutputStream, openTextOutput } from './text-output.ts'

/** For `--quiet`: failures and warnings, nothing else. Meant for stderr. */
export function quietLines(stream: OutputStream): Reporter {
  const output = openTextOutput(stream)
  const notices = new Notices((line) => output.write(`${line}\n`), coloursOf(stream), false)
  return {
    emit(event) {
      notices.observe(event)
    },
    close() {
      notices.close()
      return output.close()
    },
  }
}
