/** Finds the job's function in its bundle, in the main process and in every pool thread. */
import { PypetError } from '../errors.ts'
import type { JobLocation } from '../protocol.ts'
import type { ParameterTree } from '../run/parameter.ts'
import type { OwnClass, OwnClasses } from '../values/own-class.ts'
import {
  defineExperiment,
  type ExperimentDefinition,
  type ExperimentOptions,
  isExperimentDefinition,
  type JobResults,
} from './define.ts'
import { importModule } from './import-module.ts'
import { type JobFunction, keptJobs } from './job-functions.ts'
import { classesOfJob, importClasses } from './own-classes.ts'

/** The user's function of the whole trajectory. It can return points to run next. */
export type PostprocessFunction = (traj: never, results: JobResults, ...args: readonly unknown[]) => unknown

export interface LoadedJob {
  /** The user's source file. */
  readonly file: string
  /** A method of an experiment has the experiment as its `this`. */
  readonly run: JobFunction
  /** Called when all runs have ended: `postprocess` of the experiment, or of the module. */
  readonly postprocess?: PostprocessFunction
  /** The result of `defineExperiment`; undefined if the module exports only a function. */
  readonly definition?: ExperimentDefinition
  /** The user's own classes that restore parameters. */
  readonly classes: OwnClasses
}

/**
 * Imports a bundled job and finds its function: the default export or the export named `job`. This is an experiment
 * made by `defineExperiment`, a plain object with the same content, or a function of the run.
 *
 * @param interruption rejects if the module fails outside of what an import waits for
 * @throws PypetError `PYPET_JOB_NOT_LOADABLE` if the module throws, with the user's line; `PYPET_JOB_NO_FUNCTION` with
 *   its actual exports; as `defineExperiment` for a plain object
 */
export async function importJob(
  { url, file, classes: addresses = [] }: JobLocation,
  interruption?: Promise<never>,
): Promise<LoadedJob> {
  const known = keptJobs.at(url)
  if (known !== undefined) {
    const classes = new Map<string, OwnClass>()
    await importClasses(addresses, classes)
    return { file, run: known, classes }
  }
  const kind = { noun: 'job', code: 'PYPET_JOB_NOT_LOADABLE' } as const
  const exports = await importModule({ url, file }, kind, interruption)
  for (const given of jobCandidates(exports)) {
    const candidate = isPlainExperiment(given) ? defined(given, file) : given
    if (isExperimentDefinition(candidate)) {
      const classes = classesOfJob(exports, candidate)
      await importClasses(addresses, classes)
      return {
        file,
        classes,
        run: (traj, ...args) => candidate.run(traj, ...args),
        ...(candidate.postprocess !== undefined && {
          postprocess: (traj, results, ...args) => candidate.postprocess?.(traj, results, ...args),
        }),
        definition: candidate,
      }
    }
    if (typeof candidate === 'function' && !isClass(candidate)) {
      const postprocess = postprocessOf(exports)
      const classes = classesOfJob(exports, undefined)
      await importClasses(addresses, classes)
      return {
        file,
        classes,
        run: candidate as JobFunction,
        ...(postprocess !== undefined && { postprocess }),
      }
    }
  }
  throw noFunction(exports, file)
}

/** The export `postprocess` of a module whose job is a function. */
function postprocessOf(exports: Readonly<Record<string, unknown>>): PostprocessFunction | undefined {
  const inner = isPlainObject(exports.default) ? exports.default.postprocess : undefined
  const found = exports.postprocess ?? inner
  return typeof found === 'function' && !isClass(found) ? (found as PostprocessFunction) : undefined
}

/** A CommonJS module is the default export of its bundle, so its own exports are one level down. */
function jobCandidates(exports: Readonly<Record<string, unknown>>): unknown[] {
  const { default: main, job } = exports
  const inner = isPlainObject(main) && !isExperimentDefinition(main) ? [main.default, main.job] : []
  return [main, job, ...inner]
}

/** `export default { parameters, run }`. The exports of a CommonJS module also match, unless one of them is the job. */
function isPlainExperiment(value: unknown): value is ExperimentOptions<ParameterTree> {
  if (!isPlainObject(value) || isExperimentDefinition(value)) return false
  const isExperiment = typeof value.run === 'function' || ('run' in value && 'parameters' in value)
  return isExperiment && value.default === undefined && value.job === undefined
}

/** Makes the same checks as `defineExperiment`, but without a line of the user's to report. */
function defined(options: ExperimentOptions<ParameterTree>, file: string): ExperimentDefinition {
  try {
    return defineExperiment(options)
  } catch (error) {
    if (!(error instanceof PypetError)) throw error
    const { code, message, hint } = error
    throw new PypetError(code, `${file}: ${message}`, { where: file, hint, cause: error })
  }
}

function noFunction(exports: Readonly<Record<string, unknown>>, file: string): PypetError {
  const { default: main, ...named } = exports
  const all = isPlainObject(main) && Object.keys(named).length === 0 ? main : exports
  const list = Object.entries(all).map(([name, value]) => `${name} (${describeExport(value)})`)
  const found = list.length === 0 ? 'exports nothing' : `exports ${list.join(', ')}`
  const functions = Object.keys(all).filter((name) => typeof all[name] === 'function' && !isClass(all[name]))
  return new PypetError('PYPET_JOB_NO_FUNCTION', `the job ${file} has no function to run: it ${found}`, {
    where: file,
    hint: main instanceof Promise ? AWAIT : exportHint(functions, Object.keys(all)),
  })
}

function exportHint(functions: readonly string[], all: readonly string[]): string {
  const [only] = functions
  if (functions.includes('run') && all.includes('parameters')) {
    const parts = EXPERIMENT_EXPORTS.filter((name) => all.includes(name))
    return `Export them together: export default { ${parts.join(', ')} }`
  }
  if (functions.length !== 1 || only === undefined) {
    return 'Write: export default defineExperiment({ parameters: { x: 1 }, run(traj) { … } })'
  }
  return `Write: export default ${only} (in CommonJS: module.exports = ${only})`
}

const AWAIT = 'Write: export default await …'
const EXPERIMENT_EXPORTS = ['name', 'comment', 'parameters', 'explore', 'run', 'postprocess']

function describeExport(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (isClass(value)) return 'a class'
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}
