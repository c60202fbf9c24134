/** The names of environments, `environment_83c1a34_2026_11_22_17h32m44s`: a digest, and the local time of their beginning. */

/** Orders names of environments by their times; names of another form come first. */
export function compareEnvironments(one: string, other: string): number {
  const [time, otherTime] = [timeOf(one), timeOf(other)]
  if (time === otherTime) return 0
  return time < otherTime ? -1 : 1
}

function timeOf(name: string): string {
  return /^environment_[0-9a-f]{7}_(.+)$/.exec(name)?.[1] ?? ''
}
