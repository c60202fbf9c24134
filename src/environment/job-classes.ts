import { dirname } from 'node:path'
import { bundleClasses } from '../experiment/bundle-classes.ts'
import type { ExperimentDefinition } from '../experiment/define.ts'
import type { JobLocation } from '../protocol.ts'
import type { OwnClass } from '../values/own-class.ts'

export interface LocatedJob extends AsyncDisposable {
  readonly location: JobLocation
}

/**
 * Where workers find the job, and the classes that it names by their modules, or that a script gives: those of a script
 * begin in the current folder. Most jobs name none, and nothing is done.
 *
 * @throws PypetError `PYPET_CLASS_UNKNOWN`
 */
export async function locateClasses(
  { url, file }: JobLocation,
  definition: Pick<ExperimentDefinition, 'dynamicImports'> | undefined,
  ofScript: readonly (OwnClass | string)[] = [],
): Promise<LocatedJob> {
  const ofJob = (definition?.dynamicImports ?? []).filter((given) => typeof given === 'string')
  if (ofJob.length === 0 && ofScript.length === 0) {
    return { location: { url, file }, [Symbol.asyncDispose]: async () => undefined }
  }
  const first = await bundleClasses(ofJob, dirname(file))
  try {
    const second = await bundleClasses(ofScript, process.cwd())
    return {
      location: { url, file, classes: [...first.addresses, ...second.addresses] },
      async [Symbol.asyncDispose]() {
        await first[Symbol.asyncDispose]()
        await second[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await first[Symbol.asyncDispose]()
    throw error
  }
}
