/**
 * The one door to h5wasm. It is loaded when first needed: compiling it costs about 70 ms, which a
 * command that touches no HDF5 file does not pay.
 */
import { createRequire } from 'node:module'
import type h5wasm from 'h5wasm/node'

export type H5Module = Awaited<(typeof h5wasm)['ready']>
export type H5Metadata = Parameters<H5Module['create_dataset']>[3]

/**
 * How much of the library's code V8 executes before it compiles a function with its optimising compiler, in its own unit:
 * about the bytes executed. The default, 1.8 million in Node.js 20, is right for hours; in a second it costs five times
 * what loading the library does.
 */
export const TIERING = {
  /** Of a writer, which may live a second or a week: 40,000 runs take as long as by the default. */
  writer: 200_000_000,
  /** Of a command that looks into a small file. */
  glance: 1_000_000_000,
} as const

/**
 * Lets the library start faster; call it before the library is loaded. The flags are those of the whole process, so none
 * that runs a user's code may call it. They are no promise: a V8 that does not know one says so on stderr, and does
 * without.
 */
export function quickenH5wasm(tieringBudget: number): void {
  // Not imported: most of those that read a file set no flags.
  const { setFlagsFromString } = createRequire(import.meta.url)('node:v8') as typeof import('node:v8')
  // The bytes come with this package: a function is validated when it is first called.
  for (const flag of [`--wasm-tiering-budget=${tieringBudget}`, '--wasm-lazy-validation']) {
    setFlagsFromString(flag)
  }
}

/** Whether this V8 is one of those, up to Node.js 24, that know the flags: then nothing appears on stderr. */
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

/** The library, for who cannot wait: somebody must have awaited `loadH5wasm` before. */
export function loadedH5wasm(): H5Module {
  if (loaded === undefined) throw new Error('the HDF5 library is not loaded')
  return loaded
}

/**
 * The one line of an HDF5 error report that names the cause. HDF5 prints its whole call stack,
 * outermost call first.
 */
export function hdf5Cause(thrown: unknown): string {
  const report = thrown instanceof Error ? thrown.message : String(thrown)
  const descriptions = [...report.matchAll(/#\d{3}: .*?: (.*)/g)].map((match) => match[1] as string)
  return descriptions.at(-1)?.replace(/\s+/g, ' ').trim() ?? report.split('\n')[0] ?? report
}
