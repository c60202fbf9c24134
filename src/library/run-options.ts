/** Options of an experiment that can be set on its trajectory, as the original document does: `traj.ncores = 4`. */
import { PypetError } from '../errors.ts'
import type { OptionName } from '../experiment/options.ts'
import type { ParameterTree } from '../run/parameter.ts'
import type { StorageService } from '../storage/service/storage-service.ts'
import { FileTree } from './file-tree.ts'

/** The options of the environment whose trajectory it is. */
export interface OptionAccess {
  get(option: OptionName): unknown
  /** @throws PypetError `PYPET_CONFIG_INVALID`; `PYPET_USAGE` when its run has begun */
  set(option: OptionName, value: unknown): void
}

type WrapMode = 'queue' | 'lock' | 'none' | 'QUEUE' | 'LOCK' | 'NONE'

/**
 * Each is an option of the next run of the trajectory's environment, and can be set until that begins. Undefined, and not to
 * be set, without an environment.
 */
export abstract class OptionTree<Tree = ParameterTree> extends FileTree<Tree> {
  /** A storage of one's own, which `Environment.run` uses in the place of an HDF5 file. */
  storageService: StorageService | undefined
  #options: OptionAccess | undefined

  /** For the environment alone. */
  useOptions(options: OptionAccess): void {
    this.#options = options
  }

  get multiproc(): boolean | undefined {
    return this.#get('multiproc')
  }

  set multiproc(value: boolean) {
    this.#set('multiproc', value)
  }

  get ncores(): number | undefined {
    return this.#get('ncores')
  }

  set ncores(value: number) {
    this.#set('ncores', value)
  }

  get wrapMode(): WrapMode | undefined {
    return this.#get('wrapMode')
  }

  set wrapMode(value: WrapMode) {
    this.#set('wrapMode', value)
  }

  get continuable(): boolean | undefined {
    return this.#get('continuable')
  }

  set continuable(value: boolean) {
    this.#set('continuable', value)
  }

  get fileTitle(): string | undefined {
    return this.#get('fileTitle')
  }

  set fileTitle(value: string) {
    this.#set('fileTitle', value)
  }

  get purgeDuplicateComments(): boolean | undefined {
    return this.#get('purgeDuplicateComments')
  }

  set purgeDuplicateComments(value: boolean) {
    this.#set('purgeDuplicateComments', value)
  }

  get exploredParameterOverviewInRuns(): boolean | undefined {
    return this.#get('exploredParameterOverviewInRuns')
  }

  set exploredParameterOverviewInRuns(value: boolean) {
    this.#set('exploredParameterOverviewInRuns', value)
  }

  get resultsPerRun(): number | undefined {
    return this.#get('resultsPerRun')
  }

  set resultsPerRun(value: number) {
    this.#set('resultsPerRun', value)
  }

  get derivedParametersPerRun(): number | undefined {
    return this.#get('derivedParametersPerRun')
  }

  set derivedParametersPerRun(value: number) {
    this.#set('derivedParametersPerRun', value)
  }

  #get<Value>(option: OptionName): Value | undefined {
    return this.#options?.get(option) as Value | undefined
  }

  #set(option: OptionName, value: unknown): void {
    if (this.#options === undefined) throw this.#withoutEnvironment(option, value)
    this.#options.set(option, value)
  }

  #withoutEnvironment(option: OptionName, value: unknown): PypetError {
    return new PypetError(
      'PYPET_USAGE',
      `${option} is an option of an environment, and ${this.name} belongs to none`,
      {
        where: option,
        hint: `Give it to the environment: new Environment({ trajectory, ${option}: ${JSON.stringify(value)} }).`,
      },
    )
  }
}
