/** Imports a bundled module of the user. Small, because every pool thread loads it. */
import { fileURLToPath } from 'node:url'
import { type ErrorCode, PypetError, toErrorRecord } from '../errors.ts'
import { stackFrames } from '../stack-frames.ts'
import { ExitRefusal } from './refuse-exit.ts'

/** Where a bundled module is. Plain data, so that it can be sent to threads. */
export interface ModuleAddress {
  /** The bundle, as a file URL. */
  readonly url: string
  /** The user's source file, for messages. */
  readonly file: string
}

/** Only a top-level await makes a bundled module take this long. */
const SLOW_MS = 2000

let tellSlow: ((file: string) => void) | undefined

/** Sets a callback for modules that take long to load, called once per module; undefined for none. */
export function tellSlowImports(tell: ((file: string) => void) | undefined): void {
  tellSlow = tell
}

/**
 * Imports the bundle and returns its exports. After that, stack traces in this thread point into the user's source
 * files.
 *
 * @param interruption rejects if the module fails outside of what an import waits for
 * @throws PypetError with the given code if the module throws, with the user's line
 */
export async function importModule(
  { url, file }: ModuleAddress,
  kind: { readonly noun: string; readonly code: ErrorCode },
  interruption?: Promise<never>,
): Promise<Readonly<Record<string, unknown>>> {
  process.setSourceMapsEnabled(true)
  // If nothing else keeps the process alive, it ends and reports that.
  const slow = tellSlow === undefined ? undefined : setTimeout(tellSlow, SLOW_MS, file).unref()
  try {
    const importing = import(url) as Promise<Record<string, unknown>>
    return await (interruption === undefined ? importing : Promise.race([interruption, importing]))
  } catch (thrown) {
    throw notImported(thrown, { url, file }, kind)
  } finally {
    clearTimeout(slow)
  }
}

function notImported(
  thrown: unknown,
  { url, file }: ModuleAddress,
  kind: { readonly noun: string; readonly code: ErrorCode },
): PypetError {
  const attempt = `cannot load the ${kind.noun}`
  if (!(thrown instanceof Error)) {
    return new PypetError(kind.code, `${attempt} ${file}: it threw ${String(thrown)}`, {
      where: file,
      hint: `The ${kind.noun} must load without an error.`,
      cause: thrown,
    })
  }
  const where = firstUserLine(String(thrown.stack), url) ?? file
  // pypet-ts's own errors, such as for an illegal name in `defineExperiment`, already say what is wrong.
  const { code, message, hint } = toErrorRecord(thrown)
  if (thrown instanceof ExitRefusal) {
    return new PypetError(kind.code, `${attempt} ${where}: it calls ${message}`, {
      where,
      hint: `Remove the call: loading the ${kind.noun} must not end the process that loads it.`,
      cause: thrown,
    })
  }
  if (thrown.name === 'PypetError' && code !== undefined) {
    return new PypetError(code as ErrorCode, `${where}: ${message}`, { where, hint, cause: thrown })
  }
  return new PypetError(kind.code, `${attempt} ${where}: it threw ${thrown.name}: ${message}`, {
    where,
    hint: `The ${kind.noun} must load without an error; --verbose shows the stack.`,
    cause: thrown,
  })
}

/** The first frame outside Node, pypet-ts and the bundle: `/home/me/job.ts:3:9`. */
function firstUserLine(stack: string, url: string): string | undefined {
  const bundle = fileURLToPath(url)
  for (const { file, line, column } of stackFrames(stack)) {
    if (file !== bundle) return `${file}:${line}:${column}`
  }
  return undefined
}
