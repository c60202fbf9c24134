/** Merges the layers of the configuration: flags, environment, config file, experiment, defaults. */
import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { PypetError } from '../errors.ts'
import { timeText } from '../names.ts'
import { shellWord } from '../shell-word.ts'
import { assertTrajectoryName } from '../values/path.ts'

import { chooseExecutor } from './choose-executor.ts'
import { environmentLayer, unknownVariables } from './environment-variables.ts'
import { nameFromJobFile } from './job-file.ts'
import { logOptions } from './log-options.ts'
import { absolutePath, type OptionValue } from './option.ts'
import {
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type OptionValues,
  OVERVIEWS,
  type Settings,
} from './options.ts'
import { describePlace, type Origin } from './origin.ts'
import { storageOf } from './storage-options.ts'
import { type Layer, textLayer } from './text-layer.ts'

/** Values from the command line: text, or true and false for a switch. Absent flags are undefined. */
export type FlagValues = { readonly [Name in OptionName]?: string | number | boolean | undefined }

export interface SettingsLayers {
  /** The job file; the default name of the trajectory comes from it. */
  readonly jobFile: string
  readonly flags?: FlagValues
  /** `process.env`, or a part of it. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly config?: { readonly file: string; readonly options: OptionValues } | undefined
  readonly definition?:
    | { readonly name?: string | undefined; readonly comment?: string | undefined }
    | undefined
  /** The base of relative paths in flags, environment and defaults. */
  readonly workingDirectory?: string
  /** How many runs `ncores: 0` computes at the same time. */
  readonly coreCount?: number
  /** A script passes its own storage service. */
  readonly hasStorageService?: boolean
  /** A script passes the flags, as options by name. */
  readonly isCall?: boolean
  /** What `addTime` appends, in seconds since 1970. */
  readonly timestamp?: number
}

export interface ResolvedSettings {
  readonly settings: Settings
  /** The layer that each value came from. */
  readonly origins: Readonly<Record<OptionName, Origin>>
  /** Values that have no effect. */
  readonly warnings: readonly string[]
}

/**
 * Takes the value of every option from the layer with the highest priority that has one.
 *
 * `ncores: 0` becomes the number of cores. `chooseExecutor` decides on `executor`, `multiproc` and `isolate` follow
 * from it, and `executor: 'inline'` sets `ncores` to 1. `filename` and `logFolder` become absolute. `addTime` is
 * appended to `name`, which completes a folder given as `filename`.
 *
 * @throws PypetError `PYPET_USAGE` (flags), `PYPET_CONFIG_INVALID` (environment, contradictions), `PYPET_NAME_ILLEGAL`
 */
export function resolveSettings(layers: SettingsLayers): ResolvedSettings {
  const {
    workingDirectory = process.cwd(),
    coreCount = availableParallelism(),
    timestamp = Date.now() / 1000,
  } = layers
  const stack: readonly Layer[] = [
    flagLayer(layers.flags ?? {}, workingDirectory, layers.isCall === true),
    environmentLayer(layers.env ?? {}, workingDirectory),
    configLayer(layers.config),
    experimentLayer(layers),
  ]
  const values: { [Name in OptionName]?: OptionValue } = {}
  const origins: { [Name in OptionName]?: Origin } = {}
  for (const name of OPTION_NAMES) {
    const layer = stack.find(({ options }) => options[name] !== undefined)
    const value = layer === undefined ? OPTIONS[name].default : layer.options[name]
    if (value !== undefined) values[name] = value
    origins[name] = layer === undefined ? { kind: 'default' } : layer.originOf(name)
  }
  const complete = origins as Record<OptionName, Origin>
  return {
    settings: completed(values, complete, { ...layers, workingDirectory, coreCount, timestamp }),
    origins: complete,
    warnings: unknownVariables(layers.env ?? {}),
  }
}

function flagLayer(flags: FlagValues, workingDirectory: string, isCall: boolean): Layer {
  const wordOf = (name: OptionName) => (isCall ? name : (OPTIONS[name].flag ?? `--${name}`))
  const originOf = (name: OptionName): Origin => ({ kind: 'flag', flag: wordOf(name) })
  return textLayer(flags, { originOf, workingDirectory, code: 'PYPET_USAGE' })
}

function configLayer(config: SettingsLayers['config']): Layer {
  return { options: config?.options ?? {}, originOf: () => ({ kind: 'config', file: config?.file ?? '' }) }
}

function experimentLayer({ jobFile, definition }: SettingsLayers): Layer {
  const { name, comment } = definition ?? {}
  return {
    options: { ...(name !== undefined && { name }), ...(comment !== undefined && { comment }) },
    originOf: () => ({ kind: 'experiment', file: jobFile }),
  }
}

/** Fills in what follows from other options or from the job, and builds the settings. */
function completed(
  values: { readonly [Name in OptionName]?: OptionValue },
  origins: Readonly<Record<OptionName, Origin>>,
  given: {
    readonly jobFile: string
    readonly workingDirectory: string
    readonly coreCount: number
    readonly timestamp: number
    readonly hasStorageService?: boolean
  },
): Settings {
  const wanted = values.ncores === 0 ? given.coreCount : values.ncores
  const executor = chooseExecutor(values, origins, Number(wanted))
  if (values.keepCnt === true && values.continuable === false) throw keptAndNot(origins)
  const storage = storageOf(values, origins, given.hasStorageService === true)
  const plainName = String(values.name ?? nameFromJobFile(given.jobFile))
  // An empty name must be refused, not completed.
  const name =
    values.addTime === true && plainName !== '' ? `${plainName}_${timeText(given.timestamp)}` : plainName
  assertTrajectoryName(name, describePlace('name', origins.name))
  const overviews = OPTION_NAMES.filter((option) => option.startsWith(OVERVIEWS))
  const main = OPTION_NAMES.filter((option) => !option.startsWith(OVERVIEWS))
  const settings = {
    ...Object.fromEntries(main.map((option) => [option, values[option]])),
    ...storage,
    ...logOptions(values, origins, given.workingDirectory),
    name,
    executor,
    multiproc: executor !== 'inline',
    isolate: executor === 'process',
    ncores: executor === 'inline' ? 1 : wanted,
    filename: resultFile(String(values.filename ?? absolutePath('hdf5/', given.workingDirectory)), name),
    fileTitle: values.fileTitle ?? name,
    overviews: Object.fromEntries(
      overviews.map((option) => [option.slice(OVERVIEWS.length), values[option]]),
    ),
  }
  // Every layer was checked against the table of options, which determines the types.
  return settings as unknown as Settings
}

function keptAndNot(origins: Readonly<Record<OptionName, Origin>>): PypetError {
  const where = describePlace('continuable', origins.continuable)
  return new PypetError(
    'PYPET_CONFIG_INVALID',
    `${where} is false, but ${describePlace('keepCnt', origins.keepCnt)} keeps the .cnt file`,
    { where, hint: 'Leave out one of them.' },
  )
}

function resultFile(path: string, name: string): string {
  return /[/\\]$/.test(path) || isFolder(path) ? join(path, `${name}.h5`) : path
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // Absent, or out of reach: who opens the file says what is wrong with it.
  }
}

/** Options as they appear in a command to copy. */
export function optionWords(flags: FlagValues): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const { flag } = OPTIONS[name as OptionName] ?? {}
    if (flag === undefined || value === undefined) return []
    if (typeof value === 'boolean') return [value ? flag : flag.replace('--', '--no-')]
    return [flag, shellWord(String(value))]
  })
}
