/** Turns a module, or a function of a script, into a job that can be loaded. Everything that runs jobs uses this. */
import { dirname, resolve } from 'node:path'
import { UserCode } from '../executors/user-code.ts'
import { bundleClasses } from '../experiment/bundle-classes.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import { bundleJob, functionJob, type JobSource, scriptFile } from '../experiment/job-source.ts'
import { type ConfigFile, loadConfig } from '../experiment/load-config.ts'
import { importJob, type LoadedJob } from '../experiment/load-job.ts'
import type { JobIdentity, JobLocation } from '../protocol.ts'
import type { OwnClass } from '../values/own-class.ts'

/** A job of which nothing has been executed yet. */
export interface PreparedJob {
  /** The user's source file. */
  readonly file: string
  /** Distinguishes the job from a changed one, and finds it again from a folder. */
  readonly identity: (folder: string) => JobIdentity
  /** What job and config file do in this thread. */
  readonly userCode: UserCode
  /** The config file, if one was requested and found. */
  readonly config: ConfigFile | undefined
  /** Imports the job, as `importJob`. */
  load(): Promise<LoadedJob>
  /**
   * Where workers find the job, and the classes it names by module or that a script passes; those of a script are
   * relative to the current folder. Does nothing for most jobs, which name none.
   *
   * @throws PypetError `PYPET_CLASS_UNKNOWN`
   */
  locate(
    loaded: Pick<LoadedJob, 'definition'>,
    ofScript?: readonly (OwnClass | string)[],
  ): Promise<JobLocation>
  /** Call it after the experiment: the bundle exists until then. */
  dispose(): Promise<void>
}

/**
 * Bundles the job and passes it to `prepare`. If that fails, cleans everything up and prints the output of job and config
 * file to stderr: it most likely explains why the job does not load.
 *
 * @param options.config the config file to load; none by default
 * @throws PypetError as `bundleJob`, `loadConfig` and `prepare`
 */
export async function prepareJob<Prepared>(
  given: string | JobFunction,
  {
    isProcessOurs,
    config: asked,
  }: {
    readonly isProcessOurs: boolean
    readonly config?: Pick<Parameters<typeof loadConfig>[0], 'configFile' | 'env'> | undefined
  },
  prepare: (job: PreparedJob) => Promise<Prepared>,
): Promise<Prepared> {
  const jobFile = typeof given === 'function' ? scriptFile() : resolve(given)
  const userCode = new UserCode(jobFile, { isProcessOurs })
  const held: AsyncDisposable[] = []
  const hold = async <Held extends AsyncDisposable>(opening: Promise<Held>): Promise<Held> => {
    const opened = await opening
    held.push(opened)
    return opened
  }
  const dispose = async () => {
    userCode[Symbol.dispose]()
    for (const each of held.splice(0).reverse()) await each[Symbol.asyncDispose]()
  }
  try {
    // Waits for both, so that an error in one does not leave the other running.
    const [bundling, configuring] = await Promise.allSettled([
      hold<JobSource>(typeof given === 'function' ? functionJob(given) : bundleJob(given)),
      userCode.call(async () => asked && (await loadConfig({ jobFile, ...asked }))),
    ])
    if (bundling.status === 'rejected') throw bundling.reason
    if (configuring.status === 'rejected') throw configuring.reason
    const source = bundling.value
    const { url, file } = source
    return await prepare({
      file,
      identity: (folder) => source.identity(folder),
      userCode,
      config: configuring.value,
      load: () => userCode.call(() => importJob({ url, file }, userCode.failed)),
      async locate({ definition }, ofScript = []) {
        const ofJob = (definition?.dynamicImports ?? []).filter((name) => typeof name === 'string')
        const location = { url, file }
        if (ofJob.length + ofScript.length === 0) return location
        const bundles = [
          await hold(bundleClasses(ofJob, dirname(file))),
          await hold(bundleClasses(ofScript, process.cwd())),
        ]
        return { ...location, classes: bundles.flatMap(({ addresses }) => addresses) }
      },
      dispose,
    })
  } catch (error) {
    userCode.flush()
    await dispose()
    if (userCode.printed.length > 0) process.stderr.write(`${userCode.printed.join('\n')}\n`)
    throw error
  }
}
