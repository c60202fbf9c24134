/** The less common options in the help, by what they are about. */
import type { Option } from 'commander'
import { OPTIONS, type OptionName } from '../experiment/options.ts'

const GROUPS: readonly (readonly [heading: string, names: readonly OptionName[]])[] = [
  [
    'Where runs are computed:',
    ['executor', 'multiproc', 'isolate', 'memoryLimit', 'cpuCap', 'memoryCap', 'swapCap', 'niceness'],
  ],
  [
    'Failures and interruptions:',
    ['retries', 'timeout', 'onError', 'maxFailures', 'continuable', 'keepCnt', 'immediatePostprocessing'],
  ],
  [
    'Logs and progress:',
    ['logFolder', 'logLevel', 'logging', 'logRuns', 'logStdout', 'logTransports', 'progress', 'progressStep'],
  ],
]
const OTHERS = 'More options:'
const HEADINGS = [...GROUPS.map(([heading]) => heading), OTHERS]

/** Gives each option its heading, and orders them by it. */
export function inHelpGroups(options: readonly Option[]): readonly Option[] {
  const byFlag = new Map(
    GROUPS.flatMap(([heading, names]) => names.map((name) => [OPTIONS[name].flag as string, heading])),
  )
  const headingOf = ({ long }: Option) => byFlag.get(long?.replace(/^--no-/, '--') ?? '') ?? OTHERS
  for (const option of options) option.helpGroup(headingOf(option))
  const rank = (option: Option) => HEADINGS.indexOf(headingOf(option))
  return options.toSorted((a, b) => rank(a) - rank(b))
}
