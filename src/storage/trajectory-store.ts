/** One trajectory in one HDF5 file, from its opening to its close. The writer process holds one. */
import { existsSync, statSync } from 'node:fs'
import { PypetError, toErrorRecord } from '../errors.ts'
import { expand } from '../exploration/expand.ts'
import type { OpenRequest, RefusedRun, RunFailure } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import type { RunIndex } from '../trajectory/path.ts'
import type { RawRunRecord } from '../trajectory/run-frame.ts'
import { Hdf5File } from './hdf5-file.ts'
import { TrajectoryLayout } from './hdf5-layout.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import { checkSignature } from './hdf5-signature.ts'
import { Hdf5Transaction } from './hdf5-transaction.ts'
import { makeFolderOf, syncFolders } from './result-folder.ts'

export interface Commit {
  readonly stored: readonly RunIndex[]
  readonly failed: readonly RunIndex[]
  /** Those of `failed` that the store itself had to fail. */
  readonly refused: readonly RefusedRun[]
}

export class TrajectoryStore {
  readonly #file: Hdf5File
  readonly #transaction: Hdf5Transaction
  readonly #layout: TrajectoryLayout
  /** One byte a run: whether it is stored or failed. The first word about a run counts. */
  readonly #ended: Uint8Array
  /** What completes the opening, until it has been written. */
  #settling: Generator<Hdf5Operation[]> | undefined
  #stored: RunIndex[] = []
  #failed: RunIndex[] = []
  #refused: RefusedRun[] = []

  private constructor(
    file: Hdf5File,
    transaction: Hdf5Transaction,
    layout: TrajectoryLayout,
    runCount: number,
  ) {
    this.#file = file
    this.#transaction = transaction
    this.#layout = layout
    this.#ended = new Uint8Array(runCount)
    this.#settling = layout.settle()
  }

  /**
   * Creates the trajectory with its parameters and ranges, committed when this returns. `settle` follows.
   *
   * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NOT_WRITABLE`; an
   * existing file is untouched then
   */
  static async open(request: OpenRequest): Promise<TrajectoryStore> {
    const { file: path, overwrite, parameters, exploration } = request
    const plan = expand({ parameters, exploration })
    const isNewFile = overwrite || !existsSync(path) || statSync(path).size === 0
    const folders = isNewFile ? makeFolderOf(path) : []
    if (!isNewFile) await assertNameIsFree(path, request.trajectory.name)
    const file = await Hdf5File.open(path, isNewFile ? 'create' : 'append')
    const transaction = Hdf5Transaction.begin(file)
    const layout = new TrajectoryLayout(request, plan)
    for (const operations of layout.open(isNewFile)) file.apply(operations)
    transaction.commit()
    syncFolders(folders)
    return new TrajectoryStore(file, transaction, layout, plan.runCount)
  }

  /** Writes the rest of the opening: config and overviews. Once is enough; `close` sees to it. */
  settle(): void {
    if (this.#settling === undefined) return
    for (const operations of this.#settling) this.#file.apply(operations)
    this.#settling = undefined
  }

  get hasUncommitted(): boolean {
    return this.#stored.length + this.#failed.length > 0
  }

  /**
   * Writes a run; it is stored once a commit names it. A run that has no layout fails instead, and the
   * others go on.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`; then the state of the file is unknown
   */
  storeRun(record: RawRunRecord): void {
    if (!this.#end(record.run)) return
    const operations = this.#layOut(record)
    if (operations === undefined) return
    this.#file.apply(operations)
    this.#stored.push(record.run)
  }

  failRun(failure: RunFailure): void {
    if (!this.#end(failure.run)) return
    this.#layout.failRun(failure)
    this.#failed.push(failure.run)
  }

  /** What to write for a run, unless that cannot be said: then nothing of it has touched the file. */
  #layOut(record: RawRunRecord): Hdf5Operation[] | undefined {
    try {
      return this.#layout.storeRun(record)
    } catch (thrown) {
      const { run, startTimestamp, finishTimestamp } = record
      const error = toErrorRecord(thrown)
      this.#layout.failRun({ run, error, startTimestamp, finishTimestamp })
      this.#failed.push(run)
      this.#refused.push({ run, error })
      return undefined
    }
  }

  /** Makes everything so far durable and says what that was. */
  commit(): Commit {
    this.#file.apply(this.#layout.commit())
    this.#transaction.commit()
    const commit = { stored: this.#stored, failed: this.#failed, refused: this.#refused }
    this.#stored = []
    this.#failed = []
    this.#refused = []
    return commit
  }

  /** Commits, adds the last config and closes the file. */
  close(config: readonly Parameter[]): Commit {
    this.settle()
    this.#file.apply(this.#layout.close(config))
    const commit = this.commit()
    this.#transaction.end()
    return commit
  }

  #end(run: RunIndex): boolean {
    if (this.#ended[run] !== 0) return false
    this.#ended[run] = 1
    return true
  }
}

/**
 * Checks that an existing file can take another trajectory of this name.
 *
 * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_FILE_NOT_HDF5`
 */
export async function assertNameIsFree(path: string, name: string): Promise<void> {
  await checkSignature(path)
  const names = await Hdf5File.rootNames(path)
  if (!names.includes(name)) return
  throw new PypetError('PYPET_TRAJECTORY_EXISTS', `${path} already holds a trajectory named ${name}`, {
    where: path,
    hint: 'Give it another name (--name, or --add-time), another file (--file), or replace the file (--overwrite).',
  })
}
