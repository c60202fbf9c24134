/** The action of `pypet-ts verify <file>`. */
import { PypetError } from '../../errors.ts'
import { type OtherSource, restoreHint, runsText } from '../../library/stored-source.ts'
import { type VerifyReport, verify } from '../../library/verify.ts'
import type { RunVerdict } from '../../library/verify-runs.ts'
import { userFrame } from '../../reporting/shown-path.ts'
import { printable } from '../../values/printable.ts'
import { interruptible } from '../end-on-signals.ts'
import { ExitCode } from '../exit-code.ts'
import { jsonDocument } from '../json-document.ts'

export interface VerifyFlags {
  readonly sample?: string
  readonly all?: boolean
  readonly runs?: string
  readonly sampleSeed?: string
  readonly job?: string
  readonly allowChangedJob?: boolean
  readonly trajectory?: string
  readonly ncores?: string
  readonly executor?: string
  readonly timeout?: string
  readonly json?: boolean
}

/**
 * Verifies, prints a report, and resolves to the exit code.
 *
 * @param args of the job; default: those in the file
 * @throws PypetError as `verify`, and `PYPET_USAGE` for invalid runs
 */
export async function verifyCommand(
  file: string,
  flags: VerifyFlags,
  args: readonly string[] = [],
): Promise<ExitCode> {
  const { job, trajectory, ncores, executor, timeout } = flags
  const report = await interruptible(
    'verify',
    () => 'no run was compared',
    () =>
      verify(file, {
        ...chosen(flags),
        ...(trajectory !== undefined && { trajectory }),
        ...(job !== undefined && { job }),
        ...(args.length > 0 && { args }),
        allowChangedJob: flags.allowChangedJob === true,
        options: { ncores, executor, timeout },
        isProcessOurs: true,
      }),
  )
  process.stdout.write(flags.json === true ? reportJson(report) : reportText(report))
  // With a sample, nobody has asked for all of them.
  const isWhole = flags.all !== true || report.skipped.length === 0
  return isWhole && report.identicalCount === report.verdicts.length ? ExitCode.OK : ExitCode.RUNS_FAILED
}

function chosen({ sample, all, runs, sampleSeed }: VerifyFlags) {
  refuseTogether({ '--sample': sample, '--all': all, '--runs': runs })
  refuseTogether({ '--sample-seed': sampleSeed, '--all': all })
  refuseTogether({ '--sample-seed': sampleSeed, '--runs': runs })
  if (runs !== undefined) return { runs: parseRuns(runs) }
  if (all === true) return { runs: 'all' as const }
  return {
    ...(sample !== undefined && {
      sample: wholeNumber('--sample', sample, 1, 'Give a number, or verify all stored runs with --all.'),
    }),
    ...(sampleSeed !== undefined && {
      sampleSeed: wholeNumber('--sample-seed', sampleSeed, 0, 'Use the number from an earlier report.'),
    }),
  }
}

function refuseTogether(flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).filter((name) => flags[name] !== undefined)
  if (given.length < 2) return
  const names = given.join(' and ')
  throw new PypetError('PYPET_USAGE', `${names} cannot be combined`, {
    where: names,
    hint: 'Use one of them.',
  })
}

function wholeNumber(flag: string, text: string, minimum: number, hint: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= minimum) return value
  const expected = `a whole number from ${minimum} to ${Number.MAX_SAFE_INTEGER}`
  throw new PypetError('PYPET_USAGE', `${flag}: expected ${expected}, found ${JSON.stringify(text)}`, {
    where: flag,
    hint,
  })
}

const RUNS_MAX = 10_000_000

/** `3,5,7..9`. */
function parseRuns(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, first, , last] = /^\s*(\d+)(\.\.(\d+))?\s*$/.exec(part) ?? []
    const [start, end] = [Number(first), Number(last ?? first)]
    if (first === undefined || end < start || end - start >= RUNS_MAX) {
      throw new PypetError(
        'PYPET_USAGE',
        `--runs: expected runs as 3,5,7..9, found ${JSON.stringify(text)}`,
        {
          where: '--runs',
          hint: 'Write numbers, and ranges with the lower number first.',
        },
      )
    }
    return Array.from({ length: end - start + 1 }, (_, index) => start + index)
  })
}

function reportText(report: VerifyReport): string {
  const { file, trajectory, job, jobChanges, seeds, storedCount, sampleSeed, verdicts } = report
  const sample =
    sampleSeed === undefined || verdicts.length === storedCount ? '' : ` (--sample-seed ${sampleSeed})`
  const lines = [
    `${file}: ${trajectory}, ${seeds.length > 1 ? 'seeds' : 'seed'} ${seeds.join(', ')}`,
    `job: ${job}${jobText(jobChanges)}`,
    ...verdicts.flatMap(verdictLines),
    `${report.identicalCount} of ${verdicts.length} runs identical, of ${storedCount} stored${sample}`,
  ]
  if (report.differentCount > 0) lines.push(`${report.differentCount} different`)
  if (report.failedCount > 0) lines.push(`${report.failedCount} failed`)
  for (const other of report.skipped) lines.push(...skippedLines(file, other))
  return `${lines.map(shown).join('\n')}\n`
}

function skippedLines(file: string, other: OtherSource): string[] {
  const { jobChanges, runs } = other
  return [
    `not compared: ${runsText(runs)}, which another version of the job made (${jobChanges})`,
    `  hint: ${restoreHint(file, other)}`,
  ]
}

/** Harmless for a terminal, with the same indentation. */
function shown(line: string): string {
  return `${line.startsWith('  ') ? '  ' : ''}${printable(line).trimStart()}`
}

function jobText(changes: string | undefined): string {
  if (changes === undefined) return ' (the file does not say whether it is the same)'
  return changes === '' ? '' : ` (changed since: ${changes})`
}

function verdictLines(verdict: RunVerdict): string[] {
  if (verdict.state === 'identical') return []
  if (verdict.state === 'failed') {
    const { name, message, stack } = verdict.error
    const at = userFrame(stack, message)
    return [`run ${verdict.run} failed: ${name}: ${message}${at === undefined ? '' : ` (${at})`}`]
  }
  const { result, item, index, stored, computed } = verdict.difference
  const place = `${item === undefined ? '' : `, ${item}`}${index === undefined ? '' : `[${index}]`}`
  return [
    `run ${verdict.run} differs: ${result}${place}`,
    `  stored: ${stored ?? 'nothing'}`,
    `  computed: ${computed ?? 'nothing'}`,
  ]
}

function reportJson({ verdicts, ...report }: VerifyReport): string {
  const { file, trajectory, job, seeds } = report
  const runs = verdicts.map((verdict) => {
    if (verdict.state === 'identical') return verdict
    const { run, state } = verdict
    if (state === 'failed') return { run, state, error: verdict.error }
    const { result, item = null, index = null, stored = null, computed = null } = verdict.difference
    return { run, state, result, item, index, stored, computed }
  })
  const fields = {
    event: 'verified',
    file,
    trajectory,
    job,
    jobChanges: report.jobChanges ?? null,
    seeds,
    storedCount: report.storedCount,
    sampleSeed: report.sampleSeed ?? null,
    identicalCount: report.identicalCount,
    differentCount: report.differentCount,
    failedCount: report.failedCount,
    skipped: report.skipped,
    runs,
  }
  return jsonDocument(fields)
}
