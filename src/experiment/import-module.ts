/** Importing a bundled module of the user. Small, because every pool thread loads it. */
import { fileURLToPath } from 'node:url'
import { type ErrorCode, PypetError, toErrorRecord } from '../errors.ts'

/** Where a bundled module is. Plain data, to be sent to threads. */
export interface ModuleAddress {
  /** The bundle, as a file URL. */
  readonly url: string
  /** The user's source file, for messages. */
  readonly file: string
}

/**
 * Imports the bundle and returns its exports. From here on, stack traces in this thread point into the
 * user's source files.
 *
 * @throws PypetError of the given code when the module throws, with the user's line
 */
export async function importModule(
  { url, file }: ModuleAddress,
  kind: { readonly noun: string; readonly code: ErrorCode },
): Promise<Readonly<Record<string, unknown>>> {
  process.setSourceMapsEnabled(true)
  try {
    return (await import(url)) as Record<string, unknown>
  } catch (thrown) {
    throw notImported(thrown, { url, file }, kind)
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
  // Our own refusal of what the user wrote, such as an illegal name in `defineExperiment`, says it best.
  const { code, message, hint } = toErrorRecord(thrown)
  if (thrown.name === 'PypetError' && code !== undefined) {
    return new PypetError(code as ErrorCode, `${where}: ${message}`, { where, hint, cause: thrown })
  }
  return new PypetError(kind.code, `${attempt} ${where}: it threw ${thrown.name}: ${message}`, {
    where,
    hint: `The ${kind.noun} must load without an error; --verbose shows the stack.`,
    cause: thrown,
  })
}

/** Our own code as it runs, and as source maps tell it: its frames are not the user's. */
const OWN_FOLDERS = ['dist', 'src'].map((name) => fileURLToPath(new URL(`../../${name}/`, import.meta.url)))

/** The first frame that lies in neither Node, pypet-ts nor the bundle: `/home/me/job.ts:3:9`. */
function firstUserLine(stack: string, url: string): string | undefined {
  for (const frame of stack.matchAll(/^\s+at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\).+):(\d+):(\d+)\)?$/gm)) {
    const [, place = '', line, column] = frame
    const path = place.startsWith('file:') ? fileURLToPath(place) : place
    const isOwn = OWN_FOLDERS.some((folder) => path.startsWith(folder))
    if (path !== fileURLToPath(url) && !isOwn) return `${path}:${line}:${column}`
  }
  return undefined
}
