/** One trajectory in one HDF5 file, from its opening to its close. The writer process holds one. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { PypetError } from '../errors.ts'
import { expand } from '../exploration/expand.ts'
import type { OpenRequest, RunFailure } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import type { RunIndex } from '../trajectory/path.ts'
import type { RawRunRecord } from '../trajectory/run-frame.ts'
import { Hdf5File } from './hdf5-file.ts'
import { TrajectoryLayout } from './hdf5-layout.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import { checkSignature } from './hdf5-signature.ts'
import { Hdf5Transaction } from './hdf5-transaction.ts'

export interface Commit {
  readonly stored: readonly RunIndex[]
  readonly failed: readonly RunIndex[]
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
    if (isNewFile) makeFolder(path)
    else await assertNameIsFree(path, request.trajectory.name)
    const file = await Hdf5File.open(path, isNewFile ? 'create' : 'append')
    const transaction = Hdf5Transaction.begin(file)
    const layout = new TrajectoryLayout(request, plan)
    for (const operations of layout.open(isNewFile)) file.apply(operations)
    transaction.commit()
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

  /** Writes a run; it is stored once a commit names it. */
  storeRun(record: RawRunRecord): void {
    if (!this.#end(record.run)) return
    this.#file.apply(this.#layout.storeRun(record))
    this.#stored.push(record.run)
  }

  failRun(failure: RunFailure): void {
    if (!this.#end(failure.run)) return
    this.#layout.failRun(failure)
    this.#failed.push(failure.run)
  }

  /** Makes everything so far durable and says what that was. */
  commit(): Commit {
    this.#file.apply(this.#layout.commit())
    this.#transaction.commit()
    const commit = { stored: this.#stored, failed: this.#failed }
    this.#stored = []
    this.#failed = []
    return commit
  }

  /** Commits, adds the last config and closes the file. */
  close(config: readonly Parameter[]): Commit {
    this.settle()
    this.#file.apply(this.#layout.close(config))
    const commit = this.commit()
    this.#file.close()
    this.#transaction.end()
    return commit
  }

  #end(run: RunIndex): boolean {
    if (this.#ended[run] !== 0) return false
    this.#ended[run] = 1
    return true
  }
}

function makeFolder(path: string): void {
  try {
    makeFolders(dirname(path))
  } catch (cause) {
    throw new PypetError('PYPET_FILE_NOT_WRITABLE', `cannot create the folder ${dirname(path)}`, {
      where: path,
      hint: 'Check the permissions, or choose another file with --file.',
      cause,
    })
  }
}

/** Not `recursive`: below a folder that takes no folders, such as /proc, Node would try for ever. */
function makeFolders(folder: string): void {
  if (existsSync(folder)) return
  makeFolders(dirname(folder))
  mkdirSync(folder)
}

async function assertNameIsFree(path: string, name: string): Promise<void> {
  await checkSignature(path)
  const names = await Hdf5File.rootNames(path)
  if (!names.includes(name)) return
  throw new PypetError('PYPET_TRAJECTORY_EXISTS', `${path} already holds a trajectory named ${name}`, {
    where: path,
    hint: 'Give it another name (--name, or --add-time), another file (--file), or replace the file (--overwrite).',
  })
}
