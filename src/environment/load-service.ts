/** Loads the user's own storage, and checks it before anything starts. */
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PypetError, toErrorRecord } from '../errors.ts'
import { bundleModule } from '../experiment/module-bundle.ts'
import type { Settings } from '../experiment/options.ts'
import { checkService, checkWorkerModule, type StorageService } from '../storage/service/storage-service.ts'

export interface LoadedService {
  readonly service: StorageService
  /** `file:` URL of the worker module; undefined if main stores the runs. */
  readonly workerModule: string | undefined
  dispose(): Promise<void>
}

/**
 * @param given from a script; otherwise the settings name its module
 * @throws PypetError `PYPET_CONFIG_INVALID`
 */
export async function loadService(
  { storageService, wrapMode }: Settings,
  given: StorageService | undefined,
): Promise<LoadedService> {
  const isQueued = wrapMode === 'queue'
  if (given !== undefined) {
    const where = 'the call'
    const service = checkService(given, where, wrapMode)
    const { workerModule } = service
    if (isQueued) return { service, workerModule: undefined, dispose: async () => undefined }
    if (workerModule === undefined) {
      throw new PypetError('PYPET_CONFIG_INVALID', `the storage service of ${where} has no workerModule`, {
        where,
        hint: 'Workers are other threads: name a module that exports openWorker, or use the wrap mode queue.',
      })
    }
    return { service, workerModule: await checkedWorkerModule(workerModule), dispose: async () => undefined }
  }
  const file = storageService as string
  const bundle = await bundleModule(file, { noun: 'storage service', code: 'PYPET_CONFIG_INVALID' })
  try {
    const module = await load(bundle.url, file)
    const service = checkService(module.default, file, wrapMode)
    const dispose = () => bundle.dispose()
    if (isQueued) return { service, workerModule: undefined, dispose }
    if (service.workerModule === undefined) {
      checkWorkerModule(module, file)
      return { service, workerModule: bundle.url, dispose }
    }
    return { service, workerModule: await checkedWorkerModule(service.workerModule), dispose }
  } catch (error) {
    await bundle.dispose()
    throw error
  }
}

async function load(url: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new PypetError(
      'PYPET_CONFIG_INVALID',
      `cannot load the storage service ${file}: ${toErrorRecord(cause).message}`,
      { where: file, hint: 'The module must load without an error.', cause },
    )
  }
}

/** Its URL. Loads the module here first: a worker could report an error only after everything has started. */
async function checkedWorkerModule(workerModule: string | URL): Promise<string> {
  const url = urlOf(workerModule)
  checkWorkerModule(await load(url, fileURLToPath(url)), fileURLToPath(url))
  return url
}

function urlOf(module: string | URL): string {
  if (module instanceof URL) return module.href
  return module.startsWith('file:') ? module : pathToFileURL(resolve(module)).href
}
