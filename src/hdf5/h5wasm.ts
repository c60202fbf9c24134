/**
 * The only access to h5wasm. It is loaded at its first use: compiling it takes about 70 ms, which commands without an
 * HDF5 file do not pay.
 */
import { createRequire } from 'node:module'
import type h5wasm from 'h5wasm/node'

export type H5Module = Awaited<(typeof h5wasm)['ready']>
export type H5Metadata = Parameters<H5Module['create_dataset']>[3]

/**
 * How much of the library's code V8 executes before it optimises a function, in V8's unit: about the bytes executed.
 * The default, 1.8 million in Node.js 20, suits programs that run for hours. In a short one, it costs five times as
 * much as loading the library.
 */
export const TIERING = {
  /** For a writer, which may live a second or a week: 40,000 runs take as long as with the default. */
  writer: 200_000_000,
  /** For a command that reads a small file. */
  glance: 1_000_000_000,
} as const

/**
 * Makes the library start faster. Call it before the library is loaded. The flags apply to the whole process, so do not
 * call it in a process that runs the user's code. A V8 that does not know a flag says so on stderr and ignores it.
 */
export function quickenH5wasm(tieringBudget: number): void {
  // Not an import: most readers set no flags.
  const { setFlagsFromString } = createRequire(import.meta.url)('node:v8') as typeof import('node:v8')
  // The bytes come with this package, so a function can be validated at its first call.
  for (const flag of [`--wasm-tiering-budget=${tieringBudget}`, '--wasm-lazy-validation']) {
    setFlagsFromString(flag)
  }
}

/** Whether this V8 knows the flags, as up to Node.js 24, so that it prints nothing to stderr. */
export function knowsQuickening(): boolean {
  return Number.parseInt(process.versions.v8, 10) <= 13
}

let loading: Promise<H5Module> | undefined
let loaded: H5Module | undefined

/** The HDF5 library, with errors thrown instead of printed. */
export function loadH5wasm(): Promise<H5Module> {
  loading ??= import('h5wasm/node').then(async ({ default: library }) => {
    const module = await library.ready
    module.activate_throwing_error_handler()
    loaded = module
    return module
  })
  return loading
}

/** The library, for synchronous callers. Someone must have awaited `loadH5wasm` before. */
export function loadedH5wasm(): H5Module {
  if (loaded === undefined) throw new Error('the HDF5 library is not loaded')
  return loaded
}

/**
 * The one line of an HDF5 error report that names the cause. HDF5 prints its whole call stack, outermost call first.
 */
export function hdf5Cause(thrown: unknown): string {
  const report = thrown instanceof Error ? thrown.message : String(thrown)
  const descriptions = [...report.matchAll(/#\d{3}: .*?: (.*)/g)].map((match) => match[1] as string)
  return descriptions.at(-1)?.replace(/\s+/g, ' ').trim() ?? report.split('\n')[0] ?? report
}
