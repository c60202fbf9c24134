import { cutToUtf8Bytes } from '../values/utf8.ts'

/** Size of the column in pypet's table `runs`. */
const SUMMARY_BYTES_MAX = 512

interface SummarisedParameter {
  readonly fullName: string
  /** Its value in a run, as Python prints it. */
  text(run: number, lengthMax: number): string
}

/**
 * pypet's `parameter_summary` of the runs, `x: 1.0,   y: 6.0`: sorted by name, at most 512 UTF-8 bytes, with `...` if cut.
 * Empty if nothing is explored.
 */
export function parameterSummary(explored: readonly SummarisedParameter[]): (run: number) => string {
  const named = explored.map((parameter) => ({ parameter, name: lastPart(parameter.fullName) }))
  // Sort by code unit, like Python, not by a locale that differs between machines.
  named.sort((a, b) => compare(a.name, b.name) || compare(a.parameter.fullName, b.parameter.fullName))
  // As in pypet, a second parameter of the same name is labelled by its full name.
  const labels = named.map(({ parameter, name }, index) =>
    named[index - 1]?.name === name ? parameter.fullName : name,
  )
  return (run) => {
    const entries = named.map(
      ({ parameter }, index) => `${labels[index]}: ${parameter.text(run, SUMMARY_BYTES_MAX)}`,
    )
    return cutToUtf8Bytes(entries.join(',   '), SUMMARY_BYTES_MAX)
  }
}

function lastPart(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
