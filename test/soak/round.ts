/** What a round of the soak test is, and how a seed becomes one. Nothing here touches a file. */
import { randomFrom } from '../crash/long-form.ts'

const DIMENSIONS = {
  wrapMode: ['queue', 'lock', 'none'],
  executor: ['inline', 'pool', 'isolate'],
  ncores: [1, 2],
  /** Large arrays take other ways to the writer than small ones. */
  values: ['scalars', 'arrays', 'large arrays'],
  layout: ['tree', 'columns'],
  failures: ['none', 'failing', 'failing, retried', 'flaky'],
  postprocessing: ['none', 'adds points'],
  /** Another trajectory of the same file: stored before, killed before, or stored while the first one is unfinished. */
  second: ['none', 'before', 'unfinished', 'between'],
  beside: ['none', 'expand', 'merge', 'snapshot', 'verify'],
  after: ['none', 'expand', 'merge', 'snapshot', 'verify'],
  isKilledAfter: [false, true],
  target: ['none', 'group', 'main', 'writer', 'worker', 'lock helper'],
  moment: ['none', 'random', 'first store', 'last announcement'],
  command: ['none', 'run', 'continue', 'retry-failed'],
  disturbance: [
    'none',
    'readers',
    'overlapping readers',
    'moved for a moment',
    'moved until the end',
    'removed',
    'full disk',
  ],
} as const

/** The largest disk that may be full. */
const DISK_KILOBYTES_MAX = { scalars: 400, arrays: 900, 'large arrays': 9000 } as const

type Dimension = keyof typeof DIMENSIONS
/** One value of each dimension. */
type Choice = { readonly [Name in Dimension]: (typeof DIMENSIONS)[Name][number] }

export type Target = Exclude<Choice['target'], 'none'>
export type KilledCommand = Exclude<Choice['command'], 'none'>

/** A process that is killed in a command, at a moment. */
export interface Kill {
  readonly command: KilledCommand
  readonly target: Target
  readonly moment: Exclude<Choice['moment'], 'none'>
  /** At random: counted from the start of the command, or from the moment when its file is open. */
  readonly isSinceStart: boolean
  /** After the moment. */
  readonly delayMs: number
}

export interface Round extends Choice {
  readonly seed: number
  readonly index: number
  /** For `roundWithId`. */
  readonly id: string
  /** One of a few that are to take little time. */
  readonly isShort: boolean
  /** In the order of their commands. The last one is that of the dimensions. */
  readonly kills: readonly Kill[]
  readonly runCount: number
  /** Points that post-processing adds. */
  readonly addedCounts: readonly number[]
  /** What a run takes, besides what it costs. */
  readonly runMs: number
  readonly commitIntervalMs: number
  /** For the command that is stopped by a full disk: what a file may have. */
  readonly diskKilobytes: number
  /** Of a file that is moved or removed: after the first store. */
  readonly disturbanceMs: number
  /** A snapshot is taken while what the killed command leaves is still at work, or when that is gone. */
  readonly isSnapshotAtOnce: boolean
  /** After main is killed somebody goes on at once, while what it leaves is still at work. */
  readonly isNextAtOnce: boolean
  /** Modes and cores of the commands that follow the first one. */
  readonly continuations: readonly { readonly wrapMode: Choice['wrapMode']; readonly ncores: 1 | 2 }[]
}

/** Whether values of these dimensions can be together; what cannot is left out by rule. */
function isPossible(choice: Choice): boolean {
  return RULES.every((rule) => rule(choice))
}

const RULES: readonly ((choice: Choice) => boolean)[] = [
  ({ executor, ncores }) => executor !== 'inline' || ncores === 1,
  // Nothing, or everything, is said of a kill.
  ({ target, moment, command }) =>
    [target, moment, command].filter((value) => value === 'none').length % 3 === 0,
  // A thread cannot be killed; in the other modes there is no writer.
  ({ target, executor }) => target !== 'worker' || executor === 'isolate',
  ({ target, wrapMode }) => target !== 'writer' || wrapMode === 'queue',
  ({ target, wrapMode }) => target !== 'lock helper' || wrapMode !== 'none',
  // By then no run is performed.
  ({ target, moment }) => target !== 'worker' || moment !== 'last announcement',
  ({ command, failures }) => command !== 'retry-failed' || failures === 'failing, retried',
  // A service has no HDF5 file.
  ({ wrapMode, layout }) => wrapMode !== 'none' || layout === 'tree',
  ({ wrapMode, second, beside, after, disturbance }) =>
    wrapMode !== 'none' || [second, beside, after, disturbance].every((value) => value === 'none'),
  // Merged are files of one trajectory.
  ({ second, beside, after }) => second === 'none' || (beside !== 'merge' && after !== 'merge'),
  // It takes an unfinished first one to be between.
  ({ second, target, command, disturbance }) =>
    second !== 'between' ||
    disturbance === 'full disk' ||
    (command === 'run' && (target === 'group' || target === 'main')) ||
    command === 'continue',
  // Failed runs stay in the way of what comes after.
  ({ after, failures }) => after === 'none' || failures !== 'failing',
  ({ isKilledAfter, after }) => !isKilledAfter || after === 'expand' || after === 'merge',
  // The disk is what ends the first command.
  ({ disturbance, command, beside }) =>
    disturbance !== 'full disk' || (command !== 'run' && beside === 'none'),
  ({ disturbance, beside }) => !/moved|removed/.test(disturbance) || beside === 'none',
]

/** A round by its number; the same one for the same seed. */
export function roundOf(seed: number, index: number, { isShort = false } = {}): Round {
  const random = randomFrom((seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0)
  // First what excludes much, or such rounds would be rare.
  const fixed = () => ({
    wrapMode: weighed(random, { queue: 4, lock: 4, none: 2 }),
    executor: weighed(random, { pool: 4, inline: 3, isolate: 3 }),
    command: weighed(random, { run: 8, continue: 7, 'retry-failed': 4, none: 1 }),
  })
  let base = fixed()
  for (let tries = 0; ; tries += 1) {
    if (tries % 2000 === 1999) base = fixed()
    const choice = { ...drawn(random), ...base }
    if (isPossible(choice) && (!isShort || isQuick(choice)))
      return described(choice, { seed, index, random, isShort })
  }
}

/** A round again, by what its finding calls it. */
export function roundWithId(seed: number, id: string): Round {
  return roundOf(seed, Number(id.replace('short-', '')), { isShort: id.startsWith('short-') })
}

function weighed<Value extends string>(
  random: () => number,
  weights: Readonly<Record<Value, number>>,
): Value {
  const entries = Object.entries(weights) as [Value, number][]
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [value, weight] of entries) {
    left -= weight
    if (left < 0) return value
  }
  return (entries[0] as [Value, number])[0]
}

function drawn(random: () => number): Choice {
  const entries = Object.entries(DIMENSIONS).map(([name, values]) => [name, pick(random, name, values)])
  return Object.fromEntries(entries) as Choice
}

/** Of these values, `none` is drawn as often as all others. */
const OFTEN_NONE = new Set(['second', 'beside', 'after', 'disturbance', 'failures'])

function pick(random: () => number, name: string, values: readonly unknown[]): unknown {
  if (OFTEN_NONE.has(name) && random() < 0.5) return values[0]
  return values[Math.floor(random() * values.length)]
}

/** Few commands, and nothing that waits. */
function isQuick(choice: Choice): boolean {
  return commandCountOf(choice) <= QUICK_COMMANDS_MAX && choice.disturbance !== 'overlapping readers'
}

const QUICK_COMMANDS_MAX = 4

/** About so many commands are given, which is what a round takes. */
function commandCountOf(choice: Choice): number {
  const { target, command, failures, second, beside, after, isKilledAfter, disturbance, executor } = choice
  const more = [
    target === 'group' || target === 'main',
    command === 'continue',
    failures.startsWith('failing'),
    second !== 'none',
    second === 'unfinished',
    beside !== 'none',
    beside === 'merge' || after === 'merge',
    after !== 'none',
    isKilledAfter,
    disturbance !== 'none',
    executor === 'isolate',
  ]
  return 1 + more.filter(Boolean).length
}

function described(
  choice: Choice,
  {
    seed,
    index,
    random,
    isShort,
  }: {
    readonly seed: number
    readonly index: number
    readonly random: () => number
    readonly isShort: boolean
  },
): Round {
  const whole = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
  const isIsolated = choice.executor === 'isolate'
  const runCount = isIsolated ? whole(3, isShort ? 4 : 10) : whole(5, isShort ? 20 : 50)
  const adds = choice.postprocessing === 'adds points'
  const addedCounts = adds ? Array.from({ length: whole(1, 2) }, () => whole(1, isIsolated ? 2 : 6)) : []
  const runMs = whole(0, 9)
  const performMs = (isIsolated ? 150 : 3 + runMs) * runCount
  const killOf = (command: KilledCommand, target: Target, moment: Kill['moment']): Kill => {
    const isSinceStart = random() < 0.3
    const delays = {
      random: isSinceStart ? whole(20, 800) : whole(0, performMs + 300),
      'first store': whole(0, 5),
      'last announcement': whole(0, 80),
    }
    return { command, target, moment, isSinceStart, delayMs: delays[moment] }
  }
  const kills: Kill[] = []
  const { target, moment, command } = choice
  if (target !== 'none' && moment !== 'none' && command !== 'none') {
    // What goes on has been ended before.
    if (command === 'continue' && choice.disturbance !== 'full disk')
      kills.push(killOf('run', random() < 0.5 ? 'group' : 'main', random() < 0.5 ? 'random' : 'first store'))
    if (command === 'retry-failed' && random() < 0.3)
      kills.push(killOf('run', 'group', random() < 0.5 ? 'random' : 'last announcement'))
    kills.push(killOf(command, target, moment))
    if (!isShort && kills.length < 3 && random() < 0.3)
      kills.push(killOf(command === 'run' ? 'continue' : command, target, moment))
  }
  const other = (): Choice['wrapMode'] => (random() < 0.5 ? 'queue' : 'lock')
  const isKillOfMode = target === 'writer'
  return {
    ...choice,
    seed,
    index,
    isShort,
    id: isShort ? `short-${index}` : String(index),
    kills,
    runCount,
    addedCounts,
    runMs,
    commitIntervalMs: random() < 0.5 ? 1000 : 20,
    diskKilobytes: whole(100, DISK_KILOBYTES_MAX[choice.values]),
    disturbanceMs: whole(0, 150),
    isSnapshotAtOnce: random() < 0.5,
    isNextAtOnce: random() < 0.4 && !isShort,
    continuations: Array.from({ length: 12 }, () => ({
      wrapMode: choice.wrapMode === 'none' ? 'none' : isKillOfMode ? 'queue' : other(),
      ncores: choice.executor === 'inline' ? 1 : random() < 0.5 ? 1 : 2,
    })),
  }
}

/** So few rounds that, as far as they can, bring each value of a dimension together with each of another one. */
export function coveringRounds(seed: number, count: number): readonly Round[] {
  const candidates = Array.from({ length: 300 }, (_, index) => roundOf(seed, index, { isShort: true }))
  const chosen: Round[] = []
  const covered = new Set<string>()
  while (chosen.length < count) {
    const fresh = (round: Round) => pairsOf(round).filter((pair) => !covered.has(pair)).length
    const worth = (round: Round) => fresh(round) / (1 + commandCountOf(round))
    const best = candidates.reduce((a, b) => (worth(b) > worth(a) ? b : a))
    candidates.splice(candidates.indexOf(best), 1)
    chosen.push(best)
    for (const pair of pairsOf(best)) covered.add(pair)
  }
  return chosen
}

function pairsOf(round: Round): string[] {
  const values = valuesOf(round)
  return values.flatMap((one, index) => values.slice(index + 1).map((other) => `${one} & ${other}`))
}

/** `wrapMode: queue` and its like. */
export function valuesOf(round: Round): string[] {
  return Object.keys(DIMENSIONS).map((name) => `${name}: ${round[name as Dimension]}`)
}

/** All that a round is, for who has to understand it. */
export function describeRound(round: Round): string {
  const { kills, runCount, addedCounts, runMs, commitIntervalMs, diskKilobytes, disturbanceMs } = round
  const chosen = valuesOf(round).filter(
    (text) => !/: (none|false)$/.test(text) || text.startsWith('wrapMode'),
  )
  const killed = kills.map(
    ({ command, target, moment, isSinceStart, delayMs }) =>
      `${target} in ${command}, ${delayMs} ms after ${moment === 'random' ? (isSinceStart ? 'its start' : 'the opening') : moment}`,
  )
  return [
    chosen.join(', '),
    `${runCount} runs${addedCounts.map((added) => ` + ${added}`).join('')} of ${runMs} ms, commits every ${commitIntervalMs} ms`,
    killed.length > 0 ? `kills: ${killed.join('; ')}` : 'no kill',
    ...(round.isNextAtOnce && kills.some(({ target }) => target === 'main')
      ? ['somebody goes on at once when main is killed']
      : []),
    ...(round.disturbance === 'full disk' ? [`files of ${diskKilobytes} kB`] : []),
    ...(/moved|removed/.test(round.disturbance) ? [`${disturbanceMs} ms after the first store`] : []),
  ].join('\n  ')
}
