/** Performs a round with the real command, and asks the oracle after each step. */
import { existsSync } from 'node:fs'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import type { Command } from './command.ts'
import { Readers, takeAway } from './disturbance.ts'
import type { FileReader, FoundTrajectory } from './file-reader.ts'
import { FIRST_X, finalCountOf, isFailing, pointsOf } from './job.ts'
import { Announced, type Expected, type Finding, lacking, unfinished } from './oracle.ts'
import { kill, killTarget, whenGone } from './processes.ts'
import type { Kill, KilledCommand, Round } from './round.ts'
import { Workplace } from './workplace.ts'

/** More commands than any round needs that comes to its end. */
const COMMANDS_MAX = 14
/** What is refused so often in a row is refused for ever. */
const REFUSALS_MAX = 3
const GONE_MS = 30_000
const SECOND_COUNT = 6
const OTHER_COUNT = 2
const EXPANDED_COUNT = 2

/** A file of a finished round, for readers that look at many at once. */
interface FinishedFile {
  readonly path: string
  readonly trajectories: Readonly<
    Record<string, { readonly x: readonly number[]; readonly failed: readonly number[] }>
  >
}

export interface PerformedRound {
  readonly findings: readonly Finding[]
  /** The commands, and how they ended. */
  readonly transcript: readonly string[]
  readonly files: readonly FinishedFile[]
  readonly workplace: Workplace
}

export async function performRound(round: Round, reader: FileReader): Promise<PerformedRound> {
  const performance = new RoundPerformance(round, reader)
  try {
    await performance.perform()
  } catch (error) {
    performance.find('the harness failed', String((error as Error).stack))
  }
  await performance.clear()
  return performance
}

type Name = 'soak' | 'second' | 'other'

interface Step {
  readonly trajectory: Name
  /** What kills are for; none for what is only prepared or looked at. */
  readonly command?: KilledCommand
  readonly kill?: Kill
  /** With what is done beside it, and to its file. */
  readonly isDisturbed?: boolean
  /** What a killed command has left may still be at work. */
  readonly isAtOnce?: boolean
}

class RoundPerformance implements PerformedRound {
  readonly findings: Finding[] = []
  readonly transcript: string[] = []
  readonly files: FinishedFile[] = []
  readonly workplace: Workplace
  readonly #round: Round
  readonly #reader: FileReader
  readonly #kills: Kill[]
  readonly #announced: Readonly<Record<Name, Announced>> = {
    soak: new Announced(),
    second: new Announced(),
    other: new Announced(),
  }
  #x: Readonly<Record<Name, readonly number[]>>
  /** Processes of runs that were killed: each may have failed a run. */
  #killedWorkers = 0
  #isHealed = false
  #isLastKilled = false
  #commandCount = 0
  #hasSecond = false

  constructor(round: Round, reader: FileReader) {
    this.#round = round
    this.#reader = reader
    this.#kills = [...round.kills]
    this.workplace = new Workplace(round)
    this.#x = {
      soak: pointsOf('soak', finalCountOf(round)),
      second: pointsOf('second', SECOND_COUNT),
      other: pointsOf('other', OTHER_COUNT),
    }
  }

  /** The first of its kind says it. */
  find(kind: string, details: string): void {
    if (this.findings.every((finding) => finding.kind !== kind)) this.findings.push({ kind, details })
  }

  async perform(): Promise<void> {
    const { second, beside, after, failures, wrapMode } = this.#round
    if (second === 'before' || second === 'unfinished') await this.#performSecond(second === 'unfinished')
    if (beside === 'merge' || after === 'merge') await this.#performOther()
    if (failures.startsWith('failing')) this.workplace.mark('failing', true)
    await this.#performFirst()
    if (this.workplace.has('second.cnt')) {
      const command = await this.#perform(['continue', 'second.cnt', '--json'], { trajectory: 'second' })
      this.#expectExit(command, [0], 'going on with the second trajectory')
    }
    // What follows from a finding is none.
    if (after !== 'none' && this.findings.length === 0) await this.#performAfter()
    await this.#checkEnd()
    if (wrapMode !== 'none') await this.#keepForOthers()
  }

  /** Ends what the round has started, if anything is left. */
  async clear(): Promise<void> {
    for (const { id } of await whenGone(this.workplace.variable, 0)) kill(id)
  }

  /** Until nothing is left to do. */
  async #performFirst(): Promise<void> {
    const { failures } = this.#round
    let next: { readonly words: readonly string[]; readonly command: KilledCommand } | undefined = {
      words: this.#runWords(),
      command: 'run',
    }
    let isFirst = true
    let isConfirmed = false
    let refusedCount = 0
    while (next !== undefined) {
      this.#commandCount += 1
      if (this.#commandCount > COMMANDS_MAX) {
        this.find('the experiment does not come to its end', `after ${COMMANDS_MAX} commands`)
        return
      }
      const { words, command }: { words: readonly string[]; command: KilledCommand } = next
      const nextKill = this.#nextKill(command)
      const ended = await this.#perform(words, {
        trajectory: 'soak',
        command,
        ...(nextKill !== undefined && { kill: nextKill }),
        isDisturbed: isFirst,
      })
      isFirst = false
      await this.#secondBetween()
      const { exitCode } = ended
      if (exitCode === 0) return
      refusedCount = exitCode === 2 ? refusedCount + 1 : 0
      if (refusedCount === REFUSALS_MAX) {
        this.find('nobody can go on', shownEnd(ended))
        return
      }
      if (exitCode !== 3) {
        next = await this.#afterInterruption(ended, command)
        continue
      }
      const isRetried = failures === 'failing, retried' || this.#killedWorkers > 0
      if (isRetried) {
        if (failures === 'failing, retried') this.workplace.mark('failing', false)
        this.#isHealed = failures === 'failing, retried'
        next = { words: this.#continueWords('retry-failed'), command: 'retry-failed' }
        // Where runs fail for ever they are retried once.
        if (failures === 'failing' && isConfirmed) return
        isConfirmed = failures === 'failing'
      } else {
        // What is asked again answers the same.
        if (isConfirmed) return
        isConfirmed = true
        next = { words: this.#continueWords('continue'), command: 'continue' }
      }
    }
  }

  /** What a user types who finds the files so. */
  async #afterInterruption(
    ended: Command,
    command: KilledCommand,
  ): Promise<{ readonly words: readonly string[]; readonly command: KilledCommand } | undefined> {
    const { wrapMode, second, seed, index } = this.#round
    if (this.workplace.has('soak.cnt')) {
      const isAgain = command === 'retry-failed' && (seed + index) % 2 === 0
      const way = isAgain ? 'retry-failed' : 'continue'
      return { words: this.#continueWords(way), command: way }
    }
    const announced = this.#announced.soak
    if (announced.size === 0) {
      // A file without a trajectory that could be continued may be in the way; it is nobody's.
      const isRefused = ended.exitCode === 2 && /--overwrite/.test(ended.stderr)
      if (isRefused && second === 'none')
        return { words: [...this.#runWords(), '--overwrite'], command: 'run' }
      if (ended.exitCode === 2) {
        this.find('the experiment cannot be begun again', shownEnd(ended))
        return undefined
      }
      return { words: this.#runWords(), command: 'run' }
    }
    // It had come to its end, or nobody can go on with it. What is left then may be the second one, which has its own turn.
    if (wrapMode === 'none' || ended.exitCode !== null || this.workplace.has('second.cnt')) {
      this.#report(
        'without a .cnt file, and not complete',
        unfinished(await this.#stateOf('soak'), this.#expectedOf('soak')),
      )
      return undefined
    }
    return { words: ['continue', 'h.h5', '--json'], command: 'continue' }
  }

  #runWords(): string[] {
    const { executor, ncores, failures, wrapMode, layout, commitIntervalMs } = this.#round
    return [
      'run',
      'job.mjs',
      '--json',
      ...['--file', 'h.h5'],
      ...['--executor', executor === 'isolate' ? 'process' : executor],
      ...['--ncores', String(ncores)],
      ...(wrapMode === 'none' ? ['--storage-service', 'service.mjs'] : ['--wrap-mode', wrapMode]),
      ...(layout === 'columns' ? ['--layout', layout] : []),
      ...['--commit-interval-ms', String(commitIntervalMs)],
      ...(failures === 'flaky' ? ['--retries', '2'] : []),
    ]
  }

  #continueWords(way: 'continue' | 'retry-failed'): string[] {
    const { continuations, index, wrapMode } = this.#round
    const { wrapMode: mode, ncores } = continuations[
      this.#commandCount % continuations.length
    ] as (typeof continuations)[number]
    const isByFile = index % 2 === 0 && wrapMode !== 'none' && !this.workplace.has('second.cnt')
    return [
      'continue',
      isByFile ? 'h.h5' : 'soak.cnt',
      '--json',
      ...['--ncores', String(ncores)],
      ...(wrapMode === 'none' ? [] : ['--wrap-mode', mode]),
      ...(way === 'retry-failed' ? ['--retry-failed'] : []),
    ]
  }

  #nextKill(command: KilledCommand): Kill | undefined {
    const order: readonly KilledCommand[] = ['run', 'continue', 'retry-failed']
    // The moment of some has gone by.
    while (
      this.#kills[0] !== undefined &&
      order.indexOf(this.#kills[0].command) < order.indexOf(command) &&
      command !== 'retry-failed'
    )
      this.#kills.shift()
    return this.#kills[0]?.command === command ? this.#kills.shift() : undefined
  }

  /** One command with all that is done to it, until its processes are gone. */
  async #perform(
    words: readonly string[],
    { trajectory, command, kill: planned, isDisturbed = false, isAtOnce = false }: Step,
  ): Promise<Command> {
    const { workplace } = this
    const { disturbance, beside, diskKilobytes, executor, isSnapshotAtOnce } = this.#round
    const announced = this.#announced[trajectory]
    const storedBefore = new Set(announced.stored)
    const performedBefore = workplace.performed().length
    const hasFullDisk = isDisturbed && disturbance === 'full disk'
    const running = workplace.start(words, hasFullDisk ? { diskKilobytes } : {})
    const readers =
      command !== undefined && /readers/.test(disturbance)
        ? new Readers(disturbance, workplace, running, () => this.#isAllAnnounced(running, trajectory))
        : undefined
    const taking =
      isDisturbed && /moved|removed/.test(disturbance)
        ? takeAway(this.#round, workplace, running)
        : Promise.resolve(() => undefined)
    const besides = isDisturbed && beside !== 'none' ? this.#performBeside(running) : Promise.resolve()
    const overview = readers === undefined ? Promise.resolve() : this.#overviewBeside(running)
    const killed = planned === undefined ? undefined : await this.#kill(running, planned, trajectory)
    await running.ended()
    await readers?.stop()
    // What is performed again has not failed any more.
    if (words.includes('--retry-failed')) announced.failed.clear()
    announced.store(running.announced('runs-stored'))
    announced.fail(running.announced('run-failed'))
    const how = killed === undefined ? '' : ` (${killed} killed)`
    this.transcript.push(`${words.join(' ')} → ${shownEnd(running)}${how}`)
    if (running.isHanging) this.find('a command hangs', words.join(' '))
    if (killed === 'worker' && executor === 'isolate') this.#killedWorkers += 1
    const putBack = await taking
    const isInterrupted = running.exitCode === null
    this.#isLastKilled = isInterrupted
    // What it says of itself must be true while the file is as it left it.
    if (!isInterrupted) await this.#checkExit(running, trajectory, { killed, isDisturbed, isAtOnce })
    putBack()
    if (isInterrupted && isSnapshotAtOnce) await this.#checkSnapshot(trajectory)
    if (killed === 'main' && trajectory === 'soak') await this.#goOnAtOnce()
    await Promise.all([besides, overview])
    const left = await whenGone(workplace.variable, GONE_MS)
    for (const { id, command: line } of left) {
      this.find('a process is left', line.slice(0, 200))
      kill(id)
    }
    if (running.exitCode !== 0 && !(isInterrupted && isSnapshotAtOnce)) await this.#checkSnapshot(trajectory)
    const again = workplace
      .performed()
      .slice(performedBefore)
      .map((x) => this.#x[trajectory].indexOf(x))
      .filter((run) => storedBefore.has(run))
    if (again.length > 0) this.find('runs that were announced as stored are performed again', `runs ${again}`)
    if (readers !== undefined) await this.#checkCopies(readers)
    return running
  }

  async #goOnAtOnce(): Promise<void> {
    if (!this.#round.isNextAtOnce || !this.workplace.has('soak.cnt')) return
    await this.#perform(this.#continueWords('continue'), { trajectory: 'soak', isAtOnce: true })
  }

  /** Kills the target at its moment; what was killed, if the command was still there. */
  async #kill(
    running: Command,
    { target, moment, isSinceStart, delayMs }: Kill,
    trajectory: Name,
  ): Promise<Kill['target'] | undefined> {
    const isThere = () => {
      if (moment === 'random')
        return isSinceStart || running.events.some(({ event }) => event === 'experiment-started')
      if (moment === 'first store') return running.announced('runs-stored').length > 0
      return this.#isAllAnnounced(running, trajectory)
    }
    if (!(await running.until(isThere)) || !(await running.after(delayMs))) return undefined
    return killTarget(target, running.id, running.mark) ? target : undefined
  }

  #isAllAnnounced({ events }: Command, trajectory: Name): boolean {
    const last = events.findLast(({ event }) => event === 'runs-stored' || event === 'run-failed')
    return (
      last !== undefined &&
      last.run_count === this.#x[trajectory].length &&
      Number(last.stored_count) + Number(last.failed_count) === last.run_count
    )
  }

  /** The exit code says what the file on the disk is, without its `.cnt`. */
  async #checkExit(
    command: Command,
    trajectory: Name,
    {
      killed,
      isDisturbed,
      isAtOnce,
    }: {
      readonly killed: Kill['target'] | undefined
      readonly isDisturbed: boolean
      readonly isAtOnce: boolean
    },
  ): Promise<void> {
    const { exitCode, events, words, stderr } = command
    const { disturbance } = this.#round
    // The writer of the killed one has the file.
    if (isAtOnce && exitCode === 2 && /PYPET_FILE_LOCKED/.test(stderr)) return
    const what = `${words.join(' ')}: exit code ${exitCode}`
    // It has just brought the experiment to its end.
    const isEnded = !this.workplace.has(`${trajectory}.cnt`) && /PYPET_CNT_NOT_FOUND/.test(stderr)
    if (isAtOnce && exitCode === 2 && isEnded) {
      const problems = unfinished(await this.#stateOf(trajectory), this.#expectedOf(trajectory))
      this.#report('without a .cnt file, and not complete', problems, what)
      return
    }
    if (exitCode === 0 || exitCode === 3) {
      const state = await this.#stateOf(trajectory)
      const expected = this.#expectedOf(trajectory)
      const problems = unfinished(state, expected)
      const failedCount = state?.failed.length ?? 0
      if ((exitCode === 3) !== failedCount > 0) problems.push(`${failedCount} runs have failed in the file`)
      const hasCnt = this.workplace.has(`${trajectory}.cnt`)
      if ((exitCode === 3) !== hasCnt)
        problems.push(hasCnt ? 'there is a .cnt file' : 'there is no .cnt file')
      const finished = events.findLast(({ event }) => event === 'experiment-finished')
      if (finished !== undefined && finished.stored_count !== state?.completed.length)
        problems.push(
          `it says that ${finished.stored_count} are stored, and ${state?.completed.length ?? 0} are`,
        )
      this.#report(`exit code ${exitCode} is not true`, problems, what)
      return
    }
    const isDiskFull = isDisturbed && disturbance === 'full disk'
    const isFileGone = isDisturbed && /moved|removed/.test(disturbance)
    // Only a writer that has begun is replaced.
    const isEarly = killed === 'writer' && !events.some(({ event }) => event === 'experiment-started')
    if (exitCode === 1 && isEarly) return
    const hasStarted = command.announced('runs-stored').length > 0
    if (exitCode === 2 && hasStarted) this.find('exit code 2 after runs were stored', `${what}\n${stderr}`)
    else if (exitCode === 1 && (isDiskFull || isFileGone)) {
      if (hasStarted && !/pypet-ts continue/.test(stderr))
        this.find('a failure does not say how to go on', `${what}\n${stderr}`)
    } else if (!(exitCode === 2 && /--overwrite/.test(stderr) && this.#announced[trajectory].size === 0))
      this.find(
        `exit code ${exitCode} without a reason${killed === undefined ? '' : ` (${killed} killed)`}`,
        `${what}\n${stderr}${events.slice(-2).map((event) => `\n${JSON.stringify(event).slice(0, 600)}`)}`,
      )
  }

  /** Announced runs are in the snapshot of whatever is left. */
  async #checkSnapshot(trajectory: Name): Promise<void> {
    const announced = this.#announced[trajectory]
    const expected = this.#expectedOf(trajectory)
    if (this.#round.wrapMode === 'none') {
      this.#report(
        'announced runs are not in the service',
        lacking(this.workplace.serviceState(), announced, expected),
      )
      return
    }
    const copy = this.workplace.copy()
    const refusal = await this.#snapshot(copy)
    if (refusal !== undefined) {
      if (announced.size > 0) this.find('a snapshot of what is left is refused', refusal)
      return
    }
    await this.#checkCopy(copy, trajectory, 'the snapshot', announced)
  }

  /** Why there is none. What the command does is done here where time is short. */
  async #snapshot(copy: string): Promise<string | undefined> {
    if (this.#round.isShort) {
      try {
        takeSnapshot(this.workplace.file, copy)
        return undefined
      } catch (error) {
        return String(error)
      }
    }
    const command = this.workplace.start(['snapshot', 'h.h5', copy, '--json'])
    await command.ended()
    return command.exitCode === 0 ? undefined : shownEnd(command)
  }

  async #checkCopy(path: string, trajectory: Name, what: string, announced: Announced): Promise<void> {
    try {
      const found = await this.#reader.read(path)
      this.#report(
        `${what} is not what was announced`,
        lacking(found[trajectory], announced, this.#expectedOf(trajectory)),
      )
    } catch (error) {
      this.find(`${what} cannot be read`, String(error))
    }
  }

  /** What a reader saw under its lock is a state of the file, if an old one. */
  async #checkCopies(readers: Readers): Promise<void> {
    for (const copy of readers.copies())
      await this.#checkCopy(copy, 'soak', 'what a reader saw', new Announced())
  }

  async #overviewBeside(running: Command): Promise<void> {
    if (!(await running.until(() => running.announced('runs-stored').length > 0))) return
    const overview = this.workplace.start(['overview', 'h.h5', '--json'])
    await overview.ended()
    if (overview.exitCode !== 0) this.find('overview beside a writer fails', shownEnd(overview))
  }

  /** Other commands while this one writes: they may be refused, and change nothing. */
  async #performBeside(running: Command): Promise<void> {
    const { beside } = this.#round
    if (!(await running.until(() => running.announced('runs-stored').length > 0))) return
    const announced = new Announced()
    announced.store(running.announced('runs-stored'))
    const copy = this.workplace.copy()
    const words = {
      none: [],
      // A point that is there already, so nothing is added when it is not refused.
      expand: [
        'expand',
        'h.h5',
        '--trajectory',
        'soak',
        '--explore',
        `x=${FIRST_X.soak}`,
        '--json',
        '--retries',
        '2',
      ],
      merge: ['merge', 'h.h5', 'other.h5', '--into', copy, '--json'],
      snapshot: ['snapshot', 'h.h5', copy, '--json'],
      verify: ['verify', 'h.h5', '--trajectory', 'soak', '--sample', '2', '--json'],
    }[beside]
    const command = this.workplace.start(words, { verifies: beside === 'verify' })
    await command.ended()
    this.transcript.push(`  beside: ${words.join(' ')} → ${shownEnd(command)}`)
    // An experiment that has just ended may be expanded; then its missing runs, if any, are.
    this.#announced.soak.store(command.announced('runs-stored'))
    this.#announced.soak.fail(command.announced('run-failed'))
    const allowed = beside === 'snapshot' ? [0] : [0, 2]
    this.#expectExit(command, allowed, `${beside} beside a writer`)
    if (command.exitCode === 0 && beside === 'snapshot')
      await this.#checkCopy(copy, 'soak', 'the snapshot beside a writer', announced)
  }

  async #performSecond(isKilled: boolean): Promise<void> {
    this.#hasSecond = true
    const words = [
      'run',
      'job.mjs',
      '--json',
      ...['--name', 'second', '--file', 'h.h5', '--retries', '2'],
      ...['--explore', `x=${this.#x.second}`],
    ]
    const command = await this.#perform(words, {
      trajectory: 'second',
      ...(isKilled && {
        kill: {
          command: 'run',
          target: 'group',
          moment: 'first store',
          isSinceStart: false,
          delayMs: 0,
        } as const,
      }),
    })
    if (!isKilled) this.#expectExit(command, [0], 'the second trajectory')
  }

  async #secondBetween(): Promise<void> {
    if (this.#round.second !== 'between' || this.#hasSecond || !this.workplace.has('soak.cnt')) return
    const hadFailing = existsSync(`${this.workplace.marks}/failing`)
    await this.#performSecond(false)
    this.workplace.mark('failing', hadFailing)
  }

  async #performOther(): Promise<void> {
    const words = [
      'run',
      'job.mjs',
      '--json',
      '--no-log',
      ...['--name', 'other', '--file', 'other.h5', '--retries', '2'],
      ...['--explore', `x=${this.#x.other}`],
    ]
    const command = this.workplace.start(words)
    await command.ended()
    this.#expectExit(command, [0], 'another file')
  }

  async #performAfter(): Promise<void> {
    const { after, isKilledAfter } = this.#round
    const copy = this.workplace.copy()
    switch (after) {
      case 'none':
        return
      case 'expand': {
        await this.#expandAfter(isKilledAfter)
        return
      }
      case 'merge': {
        const words = ['merge', 'h.h5', 'other.h5', '--into', 'merged.h5', '--json']
        if (isKilledAfter) {
          const killed = this.workplace.start(words)
          await killed.after(200 + this.#round.disturbanceMs * 6)
          kill(-killed.id)
          await killed.ended()
          this.transcript.push(`${words.join(' ')} → ${shownEnd(killed)}`)
        }
        const isThere = this.workplace.has('merged.h5')
        const command = this.workplace.start(isThere ? [...words, '--overwrite'] : words)
        await command.ended()
        this.transcript.push(`${command.words.join(' ')} → ${shownEnd(command)}`)
        this.#expectExit(command, [0], 'merge')
        if (command.exitCode !== 0) return
        const expected = {
          ...this.#expectedOf('soak'),
          x: [...this.#x.soak, ...this.#x.other],
        }
        const found = await this.#reader.read(this.workplace.path('merged.h5'))
        this.#report('the merged file is not whole', unfinished(found.soak, expected))
        return
      }
      case 'snapshot': {
        const command = this.workplace.start(['snapshot', 'h.h5', copy, '--json'])
        await command.ended()
        this.#expectExit(command, [0], 'snapshot')
        if (command.exitCode === 0)
          await this.#checkCopy(copy, 'soak', 'the snapshot at the end', this.#announced.soak)
        return
      }
      case 'verify': {
        const words = ['verify', 'h.h5', '--trajectory', 'soak', '--sample', '5', '--json']
        const command = this.workplace.start(words, { verifies: true })
        await command.ended()
        this.transcript.push(`${words.join(' ')} → ${shownEnd(command)}`)
        this.#expectExit(command, [0], 'verify')
      }
    }
  }

  async #expandAfter(isKilled: boolean): Promise<void> {
    const added = pointsOf('expanded', EXPANDED_COUNT)
    this.#x = { ...this.#x, soak: [...this.#x.soak, ...added] }
    const words = [
      'expand',
      'h.h5',
      '--trajectory',
      'soak',
      '--explore',
      `x=${added}`,
      '--json',
      '--retries',
      '2',
    ]
    const killed: Kill = {
      command: 'run',
      target: 'group',
      moment: 'random',
      isSinceStart: true,
      delayMs: 200 + this.#round.disturbanceMs * 6,
    }
    let ended = await this.#perform(words, { trajectory: 'soak', ...(isKilled && { kill: killed }) })
    // Before its first commit nothing had happened; and after its last one, there is nothing to do.
    for (let tries = 0; ended.exitCode !== 0 && tries < 3; tries += 1) {
      ended = await this.#perform(this.workplace.has('soak.cnt') ? this.#continueWords('continue') : words, {
        trajectory: 'soak',
      })
    }
    this.#expectExit(ended, [0], 'expand')
  }

  /** When nothing is left to do. */
  async #checkEnd(): Promise<void> {
    const { wrapMode } = this.#round
    // What a killed command leaves goes with the next one, where there is one for it.
    if (this.#isLastKilled && wrapMode !== 'none') {
      const command = await this.#perform(['continue', 'h.h5', '--json'], { trajectory: 'soak' })
      this.#expectExit(command, [0, 3], 'asking again')
    }
    // Where there is no HDF5 file to ask for, the next experiment under its name takes the lock and sweeps.
    if (this.#isLastKilled && wrapMode === 'none') {
      acquireLock(this.workplace.file, { trajectory: 'soak', breakLock: false }).release()
    }
    const state = await this.#stateOf('soak')
    this.#report('the experiment is not whole in the end', unfinished(state, this.#expectedOf('soak')))
    if (this.#hasSecond)
      this.#report(
        'the second trajectory is not whole in the end',
        unfinished(await this.#stateOf('second'), this.#expectedOf('second')),
      )
    const hasFailed = (state?.failed.length ?? 0) > 0
    const known = [
      /^job\.mjs$/,
      /^(other|merged)\.h5$/,
      /^logs(\/|$)/,
      ...(wrapMode === 'none' ? [/^service\.mjs$/, /^runs(\/\d+\.(run|failed)\.json)?$/] : [/^h\.h5$/]),
      ...(hasFailed ? [/^soak\.cnt$/] : []),
    ]
    if (this.#isLastKilled) known.push(/^TMPDIR/)
    const left = this.workplace.leftovers(known)
    if (left.length > 0) this.find(`left: ${[...new Set(left.map(kindOfFile))].sort()}`, left.join('\n'))
  }

  async #keepForOthers(): Promise<void> {
    if (!this.workplace.has('h.h5')) return
    const failedIn = async (name: Name) => (await this.#stateOf(name))?.failed ?? []
    this.files.push({
      path: this.workplace.file,
      trajectories: {
        soak: { x: this.#x.soak, failed: await failedIn('soak') },
        ...(this.#hasSecond && { second: { x: this.#x.second, failed: await failedIn('second') } }),
      },
    })
  }

  /** The state of a trajectory as it is on the disk; undefined, and maybe a finding, where it cannot be read. */
  async #stateOf(trajectory: Name): Promise<FoundTrajectory | undefined> {
    if (this.#round.wrapMode === 'none') return this.workplace.serviceState()
    if (!this.workplace.has('h.h5')) return undefined
    try {
      return (await this.#reader.read(this.workplace.file))[trajectory]
    } catch (error) {
      this.find('the file cannot be read', String(error))
      return undefined
    }
  }

  #expectedOf(trajectory: Name): Expected {
    const { failures, values, addedCounts, runCount } = this.#round
    const mayFail = (x: number) =>
      (failures.startsWith('failing') && !this.#isHealed && isFailing(x)) || this.#killedWorkers > 0
    const rounds = addedCounts.map(
      (_, round) => `from${addedCounts.slice(0, round).reduce((sum, added) => sum + added, runCount)}`,
    )
    return {
      x: this.#x[trajectory],
      values,
      rounds: trajectory === 'soak' ? rounds : [],
      // A failure that is not yet retried is still in the file.
      mayFail: (x) => mayFail(x) || (failures === 'failing, retried' && isFailing(x)),
    }
  }

  #expectExit(command: Command, allowed: readonly number[], what: string): void {
    if (command.isHanging) this.find('a command hangs', command.words.join(' '))
    else if (!allowed.includes(command.exitCode ?? -1))
      this.find(`exit code ${command.exitCode} of ${what}`, `${command.words.join(' ')}\n${command.stderr}`)
  }

  #report(kind: string, problems: readonly string[], where = ''): void {
    if (problems.length > 0) this.find(kind, [...(where ? [where] : []), ...problems].join('\n'))
  }
}

function shownEnd({ exitCode, stderr, events }: Command): string {
  const counts = events.findLast(({ run_count }) => run_count !== undefined)
  const told =
    counts === undefined
      ? ''
      : `, ${counts.stored_count} stored and ${counts.failed_count} failed of ${counts.run_count}`
  const said =
    stderr.trim() === '' ? '' : `\n      ${stderr.trim().slice(0, 400).replaceAll('\n', '\n      ')}`
  return `${exitCode === null ? 'killed' : `exit code ${exitCode}`}${told}${said}`
}

/** Names of one kind differ by numbers and random letters. */
function kindOfFile(name: string): string {
  return name.startsWith('TMPDIR') ? 'temporary files' : name.replace(/\d{2,}/g, '#')
}
