/** Prepares the logs of an experiment: files, and the user's transports. Checks them before anything starts. */
import { PypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import { UserCode } from '../executors/user-code.ts'
import { importModule } from '../experiment/import-module.ts'
import { bundleModule, type ModuleKind } from '../experiment/module-bundle.ts'
import { foundValue } from '../experiment/option.ts'
import type { Settings } from '../experiment/options.ts'
import { type LogTransport, openLog } from '../reporting/log.ts'
import { checkLogFolder } from '../reporting/log-folder.ts'
import { openTransportLog } from '../reporting/log-transports.ts'

export interface PreparedLogs extends AsyncDisposable {
  /**
   * Opens the files and returns the reporters for all events; none if logging is off.
   *
   * @param environment the name of the environment
   * @param shown receives what transports print, which is for the terminal
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
   */
  open(environment: string, shown: Reporter): readonly Reporter[]
}

/**
 * Checks that logs can be written, without creating anything, and loads transports if there are any. Dispose of the
 * result after closing its reporters.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`; `PYPET_CONFIG_INVALID` for a module that gives no transports
 */
export async function prepareLogs(settings: Settings): Promise<PreparedLogs> {
  const { logging, logFolder: folder, name: trajectory, logLevel: level, logRuns: runFiles } = settings
  const { logTransports, progressStep } = settings
  if (!logging) return { open: () => [], [Symbol.asyncDispose]: async () => undefined }
  checkLogFolder(folder, trajectory)
  const transports = logTransports === undefined ? undefined : await openTransports(logTransports, settings)
  return {
    open(environment, shown) {
      const log = openLog({ folder, trajectory, environment, level, runFiles, progressStep })
      return transports === undefined ? [log] : [log, transports.open(shown)]
    },
    async [Symbol.asyncDispose]() {
      transports?.dispose()
    },
  }
}

/** The check that a dry run of `continue` also makes. */
export function checkLogs({ logging, logFolder, name }: Settings): void {
  if (logging) checkLogFolder(logFolder, name)
}

interface OpenTransports {
  open(shown: Reporter): Reporter
  dispose(): void
}

/** A module can import winston even if only pypet-ts has it installed. */
const LOG_TRANSPORTS: ModuleKind = {
  noun: 'log transports',
  code: 'PYPET_CONFIG_INVALID',
  lends: ['winston', 'winston-transport', 'logform', 'triple-beam'],
}

async function openTransports(file: string, settings: Settings): Promise<OpenTransports> {
  // An uncaught error of a transport must not fail the run that is active at the time.
  const userCode = new UserCode(file, { isProcessOurs: false })
  try {
    const { name: trajectory, logLevel: level, progressStep } = settings
    const log = await openTransportLog(await loadTransports(file, trajectory, userCode), {
      trajectory,
      level,
      progressStep,
      file,
      call: (action) => userCode.call(action),
    })
    return {
      open(shown) {
        userCode.listen({
          onLine: (message, _run, printedTo) =>
            userCode.leave(() => shown.emit({ type: 'log', level: 'info', message, printedTo })),
          onStrayError: (thrown) => log.noteFailure(thrown),
        })
        return log
      },
      dispose: () => userCode[Symbol.dispose](),
    }
  } catch (error) {
    userCode[Symbol.dispose]()
    if (userCode.printed.length > 0) process.stderr.write(`${userCode.printed.join('\n')}\n`)
    throw error
  }
}

async function loadTransports(
  file: string,
  trajectory: string,
  userCode: UserCode,
): Promise<readonly LogTransport[]> {
  const bundle = await bundleModule(file, LOG_TRANSPORTS)
  try {
    return await userCode.call(async () => {
      const exports = await importModule(bundle, LOG_TRANSPORTS, userCode.failed)
      const given = givenTransports(exports)
      const transports: unknown = typeof given === 'function' ? await callOf(given, trajectory, file) : given
      if (!Array.isArray(transports)) {
        const from = typeof given === 'function' ? 'its function gives' : 'it exports'
        throw noTransports(file, `${from} ${foundValue(transports)}`)
      }
      const wrong = transports.findIndex((transport) => !isTransport(transport))
      if (wrong >= 0)
        throw noTransports(file, `item ${wrong + 1} of its list is ${foundValue(transports[wrong])}`)
      return transports as readonly LogTransport[]
    })
  } finally {
    await bundle.dispose()
  }
}

/** A CommonJS module is the default export of its bundle. */
function givenTransports({ default: main, transports }: Readonly<Record<string, unknown>>): unknown {
  const inner = (main as { readonly transports?: unknown } | undefined | null)?.transports
  return Array.isArray(main) || typeof main === 'function' ? main : (transports ?? inner ?? main)
}

async function callOf(given: unknown, trajectory: string, file: string): Promise<unknown> {
  try {
    return await (given as (of: { readonly trajectory: string }) => unknown)({ trajectory })
  } catch (cause) {
    const { name, message } = cause instanceof Error ? cause : { name: 'thrown', message: String(cause) }
    throw noTransports(file, `its function threw ${name}: ${message}`, cause)
  }
}

/** Accepts transports of any copy of winston. */
function isTransport(value: unknown): boolean {
  const { log, write, once } = (value ?? {}) as Readonly<Record<string, unknown>>
  return [log, write, once].every((method) => typeof method === 'function')
}

function noTransports(file: string, found: string, cause?: unknown): PypetError {
  return new PypetError(
    'PYPET_CONFIG_INVALID',
    `${file} does not give a list of winston transports: ${found}`,
    {
      where: file,
      hint: "Write: export default [new winston.transports.File({ filename: 'all.log' })], or a function that returns such a list.",
      cause,
    },
  )
}
