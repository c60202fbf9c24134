/** Shows failures and warnings to people: each kind once, at once. Equal ones are counted. */
import type { ErrorRecord } from '../errors.ts'
import type { ExperimentEvent } from '../events.ts'
import { runName } from '../names.ts'
import { type FailureGroup, FailureGroups } from './failure-groups.ts'
import { formatCount, formatRuns } from './quantity.ts'
import { shownPath, userFrame } from './shown-path.ts'
import { type Colours, oneLine } from './text-output.ts'

/** More kinds than this would fill a screen; the logs have them all. */
const KINDS_SHOWN_MAX = 10
/** Length of a message line, so that the place in the source still fits on a wide terminal. */
const MESSAGE_LENGTH_MAX = 200

/**
 * Writes a line for the first failure of each kind and for each warning of the main process. Warnings inside a run go
 * to its log: with 50,000 runs, they would hide everything else.
 */
export class Notices {
  readonly #writeLine: (line: string) => void
  readonly #colours: Colours
  readonly #hasSummary: boolean
  readonly #failures = new FailureGroups()
  readonly #warnings = new Set<string>()
  #failureKindsShown = 0
  #strayErrorCount = 0
  #logFolder: string | undefined = ''

  /** @param hasSummary false if no summary follows; a summary counts the errors after the end of runs */
  constructor(writeLine: (line: string) => void, colours: Colours, hasSummary = true) {
    this.#writeLine = writeLine
    this.#colours = colours
    this.#hasSummary = hasSummary
  }

  observe(event: ExperimentEvent): void {
    switch (event.type) {
      case 'experiment-started':
        this.#logFolder = event.logFolder
        return
      case 'run-failed':
        this.#noticeFailure(event)
        return
      case 'log':
        if (event.isStray === true) this.#noticeStrayError(event)
        else if (event.worker === undefined && event.run === undefined && event.printedTo === undefined)
          this.#noticeWarning(event)
        return
      default:
        return
    }
  }

  /** Writes what was only counted so far. Call it once, after the last event. */
  close(): void {
    const repeated = this.#failures.groups.slice(0, KINDS_SHOWN_MAX).filter((group) => group.count > 1)
    for (const group of repeated) this.#writeLine(this.#red(describeRepeated(group)))
    const hidden = this.#failures.groups.slice(KINDS_SHOWN_MAX)
    const hiddenCount = hidden.reduce((sum, group) => sum + group.count, this.#failures.ungroupedCount)
    if (hiddenCount > 0) this.#writeLine(this.#red(`${formatRuns(hiddenCount)} failed with other errors`))
    if (this.#strayErrorCount > 1 && !this.#hasSummary) {
      const count = formatCount(this.#strayErrorCount)
      this.#writeLine(this.#red(`${count} errors after the end of a run; ${this.#inLogs('all of them are')}`))
    }
  }

  #noticeFailure({ run, error }: Extract<ExperimentEvent, { type: 'run-failed' }>): void {
    const group = this.#failures.add(run, error)
    if (group !== undefined && group.count > 1) return
    this.#failureKindsShown += 1
    if (this.#failureKindsShown <= KINDS_SHOWN_MAX) {
      this.#writeLine(`${this.#red(`${runName(run)} failed:`)} ${describeFailure(error, group?.frame)}`)
      this.#writeHint(error.hint)
    } else if (this.#failureKindsShown === KINDS_SHOWN_MAX + 1) {
      this.#writeLine(this.#red(`runs fail with more errors; ${this.#inLogs('all of them are')}`))
    }
  }

  #noticeWarning({ level, message }: Extract<ExperimentEvent, { type: 'log' }>): void {
    if (level !== 'warn' && level !== 'error') return
    const line = oneLine(message, MESSAGE_LENGTH_MAX * 2)
    if (this.#warnings.has(line) || this.#warnings.size > KINDS_SHOWN_MAX) return
    this.#warnings.add(line)
    if (this.#warnings.size > KINDS_SHOWN_MAX) {
      this.#writeLine(this.#colours.yellow(`warning: ${this.#inLogs('further warnings are')}`))
      return
    }
    const label = level === 'warn' ? this.#colours.yellow('warning:') : this.#red('error:')
    this.#writeLine(`${label} ${line}`)
  }

  /** The first one is shown at once: a result that comes too late is lost in every run, not only in one. */
  #noticeStrayError({ message, run }: Extract<ExperimentEvent, { type: 'log' }>): void {
    this.#strayErrorCount += 1
    if (this.#strayErrorCount > 1) return
    const [text = ''] = message.split('\n', 1)
    const frame = userFrame(message, text)
    const source = run === undefined ? '' : `${runName(run)}: `
    const place = frame === undefined ? '' : ` (${oneLine(frame, MESSAGE_LENGTH_MAX)})`
    this.#writeLine(`${this.#red('error:')} ${source}${oneLine(text, MESSAGE_LENGTH_MAX * 2)}${place}`)
    this.#writeHint(/^hint: (.*)$/m.exec(message)?.[1])
  }

  #writeHint(hint: string | undefined): void {
    if (hint === undefined) return
    this.#writeLine(`  ${this.#colours.dim('hint:')} ${oneLine(hint, MESSAGE_LENGTH_MAX * 2)}`)
  }

  #inLogs(what: string): string {
    if (this.#logFolder === undefined) return 'no logs are written'
    return this.#logFolder === '' ? `${what} in the logs` : `${what} in ${shownPath(this.#logFolder)}`
  }

  #red(text: string): string {
    return this.#colours.red(text)
  }
}

/** `TypeError: x is not a function (job.ts:12:9)`. */
function describeFailure(error: ErrorRecord, frame: string | undefined): string {
  const parts = [error.name === 'NonError' ? '' : error.name, error.message].filter((part) => part !== '')
  const text = oneLine(parts.join(': '), MESSAGE_LENGTH_MAX)
  return frame === undefined ? text : `${text} (${oneLine(frame, MESSAGE_LENGTH_MAX)})`
}

/** `12 runs failed with the same error: TypeError: … (job.ts:12:9): run_00000003, run_00000004, run_00000007 and 9 more`. */
function describeRepeated(group: FailureGroup): string {
  const names = group.runs.map(runName).join(', ')
  const more = group.count - group.runs.length
  const runs = more > 0 ? `${names} and ${formatCount(more)} more` : names
  return `${formatRuns(group.count)} failed with the same error: ${describeFailure(group.error, group.frame)}: ${runs}`
}
