/** What a session is made of: one storage, and the runs that it is to perform with it. */
import type { ExperimentEvent, Reporter } from '../events.ts'
import type { Extension, Opened } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import type { RunStore } from '../storage/run-store.ts'
import type { RunNodes } from '../tree/run-nodes.ts'
import type { GrowingPlan } from './growing-plan.ts'
import type { PartsFolder } from './parts-folder.ts'
import type { Postprocessing, ReturnedBytes } from './postprocessing.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import type { RunLedger } from './run-ledger.ts'

export interface SessionParts {
  readonly experiment: PreparedExperiment
  readonly store: RunStore
  readonly partsFolder: PartsFolder
  readonly ledger: RunLedger
  /** Tells the storage what to begin with. */
  readonly open: (store: RunStore, ledger: RunLedger) => Promise<Opened>
  /** Told when the file is open; gives who is told of everything else. */
  readonly onOpened: (opened: Opened) => Reporter
  readonly listen: (line: Extract<ExperimentEvent, { type: 'log' }>) => void
  /** What is known when the last run has ended, in seconds since 1970. */
  readonly closingConfig: (finishTimestamp: number) => readonly Parameter[]
  readonly plan: GrowingPlan
  /** What jobs see of the trajectory beside its parameters. */
  readonly nodes: RunNodes
  readonly provenance: Provenance
  readonly postprocessing?: Postprocessing | undefined
  /** Takes what jobs return, where somebody wants it. */
  readonly returned: ReturnedBytes
  readonly wantsReturned: boolean
  readonly signal?: AbortSignal | undefined
  readonly giveUp?: AbortSignal | undefined
}

/** Where the results come from. */
export interface Provenance {
  /** Begins to collect it, where that needs no file; other programs do most of it, such as git. */
  begin(): void
  /** Resolves to what is not stored yet. Never rejects for what is missing. */
  collected(): Promise<Extension>
}
